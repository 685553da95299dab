// SPDX-License-Identifier: Apache-2.0
/* `--build-context name=value`: a folder, an image, an OCI layout, a repository, a URL, or another stage. */
import { resolve } from "node:path";
import { TareError, digestOf, hexOf, isTareError } from "../base/index.ts";
import { parseGitReference } from "../dockerfile/index.ts";
import { loadImages } from "../images/index.ts";
import { hostPlatform } from "../oci/index.ts";
import { openFetchedFolder, openNamedFolder } from "./context.ts";
import { contextKey, readImage } from "./resolver.ts";
import type { Platform } from "../oci/index.ts";
import type { LocalSource } from "../solver/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type { NamedContext, ResolvedImage } from "./types.ts";

/** What named contexts are opened with. */
export interface NamedContextPlace {
  readonly store: Store;
  readonly cwd: string;
  readonly scratch: string;
  readonly signal: AbortSignal;
  /** Receives the folders. */
  readonly locals: Map<string, LocalSource>;
  readonly platform: Platform;
  /** The image of a name. */
  readonly resolve: (reference: string) => Promise<ResolvedImage>;
}

/** Opens all named contexts, by their names. Throws `E_CONTEXT`, `E_IMAGE_NOTFOUND`, `E_LAYOUT`, `E_GIT`, `E_HTTP`. */
export async function openNamedContexts(
  contexts: Readonly<Record<string, string>>,
  place: NamedContextPlace,
): Promise<ReadonlyMap<string, NamedContext>> {
  const opened = new Map<string, NamedContext>();
  for (const [name, value] of Object.entries(contexts)) {
    const context = await openOne(name, value, place);
    opened.set(name, context).set(contextKey(name), context);
  }
  return opened;
}

async function openOne(name: string, value: string, place: NamedContextPlace): Promise<NamedContext> {
  if (value.startsWith("target:")) return { kind: "stage", target: value.slice("target:".length) };
  if (value.startsWith("docker-image://")) return fromStore(name, value.slice("docker-image://".length), place);
  if (value.startsWith("oci-layout://")) return fromLayout(name, value.slice("oci-layout://".length), place);
  const isRemote =
    /^https?:\/\//.test(value) || (parseGitReference(value)?.isIndistinguishableFromLocal ?? true) === false;
  const source = isRemote ? await fetched(name, value, place) : openNamedFolder(place.cwd, value);
  place.locals.set(`named:${name}`, source);
  return { kind: "local", name: `named:${name}` };
}

async function fromStore(name: string, reference: string, place: NamedContextPlace): Promise<NamedContext> {
  try {
    return { kind: "image", image: await place.resolve(reference) };
  } catch (error) {
    if (!isTareError(error, "E_IMAGE_NOTFOUND")) throw error;
    throw new TareError(error.code, `build context \`${name}\`: ${error.message}`, {
      hint: error.hint ?? "`tare images` lists what is here",
      cause: error,
    });
  }
}

/** `PATH[:TAG][@DIGEST]` of an OCI layout folder; its image comes into the store without getting a name there. */
async function fromLayout(name: string, text: string, place: NamedContextPlace): Promise<NamedContext> {
  const [path = "", digest] = text.split("@");
  const folder = resolve(place.cwd, path.replace(/:[^/:]*$/, ""));
  const records = await loadImages(place.store, folder, {
    host: hostPlatform(process.arch),
    platforms: [place.platform],
    withoutNames: true,
    signal: place.signal,
  });
  const record = digest === undefined ? only(records) : records.find(({ target }) => target === digest);
  if (record) return { kind: "image", image: readImage(place.store, record, text, place.platform) };
  throw new TareError("E_IMAGE_NOTFOUND", `build context \`${name}\`: no such image in the OCI layout \`${folder}\``, {
    hint: `write \`oci-layout://${path}@DIGEST\`; it holds ${records.map(({ target }) => target).join(", ")}`,
  });
}

function only(records: readonly ImageRecord[]): ImageRecord | undefined {
  return records.length === 1 ? records[0] : undefined;
}

function fetched(name: string, value: string, place: NamedContextPlace): Promise<LocalSource> {
  const folder = `${place.scratch}/named-${hexOf(digestOf(name)).slice(0, 12)}`;
  return openFetchedFolder({ cwd: place.cwd, context: value, scratch: folder, signal: place.signal });
}
