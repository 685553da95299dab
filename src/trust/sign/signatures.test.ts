// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundleFromJSON } from "@sigstore/bundle";
import { Verifier, toSignedEntity } from "@sigstore/verify";
import { createPublicKey } from "node:crypto";
import { digestOf, isTareError } from "../../base/index.ts";
import { MEDIA_TYPES, parseImageName } from "../../oci/index.ts";
import { attach } from "../attest/attach.ts";
import type { Attachment } from "../attest/attach.ts";
import { formatStatement } from "../attest/statement.ts";
import { BUNDLE_TYPE, SIGN_PREDICATE } from "./bundle.ts";
import { OTHER, newKey, openSignedWorld, openSigstore } from "../../../test/support/sigstore.ts";
import type { SignedWorld, TestSigstore } from "../../../test/support/sigstore.ts";
import { wholeExpression } from "./identity.ts";
import { generateKey, readSigningKey } from "./keys.ts";
import type { SigningKey } from "./keys.ts";
import { signManifest, signedAttachment } from "./sign-image.ts";
import type { SignOptions } from "./sign-image.ts";
import { SIMPLE_TYPE, formatSimplePayload, signatureImage, signatureTag } from "./simple-signing.ts";
import { checkSignatures, requireSignatures } from "./verify-image.ts";
import type { Trusted } from "./verify-image.ts";

let world: SignedWorld;
let key: SigningKey;
beforeEach(async () => {
  world = await openSignedWorld();
  key = await newKey();
});
afterEach(() => world.close());

const asked = parseImageName("registry.test/team/app:1");
const sign = (formats: SignOptions["formats"], by = key): ReturnType<typeof signManifest> =>
  signManifest(world.remote, world.subject, { key: by, reference: asked, formats, creator: "test" });
const keys = (...trusted: readonly SigningKey[]): Trusted => ({
  kind: "keys",
  keys: trusted.map(({ verifier }) => verifier),
});
const verify = (trusted: Trusted, predicateType?: string): ReturnType<typeof requireSignatures> =>
  requireSignatures(world.remote, world.subject.digest, {
    trusted,
    name: "app:1",
    ...(predicateType === undefined ? {} : { predicateType }),
  });

async function refusal(work: Promise<unknown>): Promise<readonly [string, string]> {
  try {
    await work;
  } catch (error) {
    if (isTareError(error)) return [error.code, error.message];
    throw error;
  }
  return ["ok", ""];
}

describe("signatures by keys", () => {
  it("are made in both formats, verified, and not made twice", async () => {
    const made = await sign(["bundle", "legacy"]);
    expect(made.map(({ format, existed }) => [format, existed])).toEqual([
      ["bundle", false],
      ["legacy", false],
    ]);
    const found = await verify(keys(await newKey(), key));
    const signer = { key: key.verifier.hint };
    const reference = "registry.test/team/app:1";
    expect(found).toEqual([
      { format: "bundle", digest: made[0]?.digest, signer, reference, predicateType: SIGN_PREDICATE, predicate: {} },
      { format: "simple", digest: expect.any(String) as string, signer, reference },
    ]);
    expect((await sign(["bundle", "legacy"])).map(({ existed }) => existed)).toEqual([true, true]);
  });

  it("of several people stand side by side", async () => {
    const other = await newKey();
    for (const by of [key, other]) await sign(["bundle", "legacy"], by);
    for (const by of [key, other]) expect(await verify(keys(by))).toHaveLength(2);
    const report = await checkSignatures(world.remote, world.subject.digest, { trusted: keys(key) });
    expect(report.refused.map(({ why }) => why)).toEqual(["none of the keys made it", "none of the keys made it"]);
  });

  it("as bundles are verified by sigstore's own library", async () => {
    const { privateKey, publicKey } = generateKey("");
    await sign(["bundle"], await readSigningKey(privateKey, () => Promise.resolve("")));
    const blob = [...world.registry.blobs.values()].find((bytes) => bytes.includes("dsseEnvelope"));
    const bundle = bundleFromJSON(JSON.parse(String(blob)));
    const found = { publicKey: createPublicKey(publicKey), validFor: (): boolean => true };
    const material = {
      certificateAuthorities: [],
      timestampAuthorities: [],
      tlogs: [],
      ctlogs: [],
      publicKey: () => found,
    };
    const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
    expect(verifier.verify(toSignedEntity(bundle)).key.equals(found.publicKey)).toBe(true);
  });

  it("are refused of other keys, and missed where there are none", async () => {
    expect(await refusal(verify(keys(key)))).toEqual([
      "E_UNSIGNED",
      `verifying \`app:1\` (${world.subject.digest}): it has no signature`,
    ]);
    await sign(["bundle"]);
    const [code, message] = await refusal(verify(keys(await newKey())));
    expect([code, message]).toEqual(["E_SIGNATURE", expect.stringContaining("none of the keys made it") as string]);
  });

  it("of attestations are told apart from those of images, by type", async () => {
    const type = "https://spdx.dev/Document";
    const about = { name: "app", digest: world.subject.digest };
    const statement = formatStatement(about, { predicateType: type, predicate: { spdxVersion: "SPDX-2.3" } });
    await attach(world.remote, world.subject, signedAttachment(key, statement, type));
    expect(await verify(keys(key), type)).toMatchObject([
      { predicateType: type, predicate: { spdxVersion: "SPDX-2.3" } },
    ]);
    expect((await refusal(verify(keys(key))))[0]).toBe("E_UNSIGNED");
    expect((await refusal(verify(keys(key), "https://slsa.dev/provenance/v1")))[0]).toBe("E_UNSIGNED");
  });
});

