// SPDX-License-Identifier: Apache-2.0
import type { TrustApi } from "./facade-trust.ts";
import type { Rooms } from "./rooms.ts";
import { sbomOfImage } from "./sbom.ts";

/** Documents about an engine's images, and signatures. */
export function trustApi(rooms: Rooms): TrustApi {
  return {
    sbom: (request) => sbomOfImage(rooms, request),
  };
}
