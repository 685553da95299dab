// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { OTHER, newKey, openSignedWorld, openSigstore } from "../../../test/support/sigstore.ts";
import type { SignedWorld, TestSigstore } from "../../../test/support/sigstore.ts";
import { digestOf, isTareError } from "../../base/index.ts";
import { parseImageName } from "../../oci/index.ts";
import { attach } from "../attest/attach.ts";
import { formatStatement } from "../attest/statement.ts";
import { BUNDLE_TYPE, SIGN_PREDICATE } from "../sign/bundle.ts";
import { generateKey, readSigningKey } from "../sign/keys.ts";
import { signManifest } from "../sign/sign-image.ts";
import type { SignatureFormat } from "../sign/sign-image.ts";
import { SIMPLE_TYPE, formatSimplePayload, signatureImage, signatureTag } from "../sign/simple-signing.ts";
import { isAcceptedUnseen, requireAdmission } from "./admit.ts";
import { parsePolicy } from "./parse.ts";
import { isSignedAs, requirementsFor } from "./scopes.ts";
import type { SignedIdentity } from "./types.ts";

const ACCEPT = { type: "insecureAcceptAnything" };
const REJECT = { type: "reject" };
const policyOf = (value: unknown): ReturnType<typeof parsePolicy> => parsePolicy(JSON.stringify(value), "/etc/p.json");

describe("policies", () => {
  const key = { type: "sigstoreSigned", keyPath: "/k" };
  it.each([
    ["nothing but a default", { default: [ACCEPT] }],
    ["other transports", { default: [REJECT], transports: { docker: {}, "docker-daemon": { "": [ACCEPT] } } }],
    ["a GPG rule", { default: [{ type: "signedBy", keyType: "GPGKeys", keyPath: "/k" }] }],
    ["keys of each kind", { default: [key, { type: "sigstoreSigned", keyDatas: ["YQ==", "Yg=="] }] }],
    [
      "a rule with an identity",
      { default: [{ ...key, signedIdentity: { type: "exactRepository", dockerRepository: "a/b" } }] },
    ],
    [
      "a certificate",
      {
        default: [
          {
            type: "sigstoreSigned",
            fulcio: { caPath: "/c", oidcIssuer: "i", subjectEmail: "e" },
            rekorPublicKeyPath: "/r",
          },
        ],
      },
    ],
  ])("are read: %s", (_, value) => {
    expect(policyOf(value).path).toBe("/etc/p.json");
  });

  const rule = (value: unknown): object => ({ default: [value] });
  it.each([
    ["no JSON", "x", /not JSON/],
    ["a list", [], /expected an object/],
    ["no default", {}, /default: expected a list/],
    ["an empty default", { default: [] }, /default: expected a list/],
    ["an unknown key", { default: [ACCEPT], defualt: [] }, /unknown key `defualt`/],
    ["an unknown type", rule({ type: "accept" }), /default\[0\]: unknown type `accept`/],
    ["a type with more", rule({ ...ACCEPT, keyPath: "/k" }), /unknown key `keyPath`/],
    ["no key", rule({ type: "sigstoreSigned" }), /exactly one of/],
    ["two kinds of keys", rule({ ...key, keyData: "YQ==" }), /`keyPath` and `keyData` exclude each other/],
    ["keys that are none", rule({ type: "sigstoreSigned", keyPaths: [] }), /keyPaths: expected a list/],
    ["a key that is a number", rule({ type: "sigstoreSigned", keyPath: 1 }), /keyPath: expected a text/],
    [
      "key and certificate",
      rule({ ...key, fulcio: { caPath: "/c", oidcIssuer: "i", subjectEmail: "e" } }),
      /exactly one/,
    ],
    [
      "a certificate of anybody",
      rule({ type: "sigstoreSigned", fulcio: { caPath: "/c", oidcIssuer: "i" } }),
      /subjectEmail/,
    ],
    [
      "a certificate without a log",
      rule({ type: "sigstoreSigned", fulcio: { caPath: "/c", oidcIssuer: "i", subjectEmail: "e" } }),
      /rekorPublicKeyPath/,
    ],
    ["own authorities", rule({ type: "sigstoreSigned", pki: {} }), /`pki` is not supported/],
    ["an unknown identity", rule({ ...key, signedIdentity: { type: "any" } }), /unknown type `any`/],
    ["a mistake in another transport", { default: [ACCEPT], transports: { dir: { "": [{}] } } }, /transports\.dir\[\]/],
    [
      "a scope without rules",
      { default: [ACCEPT], transports: { docker: { "a.test": [] } } },
      /docker\[a\.test\]: expected a list/,
    ],
  ])("are refused: %s", (_, value, message) => {
    const read = (): unknown => (typeof value === "string" ? parsePolicy(value, "/etc/p.json") : policyOf(value));
    expect(read).toThrow(expect.objectContaining({ code: "E_POLICY" }) as Error);
    expect(read).toThrow(message);
  });
});