describe("signatures that lie", () => {
  const bundle = (bytes: Buffer): Attachment => ({
    artifactType: BUNDLE_TYPE,
    layer: { bytes, mediaType: BUNDLE_TYPE },
  });
  const statementOf = (digest = world.subject.digest, predicateType = SIGN_PREDICATE): Buffer =>
    formatStatement({ name: "app", digest }, { predicateType, predicate: {} });
  const changed = (change: (json: Record<string, never>) => void, statement = statementOf()): Attachment => {
    const made = signedAttachment(key, statement, SIGN_PREDICATE);
    const json = JSON.parse(made.layer.bytes.toString()) as Record<string, never>;
    change(json);
    return bundle(Buffer.from(JSON.stringify(json)));
  };
  interface Json {
    mediaType: string;
    dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
  }
  const edit = (change: (json: Json) => void): Attachment => changed((json) => change(json as unknown as Json));

  const bundles: Readonly<Record<string, readonly [() => Attachment, RegExp]>> = {
    "of another image": [() => signedAttachment(key, statementOf(OTHER), SIGN_PREDICATE), /it is of another image/],
    "with another statement put in": [
      () => edit((json) => (json.dsseEnvelope.payload = statementOf().toString("base64").replace(/..$/, "fQ"))),
      /none of the keys made it|statement|JSON/,
    ],
    "with another type of payload": [
      () => edit((json) => (json.dsseEnvelope.payloadType = "text/plain")),
      /none of the keys made it/,
    ],
    "with an empty signature": [
      () => edit((json) => (json.dsseEnvelope.signatures = [{ sig: "" }])),
      /none of the keys/,
    ],
    "without a signature": [() => edit((json) => (json.dsseEnvelope.signatures = [])), /it has no signature/],
    "of an unknown version": [() => edit((json) => (json.mediaType = "application/x")), /its type is `application\/x`/],
    "that are no JSON": [() => bundle(Buffer.from("signed!")), /not JSON/],
    "that say a thing twice": [() => bundle(Buffer.from('{"mediaType":"a","mediaType":"b"}')), /stands twice/],
    "that are a list": [() => bundle(Buffer.from("[]")), /it is no object/],
  };
  it.each(Object.entries(bundles))("are refused: a bundle %s", async (_, [make, why]) => {
    await attach(world.remote, world.subject, make());
    const [code, message] = await refusal(verify(keys(key)));
    expect([code, message]).toEqual(["E_SIGNATURE", expect.stringMatching(why) as string]);
    await sign(["bundle"]);
    expect(await verify(keys(key))).toHaveLength(1);
  });

  const payload = (digest = world.subject.digest): Buffer =>
    formatSimplePayload({ reference: "registry.test/team/app:1", digest }, "test");
  const simple: Readonly<Record<string, readonly [() => readonly [Buffer, Buffer], RegExp]>> = {
    "of another image": [() => [payload(OTHER), key.sign(payload(OTHER))], /it is of another image/],
    "of another payload": [() => [payload(), key.sign(Buffer.from("x"))], /none of the keys made it/],
    "that is empty": [() => [payload(), Buffer.alloc(0)], /none of the keys made it/],
    "of something else": [
      () => [Buffer.from('{"critical":{"type":"x"}}'), key.sign(Buffer.from('{"critical":{"type":"x"}}'))],
      /it is no signature of an image/,
    ],
  };
  it.each(Object.entries(simple))("are refused: a simple signature %s", async (_, [make, why]) => {
    const [bytes, signature] = make();
    const annotations = { "dev.cosignproject.cosign/signature": signature.toString("base64") };
    putSimple([{ bytes, annotations }]);
    const [code, message] = await refusal(verify(keys(key)));
    expect([code, message]).toEqual(["E_SIGNATURE", expect.stringMatching(why) as string]);
  });

  it("are listed and gone: the others count all the same", async () => {
    await attach(world.remote, world.subject, signedAttachment(await newKey(), statementOf(), SIGN_PREDICATE));
    for (const [name, { bytes }] of world.registry.manifests) {
      if (bytes.includes('"artifactType":"application/vnd.dev.sigstore') && name.includes("@")) {
        if (!bytes.includes('"manifests"')) world.registry.manifests.delete(name);
      }
    }
    const [code, message] = await refusal(verify(keys(key)));
    expect([code, message]).toEqual(["E_SIGNATURE", expect.stringMatching(/the registry answers 404/) as string]);
    await sign(["bundle"]);
    expect(await verify(keys(key))).toHaveLength(1);
  });

  it("are refused when the registry gives other bytes", async () => {
    await sign(["bundle"]);
    for (const [digest, bytes] of world.registry.blobs) {
      if (bytes.includes("dsseEnvelope"))
        world.registry.blobs.set(digest, Buffer.from(bytes.toString().replace("0.3", "0.2")));
    }
    expect((await refusal(verify(keys(key))))[0]).toBe("E_SIGNATURE");
  });
});

