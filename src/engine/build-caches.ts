// SPDX-License-Identifier: Apache-2.0
/* `build --cache-from` and `--cache-to`: caches are read before a build and written after it. */
import { resolve } from "node:path";
import { TareError, isTareError } from "../base/index.ts";
import type { BuiltSteps, ImportedCaches, RemoteBuild } from "../build/index.ts";
import type { AbsentBlobs, BuildCacheContent, CacheSource, PushOptions, ReadBuildCache } from "../images/index.ts";
import { admitted } from "./admission.ts";
import { withVertex } from "./listener.ts";
import { openRegistry, remoteName } from "./registry-connection.ts";
import type { RemoteName } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";
import { withTransfer } from "./transfer-events.ts";
import type { BuildRequest } from "./types.ts";

type CacheImport = NonNullable<BuildRequest["cacheFrom"]>[number];
type CacheExport = NonNullable<BuildRequest["cacheTo"]>[number];

/** Before anything is built. Throws `E_REF` for a name that is none or is pinned, `E_USAGE` for one of the image. */
export function checkCaches({ cacheFrom = [], cacheTo = [] }: BuildRequest, pushed: readonly string[]): void {
  for (const each of cacheFrom) if (each.type === "registry") remoteName(each.reference);
  const images = new Set(pushed.map((name) => remoteName(name).full));
  for (const each of cacheTo) {
    if (each.type !== "registry") continue;
    const { isPinned, full } = remoteName(each.reference);
    const doing = `writing the build cache \`${each.reference}\``;
    if (isPinned)
      throw new TareError("E_REF", `${doing}: a digest can't be written to`, { hint: "give a tag instead" });
    if (!images.has(full)) continue;
    throw new TareError("E_USAGE", `${doing}: the image is pushed to that tag`, {
      hint: "give the cache a tag or a repository of its own",
    });
  }
}

/** The caches that can be read; those that can't be cost a warning each. Undefined where none is of use. */
export async function importCaches(rooms: Rooms, request: BuildRequest): Promise<ImportedCaches | undefined> {
  const { cacheFrom = [], listener, signal = new AbortController().signal } = request;
  if (cacheFrom.length === 0 || request.noCache) return undefined;
  if (request.lockFacts) {
    warn(request, "`--lock-facts` writes down what is made here: `--cache-from` is not used");
    return undefined;
  }
  const read = await Promise.all(cacheFrom.map((each) => readOne(rooms, request, { each, signal })));
  const caches = read.filter((cache) => cache !== undefined);
  if (caches.length === 0) return undefined;
  const { ImportedCaches: Caches } = await import("../build/index.ts");
  return new Caches(caches, { store: rooms.writer(), signal, ...(listener === undefined ? {} : { listener }) });
}

async function readOne(
  rooms: Rooms,
  request: BuildRequest,
  { each, signal }: { readonly each: CacheImport; readonly signal: AbortSignal },
): Promise<ReadBuildCache | undefined> {
  const label = labelOf(each);
  return withVertex(request, `importing cache manifest from ${label}`, async (log) => {
    try {
      const { readBuildCache } = await import("../images/index.ts");
      const cache = await readBuildCache(await sourceOf(rooms, request, { each, signal }), signal);
      log(cache === undefined ? NONE : `it knows ${cache.size} steps`);
      return cache;
    } catch (error) {
      if (signal.aborted || !isTareError(error)) throw error;
      if (error.code === "E_REGISTRY_NOTFOUND") return void log(NONE);
      warn(request, `${error.message}; the build goes on without it`);
      return undefined;
    }
  });
}

const NONE = "there is none yet";