describe("scopes", () => {
  const scopes = ["r.test/a/b:1", "r.test/a/b", "r.test/a", "r.test", "*.example.com", "*.sub.example.com", ""];
  const policy = policyOf({
    default: [REJECT],
    transports: { docker: Object.fromEntries(scopes.map((each) => [each, [ACCEPT]])) },
  });
  it.each([
    ["r.test/a/b:1", "r.test/a/b:1"],
    ["r.test/a/b:2", "r.test/a/b"],
    ["r.test/a/b@sha256:" + "a".repeat(64), "r.test/a/b"],
    ["r.test/a/c", "r.test/a"],
    ["r.test/ab", "r.test"],
    ["x.sub.example.com/a", "*.sub.example.com"],
    ["sub.example.com/a", "*.example.com"],
    ["example.com/a", "all registries"],
    ["sub.example.com:5000/a", "*.example.com"],
    ["python", "all registries"],
  ])("of `%s`: %s", (name, scope) => {
    expect(requirementsFor(policy, parseImageName(name)).scope).toBe(scope);
  });
  it("fall back to the default", () => {
    expect(requirementsFor(policyOf({ default: [REJECT] }), parseImageName("a.test/b")).scope).toBe("default");
    const hub = policyOf({ default: [REJECT], transports: { docker: { "docker.io/library": [ACCEPT] } } });
    expect(isAcceptedUnseen(hub, parseImageName("python"))).toBe(true);
    expect(isAcceptedUnseen(hub, parseImageName("someone/python"))).toBe(false);
  });
});

describe("names in signatures", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const match = (type: "matchExact" | "matchRepoDigestOrExact" | "matchRepository"): SignedIdentity => ({ type });
  const remap = { type: "remapIdentity", prefix: "mirror.test/x", signedPrefix: "r.test" } as const;
  it.each<[SignedIdentity, string, string, boolean]>([
    [match("matchExact"), "r.test/a:1", "r.test/a:1", true],
    [match("matchExact"), "r.test/a:1", "r.test/a:2", false],
    [match("matchExact"), "r.test/a:1", "r.test/a", false],
    [match("matchExact"), `r.test/a@${digest}`, "r.test/a:1", false],
    [match("matchRepoDigestOrExact"), "r.test/a:1", "r.test/a:1", true],
    [match("matchRepoDigestOrExact"), "r.test/a:1", "r.test/a", false],
    [match("matchRepoDigestOrExact"), `r.test/a@${digest}`, "r.test/a:1", true],
    [match("matchRepoDigestOrExact"), `r.test/a@${digest}`, "r.test/b:1", false],
    [match("matchRepository"), "r.test/a:1", "r.test/a:2", true],
    [match("matchRepository"), "r.test/a:1", "r.test/a", true],
    [match("matchRepository"), "r.test/a:1", "r.test/ab:1", false],
    [match("matchRepository"), "python:3", "docker.io/library/python", true],
    [match("matchRepository"), "r.test/a:1", "", false],
    [match("matchRepository"), "r.test/a:1", "Not A Name", false],
    [{ type: "exactReference", dockerReference: "r.test/a:9" }, "x.test/a:1", "r.test/a:9", true],
    [{ type: "exactReference", dockerReference: "r.test/a:9" }, "x.test/a:1", "r.test/a:8", false],
    [{ type: "exactRepository", dockerRepository: "r.test/a" }, "x.test/a:1", "r.test/a:8", true],
    [{ type: "exactRepository", dockerRepository: "r.test/a" }, "x.test/a:1", "r.test/b:8", false],
    [remap, "mirror.test/x/a:1", "r.test/a:1", true],
    [remap, "mirror.test/x/a:1", "mirror.test/x/a:1", false],
    [remap, "mirror.test/xy/a:1", "mirror.test/xy/a:1", true],
    [remap, "mirror.test/xy/a:1", "r.test/y/a:1", false],
  ])("%o: asked for `%s`, signed as `%s`: %s", (identity, asked, signed, counts) => {
    expect(isSignedAs(identity, parseImageName(asked), signed)).toBe(counts);
  });
});

