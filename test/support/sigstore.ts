// SPDX-License-Identifier: Apache-2.0
/* For tests only: an image at a registry of this process, keys, and a sigstore of the test's own. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fulcioHandler, initializeCA, initializeCTLog, initializeTLog, rekorHandler } from "@sigstore/mock";
import { digestOf } from "../../src/base/index.ts";
import type { Digest } from "../../src/base/index.ts";
import { HttpClient } from "../../src/http/index.ts";
import type { RemoteRepository } from "../../src/images/index.ts";
import { MEDIA_TYPES } from "../../src/oci/index.ts";
import { RegistryClient } from "../../src/registry/index.ts";
import { FakeRegistry } from "../../src/registry/fixture.ts";
import { readSigningKey } from "../../src/trust/index.ts";
import type { SigningKey, Subject } from "../../src/trust/index.ts";

/** An image at a registry. */
export interface SignedWorld {
  readonly registry: FakeRegistry;
  readonly remote: RemoteRepository;
  readonly subject: Subject;
  readonly close: () => Promise<void>;
}

/** Opens a registry with an image `team/app:1`; the caller closes it. */
export async function openSignedWorld(referrers: "none" | "whole" = "none"): Promise<SignedWorld> {
  const registry = await FakeRegistry.open({ referrers });
  const client = new RegistryClient(registry.host, {
    transport: new HttpClient({ env: {}, retries: 0 }),
    firstWaitMs: 1,
  });
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: {}, layers: [] }),
  );
  registry.addManifest("team/app", "1", { bytes, mediaType: MEDIA_TYPES.ociManifest });
  const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length };
  return { registry, remote: { client, repository: "team/app" }, subject, close: () => registry.close() };
}

/** A new key without a passphrase. */
export function newKey(): Promise<SigningKey> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return readSigningKey(pem, () => Promise.reject(new Error("asked")));
}

/** A Fulcio and a Rekor of the test, and the root that vouches for them. */
export interface TestSigstore {
  /** Text of a `trusted_root.json`. */
  readonly trustedRoot: string;
  /** PEM of the authority's certificate, and of the log's key: as policies name them. */
  readonly authority: string;
  readonly logKey: string;
  /** A bundle with a DSSE envelope around a statement. */
  readonly signStatement: (payload: Buffer, who: Who) => Promise<Record<string, unknown>>;
  /** Annotations of cosign 1 and 2 around a payload. */
  readonly signPayload: (payload: Buffer, who: Who) => Promise<Readonly<Record<string, string>>>;
  /** Annotations of cosign 1 and 2 around a payload that a key signed and the log knows. */
  readonly logPayload: (payload: Buffer, key: SigningKey) => Promise<Readonly<Record<string, string>>>;
  readonly fulcio: ReturnType<typeof fulcioHandler>;
  readonly rekor: ReturnType<typeof rekorHandler>;
}

/** Who signs. */
export interface Who {
  readonly identity: string;
  readonly issuer: string;
}

interface RekorEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logIndex: number;
  readonly logID: string;
  readonly verification: { readonly signedEntryTimestamp: string };
}

const keyPair = (): ReturnType<typeof generateKeyPairSync> & object =>
  generateKeyPairSync("ec", { namedCurve: "prime256v1" });

/** Starts it; nothing listens, its answers are computed. */
export async function openSigstore(): Promise<TestSigstore> {
  const ctLog = await initializeCTLog(keyPair() as never);
  const ca = await initializeCA(keyPair() as never, ctLog);
  const tlog = await initializeTLog("https://rekor.test", keyPair() as never);
  const fulcio = fulcioHandler(ca);
  const rekor = rekorHandler(tlog);
  const certificate = Buffer.from(ca.rootCertificate.buffer);
  const signer = new KeylessSigner(fulcio, rekor);
  return {
    trustedRoot: JSON.stringify(
      rootOf(certificate, tlog.publicKey, { key: ctLog.publicKey, id: Buffer.from(ctLog.logID.buffer) }),
    ),
    authority: pem("CERTIFICATE", certificate),
    logKey: pem("PUBLIC KEY", tlog.publicKey),
    signStatement: (payload, who) => signer.statement(payload, who),
    signPayload: (payload, who) => signer.payload(payload, who),
    logPayload: (payload, key) => signer.logged(payload, key),
    fulcio,
    rekor,
  };
}

