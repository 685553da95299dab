// SPDX-License-Identifier: Apache-2.0
import { generateKey } from "../trust/index.ts";
import type { TrustApi } from "./facade-trust.ts";
import type { Rooms } from "./rooms.ts";
import { sbomOfImage } from "./sbom.ts";
import { signImage, verifyImage } from "./signatures.ts";

/** Documents about an engine's images, and signatures. */
export function trustApi(rooms: Rooms): TrustApi {
  return {
    sbom: (request) => sbomOfImage(rooms, request),
    sign: (request) => signImage(rooms, request),
    verify: (request) => verifyImage(rooms, request),
    generateKey: (passphrase) => Promise.resolve(generateKey(passphrase)),
  };
}
