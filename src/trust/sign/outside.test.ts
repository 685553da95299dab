// SPDX-License-Identifier: Apache-2.0
/* What comes from registries and users is read or refused by a code; nothing else is ever thrown. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import { parsePolicy } from "../policy/parse.ts";
import { parseStatement } from "../attest/statement.ts";
import { parseBundle } from "./bundle.ts";
import { openKey } from "./cosign-key.ts";
import { parseEnvelope } from "./dsse.ts";
import { readVerifyingKey } from "./keys.ts";
import { readTrustedRoot } from "./keyless.ts";
import { parseSimplePayload } from "./simple-signing.ts";

const BUNDLE = {
  mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
  verificationMaterial: { publicKey: { hint: "" }, certificate: {}, tlogEntries: [] },
  dsseEnvelope: { payload: "e30=", payloadType: "t", signatures: [{ sig: "AA==" }] },
};
const STATEMENT = {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "a", digest: { sha256: "b" } }],
  predicateType: "p",
  predicate: {},
};
const PAYLOAD = {
  critical: {
    identity: { "docker-reference": "a" },
    image: { "docker-manifest-digest": `sha256:${"a".repeat(64)}` },
    type: "cosign container image signature",
  },
  optional: null,
};
const POLICY = {
  default: [{ type: "reject" }],
  transports: {
    docker: {
      a: [
        {
          type: "sigstoreSigned",
          keyPath: "/k",
          signedIdentity: { type: "remapIdentity", prefix: "a", signedPrefix: "b" },
        },
        {
          type: "sigstoreSigned",
          fulcio: { caData: "AA==", oidcIssuer: "i", subjectEmail: "e" },
          rekorPublicKeyDatas: ["AA=="],
        },
      ],
    },
  },
};
const KEY = {
  kdf: { name: "scrypt", params: { N: 2, r: 1, p: 1 }, salt: "AA==" },
  cipher: { name: "nacl/secretbox", nonce: Buffer.alloc(24).toString("base64") },
  ciphertext: "AAAA",
};
const ROOT = {
  certificateAuthorities: [{ certChain: { certificates: [{ rawBytes: "AA==" }] } }],
  tlogs: [{}],
  ctlogs: [],
};

const pem = (text: string): string =>
  `-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n${Buffer.from(text).toString("base64")}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----`;

const READERS: Readonly<Record<string, readonly [sample: unknown, read: (text: string) => unknown]>> = {
  bundles: [BUNDLE, parseBundle],
  envelopes: [BUNDLE.dsseEnvelope, (text) => parseEnvelope(jsonOf(text))],
  statements: [STATEMENT, parseStatement],
  payloads: [PAYLOAD, parseSimplePayload],
  policies: [POLICY, (text) => parsePolicy(text, "policy.json")],
  "private keys": [KEY, (text) => openKey(pem(text), "")],
  "public keys": ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", readVerifyingKey],
  "trusted roots": [ROOT, readTrustedRoot],
};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The sample with one value somewhere in it changed. */
const changed = (sample: unknown): fc.Arbitrary<unknown> =>
  fc.tuple(fc.nat(), fc.jsonValue({ maxDepth: 2 })).map(([place, value]) => {
    let left = place % Math.max(1, count(sample));
    const walk = (at: unknown): unknown => {
      if (left-- === 0) return value;
      if (Array.isArray(at)) return at.map(walk);
      if (typeof at !== "object" || at === null) return at;
      return Object.fromEntries(Object.entries(at).map(([key, each]) => [key, walk(each)]));
    };
    return walk(sample);
  });

function count(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, each) => sum + count(each), 1);
}

describe.each(Object.entries(READERS))("%s", (_, [sample, read]) => {
  const tries = (text: string): void => {
    try {
      read(text);
    } catch (error) {
      expect(isTareError(error), error instanceof Error ? error.stack : "").toBe(true);
    }
  };
  it("are read or refused whatever is changed in them", () => {
    fc.assert(
      fc.property(changed(sample), (value) => tries(JSON.stringify(value) ?? "")),
      { numRuns: 300 },
    );
  });
  it("are read or refused whatever the text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), tries), { numRuns: 100 });
  });
});
