// SPDX-License-Identifier: Apache-2.0
/* CUDA in an image itself: `version.json` of the toolkit, and the driver library for older drivers (`cuda-compat`). */
import * as fs from "node:fs";
import { openSource, readNotes } from "../elf/elf-file.ts";
import type { SourceTree } from "../../store/index.ts";
import type { LayerNeeds } from "./types.ts";

const LARGEST = 1 << 20;

/** The toolkit of a `version.json`; none for a file that says nothing. */
export function toolkitOf(tree: SourceTree, path: string): LayerNeeds["toolkits"] {
  const entry = tree.lookup(path);
  if (!entry?.stats.isFile() || entry.stats.size > LARGEST) return [];
  const version = versionIn(parseOrNothing(fs.readFileSync(entry.hostPath, "utf8")));
  return version === undefined ? [] : [{ path, version }];
}

/** `{"cuda": {"name": "CUDA SDK", "version": "12.8.1"}, …}`. */
function versionIn(value: unknown): string | undefined {
  const cuda = member(value, "cuda");
  const version = member(cuda, "version");
  return typeof version === "string" && /^\d+(?:\.\d+)+$/.test(version) ? version : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A driver library for older drivers. Its note says which CUDA it brings and the branches of drivers that it goes with
 * (`{"format":1,"CUDA version":"12.9","driver":[535,550,…]}`); older libraries have none.
 */
export function compatOf(tree: SourceTree, path: string): LayerNeeds["compat"] {
  const entry = tree.lookup(path);
  if (!entry?.stats.isFile()) return [];
  const [, folder] = /\/cuda-(\d+\.\d+)\//.exec(path) ?? [];
  const [, version] = /\.so\.([\d.]+)$/.exec(path) ?? [];
  const note = noteOf(entry.hostPath);
  const told = member(note, "CUDA version");
  const cuda = typeof told === "string" && /^\d+\.\d+$/.test(told) ? told : folder;
  if (cuda === undefined) return [];
  const branches = member(note, "driver");
  const drivers = Array.isArray(branches) ? branches.filter((one) => Number.isSafeInteger(one)) : [];
  return [{ path, facts: { cuda, drivers, ...(version === undefined ? {} : { version }) } }];
}

function noteOf(hostPath: string): unknown {
  const source = openSource(hostPath);
  try {
    const [note] = readNotes(source, ".note.cuda.fwd_compatibility");
    return note && parseOrNothing(note.description.toString("utf8").replace(/\0+$/, ""));
  } finally {
    source.close();
  }
}