function rootOf(certificate: Buffer, log: Buffer, ct: { readonly key: Buffer; readonly id: Buffer }): object {
  const validFor = { start: "2020-01-01T00:00:00Z" };
  const instance = (key: Buffer, id: Buffer, baseUrl: string): object => ({
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: key.toString("base64"), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor },
    logId: { keyId: id.toString("base64") },
  });
  return {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [instance(log, createHash("sha256").update(log).digest(), "https://rekor.test")],
    certificateAuthorities: [
      {
        subject: { organization: "test", commonName: "test" },
        uri: "https://fulcio.test",
        certChain: { certificates: [{ rawBytes: certificate.toString("base64") }] },
        validFor,
      },
    ],
    ctlogs: [instance(ct.key, ct.id, "https://ct.test")],
    timestampAuthorities: [],
  };
}

function pem(label: string, der: Buffer): string {
  return `-----BEGIN ${label}-----\n${(der.toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n-----END ${label}-----\n`;
}

/** An OpenID token that the test's Fulcio believes. */
export function tokenOf({ identity, issuer }: Who): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ sub: identity, iss: issuer })}.`;
}

class KeylessSigner {
  readonly #fulcio: TestSigstore["fulcio"];
  readonly #rekor: TestSigstore["rekor"];

  constructor(fulcio: TestSigstore["fulcio"], rekor: TestSigstore["rekor"]) {
    this.#fulcio = fulcio;
    this.#rekor = rekor;
  }

  async statement(payload: Buffer, who: Who): Promise<Record<string, unknown>> {
    const payloadType = "application/vnd.in-toto+json";
    const head = Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `);
    const { certificate, signature } = await this.#sign(Buffer.concat([head, payload]), who);
    const envelope = { payload: payload.toString("base64"), payloadType, signatures: [{ sig: signature, keyid: "" }] };
    const proposed = {
      apiVersion: "0.0.1",
      kind: "dsse",
      spec: { proposedContent: { envelope: JSON.stringify(envelope), verifiers: [base64(certificate)] } },
    };
    const entry = await this.#log({ ...proposed, spec: dsseSpec(payload, signature, certificate) });
    return {
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: {
        certificate: { rawBytes: derOf(certificate) },
        tlogEntries: [entryOf(entry, { kind: "dsse", version: "0.0.1" })],
      },
      dsseEnvelope: { ...envelope, signatures: [{ sig: signature }] },
    };
  }

  async payload(payload: Buffer, who: Who): Promise<Readonly<Record<string, string>>> {
    const { certificate, signature } = await this.#sign(payload, who);
    const annotations = await this.#annotations(payload, signature, certificate);
    return { ...annotations, "dev.sigstore.cosign/certificate": certificate };
  }

  logged(payload: Buffer, key: SigningKey): Promise<Readonly<Record<string, string>>> {
    const signature = key.sign(payload).toString("base64");
    return this.#annotations(payload, signature, key.verifier.key.export({ type: "spki", format: "pem" }).toString());
  }

  async #annotations(payload: Buffer, signature: string, verifier: string): Promise<Readonly<Record<string, string>>> {
    const hash = { algorithm: "sha256", value: createHash("sha256").update(payload).digest("hex") };
    const spec = { data: { hash }, signature: { content: signature, publicKey: { content: base64(verifier) } } };
    const { body, integratedTime, logIndex, logID, verification } = await this.#log({
      apiVersion: "0.0.1",
      kind: "hashedrekord",
      spec,
    });
    const bundle = {
      SignedEntryTimestamp: verification.signedEntryTimestamp,
      Payload: { body, integratedTime, logIndex, logID },
    };
    return {
      "dev.cosignproject.cosign/signature": signature,
      "dev.sigstore.cosign/bundle": JSON.stringify(bundle),
    };
  }

  async #sign(bytes: Buffer, who: Who): Promise<{ readonly certificate: string; readonly signature: string }> {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const content = publicKey.export({ type: "spki", format: "pem" }).toString();
    const request = { credentials: { oidcIdentityToken: tokenOf(who) }, publicKeyRequest: { publicKey: { content } } };
    const { response } = await this.#fulcio.fn(JSON.stringify(request));
    const answer = JSON.parse(String(response)) as {
      readonly signedCertificateEmbeddedSct: { readonly chain: { readonly certificates: readonly string[] } };
    };
    const [certificate = ""] = answer.signedCertificateEmbeddedSct.chain.certificates;
    return { certificate, signature: sign("sha256", bytes, privateKey).toString("base64") };
  }

  async #log(entry: object): Promise<RekorEntry> {
    const { response } = await this.#rekor.fn(JSON.stringify(entry));
    const [only] = Object.values(JSON.parse(String(response)) as Record<string, RekorEntry>);
    if (!only) throw new Error(`rekor: ${String(response)}`);
    return only;
  }
}

