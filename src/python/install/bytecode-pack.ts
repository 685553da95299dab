// SPDX-License-Identifier: Apache-2.0
/*
 * Compiled modules are made once for a wheel and an interpreter and kept as a pack: a zip of `.pyc` files by their
 * paths in the image, a blob of the store. A layer is its wheels and their packs.
 */
import * as fs from "node:fs";
import { openZip } from "../../archive/index.ts";
import { TareError, digestOfValue, isDigest } from "../../base/index.ts";
import { planOf } from "./layer-files.ts";
import type { Digest } from "../../base/index.ts";
import type { Store } from "../../store/index.ts";
import type { Bytecode } from "../types.ts";
import type { InstallSettings, WheelToInstall } from "./layer-files.ts";

/** What the compiler is asked to do for one wheel; paths as the compiler sees them. */
export interface CompileJob {
  readonly wheel: string;
  readonly out: string;
  /** By module name: the path in the image (no leading slash) and the entry of the wheel. */
  readonly modules: Readonly<Record<string, readonly [path: string, entry: string]>>;
}

/** What decides the bytes of a pack. */
export interface PackRequest {
  readonly wheel: Digest;
  readonly settings: InstallSettings;
  readonly policy: Exclude<Bytecode, "none">;
  /** `image`, or the version of an interpreter of this host. */
  readonly compiler: string;
}

/** A pack in the store. */
export interface BytecodePack {
  readonly digest: Digest;
  readonly size: number;
}

/** A pack and what it was made for. */
export interface KeyedPack extends BytecodePack {
  readonly key: Digest;
}

/** Documents of packs by key. */
const PACKS = "bytecode-pack";
/** Changes when the compiler script gives other bytes. */
const VERSION = 1;

/** Identifies a pack. */
export function packKey({ wheel, settings, policy, compiler }: PackRequest): Digest {
  const { scheme, python, slim } = settings;
  return digestOfValue({ pack: VERSION, wheel, policy, compiler, python, slim, libraries: librariesOf({ scheme }) });
}

/** The pack of a key, when the store has it. */
export function findPack(store: Store, key: Digest): BytecodePack | undefined {
  const pack = store.documents<BytecodePack>(PACKS).get(key);
  return pack && store.blobs.has(pack.digest) ? pack : undefined;
}

/** Brings a pack that the compiler wrote into the store. */
export async function storePack(store: Store, key: Digest, path: string): Promise<BytecodePack> {
  const { digest, size } = await store.blobs.write(fs.createReadStream(path, { highWaterMark: 1 << 18 }), {});
  store.documents<BytecodePack>(PACKS).put(key, { digest, size });
  return { digest, size };
}

/** The packs of the store among these, by key. */
export function packsAmong(store: Store, wanted: ReadonlySet<Digest>): readonly KeyedPack[] {
  const entries = store.documents<BytecodePack>(PACKS).entries();
  return entries.flatMap(([key, { digest, size }]) =>
    isDigest(key) && wanted.has(digest) && store.blobs.has(digest) ? [{ key, digest, size }] : [],
  );
}

/**
 * Takes a pack that was made elsewhere: true when the key had none. What it may hold is looked at when it is installed.
 * Throws `E_DIGEST_MISMATCH`, and `E_BYTECODE` for what is no pack.
 */
export async function takePack(
  store: Store,
  { key, digest, size }: KeyedPack,
  content: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  if (findPack(store, key)) return false;
  await store.blobs.write(content, { digest, size });
  requirePack(store.blobs.path(digest), digest);
  store.documents<BytecodePack>(PACKS).put(key, { digest, size });
  return true;
}

/** Throws `E_BYTECODE`, `E_ZIP…`. */
function requirePack(path: string, digest: Digest): void {
  const zip = openZip(path);
  try {
    const other = zip.entries.find(({ name }) => !/^(?:[^/]+\/)*__pycache__\/[^/]+\.pyc$/.test(name));
    if (!other) return;
    throw new TareError("E_BYTECODE", `taking the compiled modules \`${digest}\`: \`${other.name}\` is in them`, {
      hint: "the bundle is forged",
    });
  } finally {
    zip.close();
  }
}

/** The modules of a wheel under these settings. Throws as `planInstall`. */
export function compileJob(
  wheel: WheelToInstall,
  settings: InstallSettings,
  places: Pick<CompileJob, "wheel" | "out">,
): CompileJob {
  const zip = openZip(wheel.file);
  try {
    const modules: Record<string, readonly [string, string]> = {};
    for (const { path, entry } of planOf(zip, wheel, settings).files) {
      const name = entry && moduleName(path, settings);
      if (entry && name !== undefined) modules[name] = [path, entry.rawName.toString("utf8")];
    }
    return { ...places, modules };
  } finally {
    zip.close();
  }
}

const MODULE = /^[\p{ID_Start}_][\p{ID_Continue}]*(?:\/[\p{ID_Start}_][\p{ID_Continue}]*)*\.py$/u;

/** `demo.used` for a file of a library folder that can be imported by a name. */
function moduleName(path: string, settings: InstallSettings): string | undefined {
  const library = librariesOf(settings).find((folder) => path.startsWith(`${folder}/`));
  const relative = library === undefined ? "" : path.slice(library.length + 1);
  if (!MODULE.test(relative)) return undefined;
  return relative.replace(/(?:\/__init__)?\.py$/, "").replaceAll("/", ".");
}

function librariesOf({ scheme }: Pick<InstallSettings, "scheme">): readonly string[] {
  return [...new Set([scheme.purelib, scheme.platlib])].map((folder) => folder.replaceAll(/^\/+|\/+$/g, ""));
}
