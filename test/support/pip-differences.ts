// SPDX-License-Identifier: Apache-2.0
/*
 * The only ways in which what Tare installs may differ from what pip installs. Each stands, under its name, in the
 * table "Python distributions installed by Tare" of docs/differences.md; what a row here does not accept is a bug.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { parseRecord } from "../../src/python/index.ts";
import type { SourceTree } from "../../src/store/index.ts";
import { readTree } from "./tree.ts";
import type { TreeFact, TreeFacts } from "./tree.ts";

/** A file on both sides; undefined where it is not. */
export interface FilePair {
  readonly path: string;
  readonly theirs: Buffer | undefined;
  readonly ours: Buffer | undefined;
}

/** A kind of file that may differ. */
interface Difference {
  /** The first cell of its row in the document. */
  readonly name: string;
  readonly path: RegExp;
  readonly accepts: (pair: FilePair) => boolean;
}

/** The permitted differences. */
export const DIFFERENCES: readonly Difference[] = [
  {
    name: "`INSTALLER`",
    path: /\.dist-info\/INSTALLER$/,
    accepts: ({ theirs, ours }) => String(theirs) === "pip\n" && String(ours) === "tare\n",
  },
  {
    name: "`RECORD`",
    path: /\.dist-info\/RECORD$/,
    accepts: ({ theirs, ours }) => recordRows(theirs) === recordRows(ours),
  },
  {
    name: "`direct_url.json`",
    path: /\.dist-info\/direct_url\.json$/,
    accepts: ({ theirs, ours }) => withoutHash(theirs) === withoutHash(ours) && !String(theirs).includes("hash"),
  },
  {
    name: "`__pycache__/*.pyc`",
    path: /\/__pycache__(?:\/[^/]+\.pyc)?$/,
    accepts: ({ ours, path }) => !path.endsWith(".pyc") || ours === undefined || isHashBased(ours),
  },
  { name: "`/root/.cache/pip`", path: /^root\/\.cache(?:\/pip(?:\/.*)?)?$/, accepts: ({ ours }) => ours === undefined },
  {
    name: "programs of entry points",
    path: /\/bin\/[^/]+$/,
    accepts: ({ theirs, ours }) => programWords(theirs) === programWords(ours) && !String(theirs).includes("import re"),
  },
];

/** A program without what only newer pip writes otherwise. */
function programWords(bytes: Buffer | undefined): string {
  const lines = String(bytes).split("\n");
  return lines.filter((line) => !/^(?:# -\*- coding|import re$| {4}sys\.argv\[0\] = )/.test(line)).join("\n");
}

/** All rows but those of files that differ themselves; of a program only that it is there. */
function recordRows(bytes: Buffer | undefined): string {
  const rows = (parseRecord(String(bytes)) ?? []).map((row) =>
    /\/bin\/[^/]+$/.test(row.path) ? { path: row.path } : row,
  );
  const kept = rows.filter(
    ({ path }) => !/\/(?:INSTALLER|direct_url\.json)$|(?:^|\/)__pycache__\/[^/]+\.pyc$/.test(path),
  );
  return JSON.stringify(kept);
}

function withoutHash(bytes: Buffer | undefined): string {
  return String(bytes).replace(/"archive_info": \{.*\}, "url"/, '"archive_info": {}, "url"');
}

/** PEP 552: the second word of the header says how a `.pyc` is checked; 1 is by hash, unchecked. */
function isHashBased(bytes: Buffer): boolean {
  return bytes.readUInt32LE(4) === 1;
}

/** A comparison of two trees. */
export interface Comparison {
  /** Differences that nothing permits. */
  readonly unexplained: readonly string[];
  /** Names of the permitted ones that were met. */
  readonly met: ReadonlySet<string>;
  /** Files that were compared. */
  readonly files: number;
}

/** Compares names, types, modes, owners, content and link targets below a path. `memo` is for files of layers. */
export function compareWithPip(
  theirs: SourceTree,
  ours: SourceTree,
  { below = "", memo = new Map() }: { readonly below?: string; readonly memo?: Map<string, TreeFact> } = {},
): Comparison {
  const left = readTree(theirs, memo, below);
  const right = readTree(ours, memo, below);
  const unexplained: string[] = [];
  const met = new Set<string>();
  for (const path of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const line = lineOf(path, left, right);
    if (line === undefined) continue;
    const permitted = isPlain(left.get(path), right.get(path)) ? permits(path, theirs, ours) : undefined;
    if (permitted === undefined) unexplained.push(line);
    else met.add(permitted);
  }
  return { unexplained, met, files: [...right.values()].filter(({ t }) => t === "f").length };
}

function lineOf(path: string, left: TreeFacts, right: TreeFacts): string | undefined {
  const [a, b] = [JSON.stringify(left.get(path)), JSON.stringify(right.get(path))];
  return a === b ? undefined : `${path}: pip ${a ?? "nothing"}, Tare ${b ?? "nothing"}`;
}

/** Only content may differ: a file on either side, with the same mode and owner where there are two. */
function isPlain(a: TreeFact | undefined, b: TreeFact | undefined): boolean {
  if (!a || !b) return true;
  return a.t === b.t && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

function permits(path: string, theirs: SourceTree, ours: SourceTree): string | undefined {
  const pair = { path, theirs: bytesIn(theirs, path), ours: bytesIn(ours, path) };
  return DIFFERENCES.find((row) => row.path.test(path) && row.accepts(pair))?.name;
}

function bytesIn(tree: SourceTree, path: string): Buffer | undefined {
  const entry = tree.lookup(path);
  if (!entry) return undefined;
  return entry.stats.isFile() ? fs.readFileSync(entry.hostPath) : Buffer.alloc(0);
}

/** First cells of the section's first table in docs/differences.md; the one after it is of wheels that are refused. */
export function documentedDifferences(): readonly string[] {
  const text = fs.readFileSync(join(import.meta.dirname, "../../docs/differences.md"), "utf8");
  const [, section = ""] = text.split("## Python distributions installed by Tare");
  const [table = ""] = /^\|(?:.*\n\|)*.*/m.exec(section) ?? [];
  const rows = table.split("\n");
  return rows.flatMap((row) => /^\| ([^|]+?) \|/.exec(row)?.[1] ?? []).slice(1);
}