function dsseSpec(payload: Buffer, signature: string, certificate: string): object {
  const hash = (bytes: Buffer): object => ({
    algorithm: "sha256",
    value: createHash("sha256").update(bytes).digest("hex"),
  });
  return {
    envelopeHash: hash(payload),
    payloadHash: hash(payload),
    signatures: [{ signature, verifier: base64(certificate) }],
  };
}

function entryOf(entry: RekorEntry, kindVersion: object): object {
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: Buffer.from(entry.logID, "hex").toString("base64") },
    kindVersion,
    integratedTime: String(entry.integratedTime),
    inclusionPromise: { signedEntryTimestamp: entry.verification.signedEntryTimestamp },
    ...proofOf(entry),
    canonicalizedBody: entry.body,
  };
}

function proofOf({ verification }: RekorEntry): object {
  const { inclusionProof: proof } = verification as { readonly inclusionProof?: Record<string, unknown> };
  if (!proof) return {};
  const bytes = (hex: unknown): string => Buffer.from(String(hex), "hex").toString("base64");
  return {
    inclusionProof: {
      logIndex: String(proof["logIndex"]),
      rootHash: bytes(proof["rootHash"]),
      treeSize: String(proof["treeSize"]),
      hashes: (proof["hashes"] as readonly string[]).map(bytes),
      checkpoint: { envelope: proof["checkpoint"] },
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function derOf(certificate: string): string {
  return certificate.replaceAll(/-----[A-Z ]+-----|\s/g, "");
}

/** A digest that is of nothing. */
export const OTHER: Digest = digestOf("another image");

/** The services of a sigstore over HTTP, and what they were asked. */
export interface SigstoreServer {
  readonly url: string;
  /** Bodies of requests, by path. */
  readonly asked: readonly {
    readonly path: string;
    readonly authorization: string | undefined;
    readonly body: string;
  }[];
  readonly close: () => Promise<void>;
}

/** Serves Fulcio's and Rekor's API, and GitHub's for tokens at `/token`; a `refuse`d path is answered with 500. */
export async function serveSigstore(
  sigstore: TestSigstore,
  { who, refuse }: { readonly who: Who; readonly refuse?: RegExp },
): Promise<SigstoreServer> {
  const asked: { path: string; authorization: string | undefined; body: string }[] = [];
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.on("end", () => {
      const [path, body] = [message.url ?? "", Buffer.concat(chunks).toString()];
      asked.push({ path, authorization: message.headers.authorization, body });
      void answer(sigstore, { path, body, who, refuse }).then(({ status, text }) => {
        response.writeHead(status, { "content-type": "application/json" }).end(text);
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${port}`, asked, close };
}

interface Question {
  readonly path: string;
  readonly body: string;
  readonly who: Who;
  readonly refuse: RegExp | undefined;
}

async function answer(
  sigstore: TestSigstore,
  { path, body, who, refuse }: Question,
): Promise<{ readonly status: number; readonly text: string }> {
  if (refuse?.test(path)) return { status: 500, text: '{"message":"not today"}' };
  if (path.startsWith("/token")) return { status: 200, text: JSON.stringify({ value: tokenOf(who) }) };
  if (path === sigstore.fulcio.path) {
    const { statusCode, response } = await sigstore.fulcio.fn(body);
    return { status: statusCode, text: String(response) };
  }
  const { statusCode, response } = await sigstore.rekor.fn(JSON.stringify(asLogged(JSON.parse(body) as Proposed)));
  return { status: statusCode, text: String(response) };
}

interface Proposed {
  readonly spec: { readonly proposedContent: { readonly envelope: string; readonly verifiers: readonly string[] } };
}

/** Rekor keeps hashes of what was proposed, and the signatures (rekor, types/dsse). */
function asLogged({ spec: { proposedContent }, ...entry }: Proposed): object {
  const { payload, signatures } = JSON.parse(proposedContent.envelope) as {
    readonly payload: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
  const certificate = Buffer.from(proposedContent.verifiers[0] ?? "", "base64").toString();
  return { ...entry, spec: dsseSpec(Buffer.from(payload, "base64"), signatures[0]?.sig ?? "", certificate) };
}
