// SPDX-License-Identifier: Apache-2.0
/* `cp`: a tar goes from one side to the other, read and written below open directories only. */
import * as fs from "node:fs";
import { TareError, linux } from "../base/index.ts";
import type { ByteSink, Owner } from "../base/index.ts";
import type { ExtractOptions } from "../archive/index.ts";
import { withContainerRoot } from "./container-root.ts";
import type { ContainersContext } from "./context.ts";
import { copyPath, planCopy, refused } from "./copy-plan.ts";
import type { DestinationFacts, SourceFacts } from "./copy-plan.ts";
import { asksDirectory, lookUpPlace } from "./copy-place.ts";
import type { CopyPlace } from "./copy-place.ts";
import { imageTree } from "./image-tree.ts";
import { userOf } from "./launch-spec.ts";
import type { ContainerRecord } from "./types.ts";

/** What both directions take. */
interface CopyFiles {
  /** Name or id. */
  readonly container: string;
  /** In the container; counts from its root. */
  readonly path: string;
  /** `-L`: follow a link that is the source. */
  readonly followLink: boolean;
  /** `-a`: owners are kept; files copied in belong to the container's user where it has one. */
  readonly archive: boolean;
  /** Told how many bytes went over. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** `cp CONTAINER:PATH LOCAL|-`. */
export interface CopyOut extends CopyFiles {
  /** Absolute, or with its end as written; a sink gets the tar. */
  readonly to: string | ByteSink;
  /** Where relative local paths count from. */
  readonly cwd: string;
}

/** `cp LOCAL|- CONTAINER:PATH`. */
export interface CopyIn extends CopyFiles {
  /** A local path, or a tar, compressed or not. */
  readonly from: string | AsyncIterable<Uint8Array>;
  readonly cwd: string;
}

/** Copies files out of a container. Bytes of the tar. Throws `E_COPY`, `E_CONTAINER_NOTFOUND`, `E_IO`. */
export async function copyFromContainer(context: ContainersContext, request: CopyOut): Promise<number> {
  return await withContainerRoot(context, { text: request.container, access: "read" }, async ({ descriptor: root }) => {
    const shown = `${request.container}:${request.path}`;
    return await withSource(
      { root, path: byteName(copyPath(request.path, "/")), shown, follow: request.followLink },
      async (source) => {
        await refuseKernelFiles(source.place, shown);
        if (typeof request.to !== "string") return await pack(source, source.base, request.to, request);
        return await toLocal(source, { ...request, to: request.to });
      },
    );
  });
}

/** Copies files into a container. Bytes of the tar. Throws as `copyFromContainer`. */
export async function copyToContainer(context: ContainersContext, request: CopyIn): Promise<number> {
  return await withContainerRoot(
    context,
    { text: request.container, access: "write" },
    async ({ descriptor: root }, record) => {
      const shown = `${request.container}:${request.path}`;
      const place = lookUpPlace(root, byteName(copyPath(request.path, "/")), { follow: true, shown });
      try {
        await refuseKernelFiles(place, shown);
        const owner = request.archive ? containerUser(context, record) : undefined;
        const destination = { root, place, shown, asserts: asksDirectory(request.path), ...(owner ? { owner } : {}) };
        return await intoContainer(destination, request).catch((error: unknown) =>
          Promise.reject(explained(error, shown)),
        );
      } finally {
        place.close();
      }
    },
  );
}

interface Destination {
  readonly root: number;
  readonly place: CopyPlace;
  readonly shown: string;
  readonly asserts: boolean;
  readonly owner?: Owner;
}

async function intoContainer(destination: Destination, request: CopyIn): Promise<number> {
  const { place, shown, asserts, root, owner } = destination;
  const rename = (path: string): string | undefined => {
    if (path === "") return undefined;
    return place.path === "" ? path : `${place.path}/${path}`;
  };
  const options = { ...EXTRACT, rename, ...(owner ? { owner } : {}), ...signalOf(request) };
  if (typeof request.from !== "string") {
    if (place.name !== undefined) throw refused(`the destination \`${shown}\` must be a directory`);
    return await unpackStream(root, request.from, options);
  }
  const host = fs.openSync("/", fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    const path = byteName(copyPath(request.from, request.cwd));
    return await withSource({ root: host, path, shown: request.from, follow: request.followLink }, async (source) => {
      const plan = planCopy(source, { ...destinationFacts(place, shown), assertsDirectory: asserts });
      return await transfer(source, plan.base, request, { target: root, ...options });
    });
  } finally {
    fs.closeSync(host);
  }
}

async function toLocal(source: Source, request: CopyOut & { readonly to: string }): Promise<number> {
  const host = fs.openSync("/", fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    const place = lookUpPlace(host, byteName(copyPath(request.to, request.cwd)), { follow: true, shown: request.to });
    try {
      const facts = { ...destinationFacts(place, request.to), assertsDirectory: asksDirectory(request.to) };
      const plan = planCopy(source, facts);
      const owner =
        request.archive && process.geteuid?.() === 0
          ? {}
          : { owner: { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 } };
      const options = { ...EXTRACT, ...owner, ...signalOf(request), rename: notTheTop };
      return await transfer(source, plan.base, request, { target: place.directory, ...options });
    } finally {
      place.close();
    }
  } finally {
    fs.closeSync(host);
  }
}

const EXTRACT = { mode: "plain", keepKinds: true, digest: false } as const;

/** The look of a directory that is there already stays. */
function notTheTop(path: string): string | undefined {
  return path === "" ? undefined : path;
}

function signalOf({ signal }: CopyFiles): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function destinationFacts(place: CopyPlace, shown: string): Omit<DestinationFacts, "assertsDirectory"> {
  if (place.name === undefined) return { shown, base: "", kind: "directory" };
  if (place.stats === undefined) return { shown, base: place.name, kind: "absent" };
  if (!place.stats.isFile()) throw refused(`the destination \`${shown}\` must be a directory or a regular file`);
  return { shown, base: place.name, kind: "other" };
}

interface Source extends SourceFacts {
  readonly place: CopyPlace;
  /** The root itself: what the kernel and the runtime put there is no content of it. */
  readonly isRoot: boolean;
}

interface Asked {
  readonly root: number;
  readonly path: string;
  readonly shown: string;
  readonly follow: boolean;
}

/** A link that is followed keeps its own name. */
async function withSource<T>({ root, path, shown, follow }: Asked, use: (source: Source) => Promise<T>): Promise<T> {
  const place = lookUpPlace(root, path, { follow, shown });
  try {
    if (place.stats === undefined) throw refused(`\`${shown}\`: no such file or directory`);
    const isDirectory = place.name === undefined;
    if (!isDirectory && asksDirectory(path)) throw refused(`\`${shown}\` is not a directory`);
    const base = path.endsWith("/.") || path === "/" ? "." : (/([^/]+)\/*$/.exec(path)?.[1] ?? ".");
    return await use({ place, isDirectory, base, isRoot: isDirectory && place.path === "" });
  } finally {
    place.close();
  }
}

async function pack(source: Source, base: string, sink: ByteSink, request: CopyFiles): Promise<number> {
  const { packConfined } = await import("../archive/index.ts");
  const { directory, name } = source.place;
  const { onProgress } = request;
  return await packConfined({ directory, ...(name === undefined ? {} : { name }), base }, sink, {
    ...(source.isRoot ? { emptied: new Set([base === "." ? "./dev" : `${base}/dev`]) } : {}),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...signalOf(request),
  });
}

async function transfer(
  source: Source,
  base: string,
  request: CopyFiles,
  { target, ...options }: ExtractOptions & { readonly target: number },
): Promise<number> {
  const { extractLayer } = await import("../archive/index.ts");
  const { handOver } = await import("../images/index.ts");
  let size = 0;
  const tar = handOver(async (sink) => {
    size = await pack(source, base, sink, request);
  });
  await extractLayer(tar, `/proc/self/fd/${target}`, options);
  return size;
}

async function unpackStream(root: number, input: AsyncIterable<Uint8Array>, options: ExtractOptions): Promise<number> {
  const { decompress, extractLayer } = await import("../archive/index.ts");
  return (await extractLayer(decompress(input), `/proc/self/fd/${root}`, options)).size;
}

/** As names are written in archives: one latin1 character per byte. */
function byteName(name: string): string {
  return Buffer.from(name, "utf8").toString("latin1");
}

async function refuseKernelFiles({ directory }: CopyPlace, shown: string): Promise<void> {
  const { isKernelDirectory } = await import("../archive/index.ts");
  if (!isKernelDirectory(directory)) return;
  throw new TareError("E_COPY", `copying \`${shown}\`: it is made by the kernel, and no file`, {
    hint: "`tare exec` reads it in the container",
  });
}

function containerUser(context: ContainersContext, record: ContainerRecord): Owner | undefined {
  return record.config.User === "" ? undefined : userOf(record, imageTree(context, record));
}

/** What a mount that can't be written to says. */
function explained(error: unknown, shown: string): unknown {
  const cause = error instanceof TareError ? (error.cause ?? error) : error;
  const isReadOnly = [error, cause].some(
    (each) => linux.errnoNameOf(each) === "EROFS" || (each instanceof Error && "code" in each && each.code === "EROFS"),
  );
  if (!isReadOnly) return error;
  return new TareError("E_COPY", `copying to \`${shown}\`: the container's files are read-only there`, {
    hint: "the container has `--read-only`, or a mount has `:ro`",
    cause: error,
  });
}
