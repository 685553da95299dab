// SPDX-License-Identifier: Apache-2.0
/* One case of the tables of hostile registries: what is done, what is told, and where secrets went. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll } from "vitest";
import { TarWriter } from "../../src/archive/index.ts";
import { digestOf, isTareError } from "../../src/base/index.ts";
import type { Digest } from "../../src/base/index.ts";
import { MEDIA_TYPES } from "../../src/oci/index.ts";
import { RegistryClient } from "../../src/registry/index.ts";
import type { RegistryOptions } from "../../src/registry/types.ts";
import { HostileRegistry, makeHostileCertificate, whyNoHostileRegistry } from "./hostile-registry.ts";
import type { Certificate, HostileOptions, Visit } from "./hostile-registry.ts";

/** How a case ended, for comparing with what it should be. */
export interface Ended {
  /** `ok`, or the code of the error. */
  readonly code: string;
  /** Message and hint. */
  readonly text: string;
}

/** What every case expects. */
export interface Expected {
  readonly code: string;
  readonly text?: RegExp;
  /** Requests at most; default 40: no storm. */
  readonly most?: number;
}

const LOGIN = { kind: "password", username: "ann", password: "secret" } as const;
const BASIC = Buffer.from("ann:secret").toString("base64");

/** A small internet and a client that has a login for its registry. */
interface HostileWorld {
  readonly world: HostileRegistry;
  readonly client: RegistryClient;
}

/** What the tests of a file share. */
export interface HostileTests {
  /** Why they can't run here. */
  readonly reason: string | undefined;
  /** A folder that is removed after them; while they run. */
  readonly folder: () => string;
  readonly open: (
    options: Omit<HostileOptions, "certificate">,
    more?: Partial<RegistryOptions>,
  ) => Promise<HostileWorld>;
}

/** Sets up the tests of a file that calls it at its top. */
export function hostileTests(): HostileTests {
  const reason = whyNoHostileRegistry();
  if (reason !== undefined) console.log(`skipped: hostile registries: ${reason}`);
  let folder = "";
  let certificate: Certificate;
  beforeAll(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "tare-hostile-"));
    if (reason === undefined) certificate = makeHostileCertificate(folder);
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  return {
    reason,
    folder: () => folder,
    open: (options, more) => openHostile({ certificate, ...options }, more),
  };
}

async function openHostile(options: HostileOptions, more: Partial<RegistryOptions> = {}): Promise<HostileWorld> {
  const world = await HostileRegistry.open(options);
  const domain = world.name === "registry-1.docker.io" ? "docker.io" : world.name;
  const credentials: RegistryOptions["credentials"] = async () => LOGIN;
  const limits = { connectMs: 1000, firstWaitMs: 4 };
  return { world, client: new RegistryClient(domain, { transport: world.client(), credentials, ...limits, ...more }) };
}

/** Waits for the end. An error that is not one of ours fails the test. */
export async function endOf(work: Promise<unknown>): Promise<Ended> {
  try {
    await work;
    return { code: "ok", text: "" };
  } catch (error) {
    if (!isTareError(error)) throw error;
    const whole = JSON.stringify([error.message, error.hint, error.details]);
    if (/secret|c2VjcmV0|token-\d/.test(whole) || whole.includes(BASIC))
      throw new Error(`a secret is told: ${whole}`, { cause: error });
    return { code: error.code, text: `${error.message}\n${error.hint ?? ""}` };
  }
}

/**
 * Requests that carried something that their host was not given: the password belongs to the token server and to the
 * registry, tokens to the registry alone, and nothing of it goes in the clear.
 */
export function leaks({ visits, name }: Pick<HostileRegistry, "visits" | "name">): readonly string[] {
  return visits.filter((visit) => isLeak(visit, name)).map(({ line, headers }) => `${line} ${JSON.stringify(headers)}`);
}

function isLeak({ host, isTls, path, headers }: Visit, name: string): boolean {
  const all = `${path}\n${JSON.stringify(headers)}`;
  const hasPassword = all.includes(BASIC) || /secret/.test(all);
  const hasToken = /token-\d/.test(all);
  if (!hasPassword && !hasToken) return false;
  if (!isTls) return true;
  const isToken = host.startsWith("auth.") && path.startsWith("/token");
  return host !== name && (hasToken || !isToken);
}

type Json = Readonly<Record<string, unknown>>;

/** An image as its registry has it, with what is wrong with it. */
export interface ImageLie {
  /** Files of the layer's tar. */
  readonly files?: Readonly<Record<string, string>>;
  /** The layer's tar, instead of files. */
  readonly tar?: Buffer;
  /** What travels, made of the tar. Default gzip. */
  readonly pack?: (tar: Buffer) => Buffer;
  readonly layer?: Json;
  /** Changes the config, or is it. */
  readonly config?: (config: Json) => Json | string;
  /** Members of the config's descriptor. */
  readonly configDescriptor?: Json;
  readonly manifest?: (manifest: Json) => Json | string;
  /** The manifest's `Content-Type`. */
  readonly mediaType?: string;
}

/** What was put there. */
export interface Published {
  readonly manifest: Digest;
  readonly config: Digest;
  readonly layer: Digest;
  readonly layerBytes: Buffer;
  readonly manifestBytes: Buffer;
}

/** Puts an image into a registry as `team/app:1`. */
export async function publish(world: HostileRegistry, lie: ImageLie = {}): Promise<Published> {
  const { honest } = world;
  const tar = lie.tar ?? (await tarOf(lie.files ?? { hello: "hello\n".repeat(2000) }));
  const layerBytes = lie.pack ? lie.pack(tar) : gzipSync(tar);
  const layer = { mediaType: MEDIA_TYPES.ociLayerGzip, digest: digestOf(layerBytes), size: layerBytes.length };
  const plain = {
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
  };
  const configBytes = bytesOf(lie.config ? lie.config(plain) : plain);
  const config = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(configBytes), size: configBytes.length };
  const honestly = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { ...config, ...lie.configDescriptor },
    layers: [{ ...layer, ...lie.layer }],
  };
  const manifestBytes = bytesOf(lie.manifest ? lie.manifest(honestly) : honestly);
  for (const bytes of [layerBytes, configBytes]) honest.addBlob("team/app", bytes);
  const mediaType = lie.mediaType ?? MEDIA_TYPES.ociManifest;
  honest.addManifest("team/app", "1", { bytes: manifestBytes, mediaType });
  return {
    manifest: digestOf(manifestBytes),
    config: config.digest,
    layer: layer.digest,
    layerBytes,
    manifestBytes,
  };
}

function bytesOf(document: Json | string): Buffer {
  return Buffer.from(typeof document === "string" ? document : JSON.stringify(document));
}

/** A tar of files, in the order given. */
export async function tarOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const out: Buffer[] = [];
  const writer = new TarWriter({ write: (chunk) => void out.push(Buffer.from(chunk)) });
  for (const [name, text] of Object.entries(files)) {
    await writer.entry({ type: "file", name, mode: 0o644, mtime: 0, size: Buffer.byteLength(text) });
    await writer.write(Buffer.from(text));
  }
  await writer.finish();
  return Buffer.concat(out);
}