describe("images that come in", () => {
  let world: SignedWorld;
  let folder = "";
  let sigstore: TestSigstore;
  const asked = "registry.test/team/app:1";
  const pem = generateKey("");

  beforeAll(async () => {
    folder = fs.mkdtempSync(join(tmpdir(), "tare-policy-"));
    fs.writeFileSync(join(folder, "own.pub"), pem.publicKey);
    fs.writeFileSync(join(folder, "other.pub"), generateKey("").publicKey);
    sigstore = await openSigstore();
    fs.writeFileSync(join(folder, "ca.pem"), sigstore.authority);
    fs.writeFileSync(join(folder, "rekor.pem"), sigstore.logKey);
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  beforeEach(async () => {
    world = await openSignedWorld("whole");
  });
  afterEach(() => world.close());

  const sign = async (format: SignatureFormat, name = asked): Promise<void> => {
    const key = await readSigningKey(pem.privateKey, () => Promise.resolve(""));
    const options = { key, reference: parseImageName(name), formats: [format], creator: "test" };
    await signManifest(world.remote, world.subject, options);
  };
  const outcome = async (requirements: readonly object[], more: object = {}): Promise<string> => {
    const policy = policyOf({ default: [REJECT], transports: { docker: { "registry.test": requirements } } });
    const digests = [OTHER, world.subject.digest];
    const incoming = { remote: world.remote, reference: parseImageName(asked), digests, ...more };
    try {
      await requireAdmission(policy, incoming);
      return "in";
    } catch (error) {
      if (isTareError(error)) return `${error.code} ${error.message}`;
      throw error;
    }
  };
  const by = (name: string, more: object = {}): object => ({
    type: "sigstoreSigned",
    keyPath: join(folder, name),
    ...more,
  });
  const REFUSED = /^E_POLICY_REFUSED letting in `registry\.test\/team\/app:1`: /;

  it.each<[string, readonly SignatureFormat[], readonly string[], string | RegExp]>([
    ["signed as a bundle", ["bundle"], ["own.pub"], "in"],
    ["signed as podman does", ["legacy"], ["own.pub"], "in"],
    ["not signed", [], ["own.pub"], /it has no signature \(rule for `registry\.test` in `\/etc\/p\.json`\)/],
    ["signed by others", ["bundle", "legacy"], ["other.pub"], /no signature counts: none of the keys made it/],
    ["signed by one of two who must", ["legacy"], ["own.pub", "other.pub"], /none of the keys made it/],
  ])("by keys: %s", async (_, formats, keys, expected) => {
    for (const format of formats) await sign(format);
    const found = await outcome(keys.map((name) => by(name)));
    if (expected === "in") expect(found).toBe("in");
    else expect([found, found]).toEqual([expect.stringMatching(REFUSED), expect.stringMatching(expected)] as unknown[]);
  });

  it("with one of several keys", async () => {
    await sign("bundle");
    const keyPaths = ["other.pub", "own.pub"].map((name) => join(folder, name));
    expect(await outcome([{ type: "sigstoreSigned", keyPaths }])).toBe("in");
    const keyData = Buffer.from(pem.publicKey).toString("base64");
    expect(await outcome([{ type: "sigstoreSigned", keyData }])).toBe("in");
  });

  it("under the name that was signed", async () => {
    await sign("legacy", "registry.test/team/app:2");
    expect(await outcome([by("own.pub")])).toMatch(/it is good, but calls the image `registry\.test\/team\/app:2`/);
    expect(await outcome([by("own.pub", { signedIdentity: { type: "matchRepository" } })])).toBe("in");
  });

  it.each([
    ["a rejection", [REJECT], /images from there are rejected/],
    ["a rejection after an acceptance", [ACCEPT, REJECT], /images from there are rejected/],
    [
      "GPG signatures",
      [{ type: "signedBy", keyType: "GPGKeys", keyPath: "/k" }],
      /a GPG signature \(`signedBy`\) is wanted/,
    ],
  ])("never past %s", async (_, requirements, message) => {
    await sign("bundle");
    expect(await outcome(requirements)).toMatch(message);
  });

  it("by keys whose signatures a log knows", async () => {
    const rule = by("own.pub", { rekorPublicKeyPath: join(folder, "rekor.pem") });
    await sign("legacy");
    expect(await outcome([rule])).toMatch(/no entry of a transparency log/);
    const key = await readSigningKey(pem.privateKey, () => Promise.resolve(""));
    const payload = formatSimplePayload({ reference: asked, digest: world.subject.digest }, "test");
    const put = async (annotations: Readonly<Record<string, string>>): Promise<string> => {
      world.registry.addBlob("team/app", payload);
      const layer = { mediaType: SIMPLE_TYPE, digest: digestOf(payload), size: payload.length, annotations };
      const { manifest, config } = signatureImage([layer]);
      world.registry.addBlob("team/app", config);
      const stored = { bytes: manifest, mediaType: "application/vnd.oci.image.manifest.v1+json" };
      world.registry.addManifest("team/app", signatureTag(world.subject.digest), stored);
      return outcome([rule]);
    };
    expect(await put(await sigstore.logPayload(payload, key))).toBe("in");
    const other = await openSigstore();
    expect(await put(await other.logPayload(payload, key))).toMatch(/no log of the policy vouches for it/);
    const stranger = await newKey();
    expect(await put(await sigstore.logPayload(payload, stranger))).toMatch(/none of the keys made it/);
    const { "dev.cosignproject.cosign/signature": signature = "" } = await sigstore.logPayload(payload, key);
    const promise = await sigstore.logPayload(payload, key);
    expect(await put({ ...promise, "dev.cosignproject.cosign/signature": signature })).toMatch(/no log of the policy/);
  });

  it("never with a key that is not there", async () => {
    await sign("bundle");
    expect(await outcome([by("gone.pub")])).toMatch(/^E_IO reading `.*gone\.pub` of the signature policy/);
  });

  it("by a certificate, of that person only", async () => {
    const ann = { identity: "ann@example.com", issuer: "https://accounts.example.com" };
    const statement = formatStatement(
      { name: asked, digest: world.subject.digest },
      { predicateType: SIGN_PREDICATE, predicate: {} },
    );
    const bytes = Buffer.from(JSON.stringify(await sigstore.signStatement(statement, ann)));
    await attach(world.remote, world.subject, { artifactType: BUNDLE_TYPE, layer: { bytes, mediaType: BUNDLE_TYPE } });
    const rule = (subjectEmail: string): object => ({
      type: "sigstoreSigned",
      fulcio: { caPath: join(folder, "ca.pem"), oidcIssuer: ann.issuer, subjectEmail },
      rekorPublicKeyPath: join(folder, "rekor.pem"),
    });
    const root = { trustedRoot: sigstore.trustedRoot };
    expect(await outcome([rule(ann.identity)], root)).toBe("in");
    expect(await outcome([rule("ben@example.com")], root)).toMatch(/signed by `ann@example\.com`/);
    expect(await outcome([rule(ann.identity)])).toMatch(/TARE_TRUSTED_ROOT must name/);
  });
});