/** The signature policy decides on a cache at a registry as on an image: its layers come into images. */
async function sourceOf(
  rooms: Rooms,
  request: BuildRequest,
  { each, signal }: { readonly each: CacheImport; readonly signal: AbortSignal },
): Promise<CacheSource> {
  const { folderCache, registryCache } = await import("../images/index.ts");
  if (each.type === "local") {
    const { tag, digest } = each;
    const wanted = { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
    return folderCache(resolve(request.cwd, each.folder), each.folder, wanted);
  }
  const name = remoteName(each.reference);
  const client = await openRegistry(rooms.settings, name.domain, { insecure: each.insecure, ...listenerOf(request) });
  const tag = await admitted(rooms, { client, name, platforms: [], signal });
  return registryCache({ client, repository: name.repository, tag }, each.reference);
}

function listenerOf({ listener }: BuildRequest): Pick<BuildRequest, "listener"> {
  return listener === undefined ? {} : { listener };
}

function labelOf(each: CacheImport | CacheExport): string {
  return each.type === "registry" ? each.reference : each.folder;
}

function warn({ listener }: BuildRequest, message: string): void {
  listener?.({ kind: "warning", rule: "BuildCache", message, at: Date.now() });
}

/** What caches are written from. */
export interface CacheableBuild {
  readonly steps: BuiltSteps;
  readonly imported: ImportedCaches | undefined;
  readonly remote: RemoteBuild | undefined;
}

/**
 * Writes the caches. Throws `E_REGISTRY*`, `E_IO`, but for those with `ignore-error=true`, which cost a warning.
 */
export async function exportCaches(rooms: Rooms, request: BuildRequest, built: CacheableBuild): Promise<void> {
  for (const each of request.cacheTo ?? []) {
    try {
      const content = await built.steps.content(rooms.writer(), each.mode, built.imported);
      if (each.type === "registry") await pushCache(rooms, request, { each, content, built });
      else await writeFolder(rooms, request, { each, content, built });
    } catch (error) {
      if (!each.ignoreError || request.signal?.aborted === true || !isTareError(error)) throw failed(error, each);
      warn(request, `writing the build cache \`${labelOf(each)}\`: ${error.message}`);
    }
  }
}

function failed(error: unknown, each: CacheExport): unknown {
  if (!isTareError(error) || error.code === "E_ABORTED") return error;
  const { code, message, hint, exitCode, details } = error;
  const own = "the image is built; `ignore-error=true` makes this a warning";
  return new TareError(code, `writing the build cache \`${labelOf(each)}\`: ${message}`, {
    hint: hint === undefined ? own : `${hint}; ${own}`,
    exitCode,
    details,
    cause: error,
  });
}

interface CacheWriting<Kind extends CacheExport["type"]> {
  readonly each: Extract<CacheExport, { readonly type: Kind }>;
  readonly content: BuildCacheContent;
  readonly built: CacheableBuild;
}

async function pushCache(
  rooms: Rooms,
  request: BuildRequest,
  { each, content, built }: CacheWriting<"registry">,
): Promise<void> {
  const { pushBuildCache, wheelLayersOf } = await import("../images/index.ts");
  const { domain, repository, tag }: RemoteName = remoteName(each.reference);
  const client = await openRegistry(rooms.settings, domain, { insecure: each.insecure, ...listenerOf(request) });
  const options: PushOptions = {
    wheels: wheelLayersOf(rooms.writer(), () => rooms.wheels()),
    absent: absentOf(built),
    compression: each.compression,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  };
  await withTransfer(request, `exporting cache to registry ${each.reference}`, (listener) =>
    pushBuildCache(rooms.writer(), content, { client, repository, tag }, { ...options, listener }),
  );
}

async function writeFolder(
  rooms: Rooms,
  request: BuildRequest,
  { each, content, built }: CacheWriting<"local">,
): Promise<void> {
  const { wheelLayersOf, writeFolderCache } = await import("../images/index.ts");
  const { tag = "latest", compression } = each;
  const options = {
    tag,
    compression,
    wheels: wheelLayersOf(rooms.writer(), () => rooms.wheels()),
    open: absentOf(built).open,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  };
  await withVertex(request, `exporting cache to folder ${each.folder}`, async (log) => {
    log(await writeFolderCache(rooms.writer(), content, resolve(request.cwd, each.folder), options));
  });
}

/** What the store lacks is read where the image's own push has it from. */
function absentOf({ remote, imported }: CacheableBuild): AbsentBlobs {
  return {
    seen: new Set(),
    sent: async () => undefined,
    open: (blob, signal) => remote?.openFor(blob, signal) ?? imported?.open(blob, signal),
  };
}

/** The same for the push of the image itself. */
export function withCaches(absent: AbsentBlobs, imported: ImportedCaches | undefined): AbsentBlobs {
  if (imported === undefined) return absent;
  return { ...absent, open: (blob, signal) => absent.open(blob, signal) ?? imported.open(blob, signal) };
}
