// SPDX-License-Identifier: Apache-2.0
/*
 * What cosign 2.6.1 wrote (testdata/cosign): a key of `generate-key-pair` with the passphrase `cpw`, and what `sign` and
 * `attest` put beside an image at a registry without the referrers API, in its older and its newer format.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newKey, openSignedWorld } from "../../../test/support/sigstore.ts";
import type { SignedWorld } from "../../../test/support/sigstore.ts";
import { digestOf } from "../../base/index.ts";
import { readSigningKey, readVerifyingKey } from "./keys.ts";
import { checkSignatures } from "./verify-image.ts";
import type { SignatureReport, Trusted } from "./verify-image.ts";

const read = (name: string): Buffer => fs.readFileSync(join(import.meta.dirname, "testdata/cosign", name));
const SUBJECT = digestOf(read("image.bytes"));
const hex = SUBJECT.slice("sha256:".length);

let world: SignedWorld;
beforeEach(async () => {
  world = await openSignedWorld("none");
  const put = (tag: string, name: string, mediaType = "application/vnd.oci.image.manifest.v1+json"): void =>
    void world.registry.addManifest("team/app", tag, { bytes: read(name), mediaType });
  put(`sha256-${hex}.sig`, "sig.bytes");
  put(`sha256-${hex}.att`, "att.bytes");
  put(`sha256-${hex}`, "referrers.bytes", "application/vnd.oci.image.index.v1+json");
  put("r0", "referrer-0.bytes");
  put("r1", "referrer-1.bytes");
  for (const name of ["sig-layer.bytes", "att-layer.bytes", "bundle-0.bytes", "bundle-1.bytes"]) {
    world.registry.addBlob("team/app", read(name));
  }
});
afterEach(() => world.close());

const check = (trusted: Trusted, predicateType?: string): Promise<SignatureReport> =>
  checkSignatures(world.remote, SUBJECT, { trusted, ...(predicateType === undefined ? {} : { predicateType }) });
const cosign = (): Trusted => ({ kind: "keys", keys: [readVerifyingKey(read("cos.pub").toString())] });

describe("cosign's", () => {
  it("key is read with its passphrase", async () => {
    const key = await readSigningKey(read("cos.key").toString(), () => Promise.resolve("cpw"));
    expect(key.verifier.hint).toBe(readVerifyingKey(read("cos.pub").toString()).hint);
    const wrong = readSigningKey(read("cos.key").toString(), () => Promise.resolve("cpx"));
    await expect(wrong).rejects.toMatchObject({ code: "E_KEY" });
  });

  it("signatures are verified in both formats", async () => {
    const { verified, refused } = await check(cosign());
    expect(verified.map(({ format, reference }) => [format, reference])).toEqual([
      ["bundle", undefined],
      ["simple", "127.0.0.1:5077/team/cos"],
    ]);
    expect(refused).toEqual([]);
  });

  it.each([
    ["https://openvex.dev/ns", "envelope"],
    ["https://spdx.dev/Document", "bundle"],
  ])("attestation of %s is verified (%s)", async (type, format) => {
    expect(await check(cosign(), type)).toMatchObject({ verified: [{ format, predicate: { a: 1 } }], refused: [] });
  });

  it("signatures are refused by another key", async () => {
    const report = await check({ kind: "keys", keys: [(await newKey()).verifier] });
    expect([report.verified, report.refused.length]).toEqual([[], 2]);
  });
});
