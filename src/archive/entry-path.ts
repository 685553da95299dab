// SPDX-License-Identifier: Apache-2.0
/* What an entry's name means inside the extraction root. All names here are byte strings. */
import { TareError } from "../base/index.ts";
import { displayName } from "./tar-entry.ts";

/**
 * A name relative to the root without `.`, `..` and empty parts; "" is the root itself. A leading slash means the
 * root. Throws `E_TAR_ESCAPE` when `..` leads above it.
 */
export function cleanPath(name: string): string {
  if (!NEEDS_CLEANING.test(name)) return name;
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) {
      throw new TareError("E_TAR_ESCAPE", `extracting \`${displayName(name)}\`: the path leads out of the root`);
    }
  }
  return parts.join("/");
}

const NEEDS_CLEANING = /^\/|\/\/|\/$|(?:^|\/)\.\.?(?:\/|$)/;

/** The part before the last slash, "" when there is none. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

/** The part after the last slash. */
export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `parent/name`, without the slash below the root. */
export function joinPath(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}

/** What a cleaned path says in a layer (OCI image specification, layer.md, "Whiteouts"). */
export type LayerName =
  | { readonly kind: "entry" }
  | { readonly kind: "whiteout"; readonly target: string }
  | { readonly kind: "opaque" }
  | { readonly kind: "ignored" };

const ENTRY: LayerName = { kind: "entry" };
const OLD_AUFS = /^\.wh\.\.wh\.(?:aufs|orph|plnk)(?:\/|$)/;

/** Classifies a cleaned path. Throws `E_WHITEOUT` for a mark that names nothing or has something below it. */
export function layerName(path: string): LayerName {
  if (!path.includes(".wh.")) return ENTRY;
  if (OLD_AUFS.test(path)) return { kind: "ignored" };
  if (/(?:^|\/)\.wh\.[^/]*\//.test(path)) throw badWhiteout(path, "a whiteout is no directory");
  const base = baseOf(path);
  if (!base.startsWith(".wh.")) return ENTRY;
  if (base === ".wh..wh..opq") return { kind: "opaque" };
  const target = base.slice(4);
  if (target === "" || target === "." || target === "..") throw badWhiteout(path, "it names nothing");
  if (target.startsWith(".wh.")) throw badWhiteout(path, "it deletes a whiteout");
  return { kind: "whiteout", target };
}

/** The error for a malformed whiteout. */
export function badWhiteout(path: string, why: string): TareError {
  return new TareError("E_WHITEOUT", `extracting whiteout \`${displayName(path)}\`: ${why}`);
}