/** Writes the image with simple signatures. */
function putSimple(
  parts: readonly { readonly bytes: Buffer; readonly annotations: Readonly<Record<string, string>> }[],
): void {
  const layers = parts.map(({ bytes, annotations }) => {
    world.registry.addBlob("team/app", bytes);
    return { mediaType: SIMPLE_TYPE, digest: digestOf(bytes), size: bytes.length, annotations };
  });
  const { manifest, config } = signatureImage(layers);
  world.registry.addBlob("team/app", config);
  const stored = { bytes: manifest, mediaType: MEDIA_TYPES.ociManifest };
  world.registry.addManifest("team/app", signatureTag(world.subject.digest), stored);
}

describe("signatures without keys", () => {
  let sigstore: TestSigstore;
  let other: TestSigstore;
  beforeAll(async () => {
    [sigstore, other] = [await openSigstore(), await openSigstore()];
  });
  const ann = { identity: "ann@example.com", issuer: "https://accounts.example.com" };
  const trust = (
    rule: { readonly identity: string | RegExp; readonly issuer: string | RegExp },
    root = sigstore,
  ): Trusted => ({
    kind: "keyless",
    trustedRoot: root.trustedRoot,
    rule,
  });
  const statement = (digest = world.subject.digest): Buffer =>
    formatStatement({ name: "app", digest }, { predicateType: SIGN_PREDICATE, predicate: {} });
  const put = async (json: unknown): Promise<void> => {
    const layer = { bytes: Buffer.from(JSON.stringify(json)), mediaType: BUNDLE_TYPE };
    await attach(world.remote, world.subject, { artifactType: BUNDLE_TYPE, layer });
  };

  it("are verified by roots, log, identity and issuer", async () => {
    await put(await sigstore.signStatement(statement(), ann));
    expect(await verify(trust(ann))).toMatchObject([{ format: "bundle", signer: ann }]);
    const byExpression = { identity: wholeExpression(".*@example\\.com"), issuer: ann.issuer };
    expect(await verify(trust(byExpression))).toHaveLength(1);
  });

  it.each([
    ["somebody else", { ...ann, identity: "ben@example.com" }, /signed by `ann@example.com`, not by `ben@example.com`/],
    ["another issuer", { ...ann, issuer: "https://evil.test" }, /vouched for by `https:\/\/accounts/],
    ["a part of the name", { ...ann, identity: wholeExpression("ann") }, /not by `\^\(\?:ann\)\$`/],
    ["a part of the issuer", { ...ann, issuer: "https://accounts.example.co" }, /vouched for by/],
  ])("are refused for %s", async (_, rule, why) => {
    await put(await sigstore.signStatement(statement(), ann));
    expect(await refusal(verify(trust(rule)))).toEqual(["E_SIGNATURE", expect.stringMatching(why) as string]);
  });

  interface Bundle {
    verificationMaterial: {
      tlogEntries: {
        integratedTime: string;
        canonicalizedBody: string;
        inclusionPromise?: object;
        inclusionProof?: object;
      }[];
    };
    dsseEnvelope: { signatures: { sig: string }[]; payload: string };
  }
  it.each([
    ["no entry in a log", (json: Bundle) => (json.verificationMaterial.tlogEntries = [])],
    [
      "the log's promise and proof taken away",
      (json: Bundle) => {
        delete json.verificationMaterial.tlogEntries[0]?.inclusionPromise;
        delete json.verificationMaterial.tlogEntries[0]?.inclusionProof;
      },
    ],
    [
      "another time",
      (json: Bundle) => {
        const [entry] = json.verificationMaterial.tlogEntries;
        if (entry) entry.integratedTime = "1000000000";
      },
    ],
    [
      "another payload",
      (json: Bundle) => (json.dsseEnvelope.payload = statement().toString("base64").replace(/^e/, "I")),
    ],
    ["another signature", (json: Bundle) => (json.dsseEnvelope.signatures = [{ sig: "MEUCIQ==" }])],
  ])("are refused with %s", async (_, change) => {
    const json = (await sigstore.signStatement(statement(), ann)) as unknown as Bundle;
    change(json);
    await put(json);
    expect((await refusal(verify(trust(ann))))[0]).toBe("E_SIGNATURE");
  });

  it("are refused by roots that did not make them, of other images, and by keys", async () => {
    await put(await sigstore.signStatement(statement(), ann));
    expect((await refusal(verify(trust(ann, other))))[0]).toBe("E_SIGNATURE");
    expect((await refusal(verify(keys(key))))[0]).toBe("E_SIGNATURE");
    await world.close();
    world = await openSignedWorld("whole");
    await put(await sigstore.signStatement(statement(OTHER), ann));
    expect(await refusal(verify(trust(ann)))).toEqual([
      "E_SIGNATURE",
      expect.stringMatching(/of another image/) as string,
    ]);
  });

  it("of cosign 1 and 2 are verified too", async () => {
    const bytes = formatSimplePayload({ reference: "registry.test/team/app", digest: world.subject.digest }, "cosign");
    putSimple([{ bytes, annotations: await sigstore.signPayload(bytes, ann) }]);
    expect(await verify(trust(ann))).toMatchObject([
      { format: "simple", signer: ann, reference: "registry.test/team/app" },
    ]);
    expect((await refusal(verify(trust({ ...ann, identity: "ben@example.com" }))))[0]).toBe("E_SIGNATURE");
    const { "dev.sigstore.cosign/bundle": _promise, ...rest } = await sigstore.signPayload(bytes, ann);
    putSimple([{ bytes, annotations: rest }]);
    expect(await refusal(verify(trust(ann)))).toEqual([
      "E_SIGNATURE",
      expect.stringMatching(/no entry of a transparency log/) as string,
    ]);
  });

  it.each([
    ["no JSON", "x"],
    ["nothing", "{}"],
    ["no log", JSON.stringify({ certificateAuthorities: [], tlogs: [] })],
  ])("need a root that is one: %s", async (_, trustedRoot) => {
    await put(await sigstore.signStatement(statement(), ann));
    const rule = ann;
    expect((await refusal(verify({ kind: "keyless", trustedRoot, rule })))[0]).toBe("E_KEY");
  });
});
