// SPDX-License-Identifier: Apache-2.0
/*
 * What a COPY or ADD takes: from the sources as written to a list of entries, without touching the destination. The
 * same list makes the cache key and is then copied. Matching follows BuildKit: wildcards by Go's filepath.Match, links
 * in sources followed inside their tree, `--parents` and `--exclude` by the patterns of `.dockerignore`.
 */
import { TareError, suggest } from "../base/index.ts";
import { matchGlob, PatternMatcher } from "../dockerfile/index.ts";
import { resolveInTree } from "../store/index.ts";
import type { CopyOp } from "../graph/index.ts";
import type { SourceTree, TreeEntry } from "../store/index.ts";

/** One entry below (or at) a matched source. */
export interface PlannedEntry {
  readonly entry: TreeEntry;
  /** Path below the match; `""` for the match itself. */
  readonly relative: string;
  /** False for a directory that is only made when something inside it is copied. */
  readonly included: boolean;
}

/** One file or directory that a source resolved to. */
export interface CopyMatch {
  readonly tree: SourceTree;
  /** The step's input that it comes from. */
  readonly from: number;
  /** A recognised archive is unpacked. */
  readonly unpack: boolean;
  /** Last name of the source as matched, before links were followed: the file name at a directory destination. */
  readonly name: string;
  readonly isDirectory: boolean;
  /** Parents before children. */
  readonly entries: readonly PlannedEntry[];
}

/** A file written in the Dockerfile. */
export interface InlineMatch {
  readonly name: string;
  readonly content: string;
}

/** Sources in the order in which they are applied. */
export type CopyPlan = readonly (CopyMatch | InlineMatch)[];

/** True for a heredoc source. */
export function isInline(match: CopyMatch | InlineMatch): match is InlineMatch {
  return "content" in match;
}

/** Resolves a step's sources. `trees` are the step's inputs by number. Throws `E_COPY_NOTFOUND`. */
export function planCopy(op: CopyOp, trees: readonly (SourceTree | undefined)[]): CopyPlan {
  return op.sources.flatMap((source): CopyPlan => {
    if ("inline" in source) return [{ name: source.inline.fileName, content: source.inline.content }];
    const tree = trees[source.from];
    if (!tree) throw new Error(`copy step has no tree for input ${source.from}`);
    const origin = { tree, from: source.from, unpack: source.unpack ?? false };
    return source.paths.flatMap((path) => planPath(op, origin, path));
  });
}

type Origin = Pick<CopyMatch, "tree" | "from" | "unpack">;

function planPath(op: CopyOp, origin: Origin, path: string): readonly CopyMatch[] {
  const { tree } = origin;
  const { root, includes } = op.parents ? splitPivot(path) : { root: path, includes: undefined };
  const walker = new Walker(origin, includes, op.exclude);
  const matches = resolveWildcards(tree, root).map((match) => walker.plan(match));
  const isPlain = !hasWildcards(path);
  if (isPlain && includes && !matches.some(takesSomething)) throw notFound(path, tree);
  return matches;
}

/** True when a pattern matched something below the match itself, which is always there. */
function takesSomething(match: CopyMatch): boolean {
  return match.entries.some((entry) => entry.included && entry.relative !== "");
}

/** `--parents`: what stands before `/./` is where the kept path begins. */
function splitPivot(path: string): { readonly root: string; readonly includes: readonly string[] } {
  const at = path.indexOf("/./");
  const pattern = cleanPath(at < 0 ? path : path.slice(at + 3));
  return { root: at < 0 ? "" : path.slice(0, at), includes: [pattern] };
}

/** A clean path without leading slash; `..` stops at the root. */
export function cleanPath(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names.join("/");
}

/** True when a path has an unescaped `*`, `?` or `[`. */
export function hasWildcards(path: string): boolean {
  return /(?:^|[^\\])(?:\\\\)*[*?[]/.test(path);
}

/** Clean paths in the tree that a source stands for. Throws `E_COPY_NOTFOUND` for a plain name that is absent. */
function resolveWildcards(tree: SourceTree, source: string): readonly string[] {
  const names = cleanPath(source).split("/");
  const first = names.findIndex((name) => hasWildcards(name));
  if (first < 0) {
    const plain = names.join("/");
    if (tree.lookup(resolveInTree(tree, plain))) return [plain];
    throw notFound(source, tree);
  }
  const start = resolveInTree(tree, names.slice(0, first).join("/"));
  return globWalk(tree, start, names.slice(first));
}

/** Matches the remaining patterns level by level; a wildcard never crosses a slash. */
function globWalk(tree: SourceTree, directory: string, patterns: readonly string[]): string[] {
  const [pattern, ...rest] = patterns;
  if (pattern === undefined) return [directory];
  const found = tree.list(directory).filter((entry) => matchGlob(pattern, baseName(entry.path)));
  if (rest.length === 0) return found.map((entry) => entry.path);
  return found.filter((entry) => entry.stats.isDirectory()).flatMap((entry) => globWalk(tree, entry.path, rest));
}

/** The last name of a clean path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function notFound(path: string, tree: SourceTree): TareError {
  const shown = path.startsWith("/") ? path : `/${path}`;
  return new TareError("E_COPY_NOTFOUND", `copying \`${path}\`: "${shown}": not found`, {
    hint: missingHint(path, tree),
  });
}

function missingHint(path: string, tree: SourceTree): string {
  if (/^\/?\.\.(?:\/|$)/.test(path)) {
    return "paths count from the build context's folder and can't leave it: build from the folder above, or add `--build-context`";
  }
  const clean = cleanPath(path);
  if (tree.hides?.(clean))
    return "a pattern in .dockerignore leaves it out; a line that starts with `!` takes it in again";
  const slash = clean.lastIndexOf("/");
  const names = tree.list(slash < 0 ? "" : clean.slice(0, slash)).map((entry) => entry.path);
  const near = suggest(clean, names);
  return near
    ? `did you mean \`${near}\`?`
    : "look at its spelling, the build context's folder and the patterns in .dockerignore";
}

/** Lists what is below a match under include and exclude patterns. */
class Walker {
  readonly #origin: Origin;
  readonly #tree: SourceTree;
  readonly #include: PatternMatcher | undefined;
  readonly #exclude: PatternMatcher | undefined;

  constructor(origin: Origin, include: readonly string[] | undefined, exclude: readonly string[] | undefined) {
    this.#origin = origin;
    this.#tree = origin.tree;
    this.#include = include ? new PatternMatcher(include) : undefined;
    this.#exclude = exclude?.length ? new PatternMatcher(exclude) : undefined;
  }

  plan(match: string): CopyMatch {
    const root = this.#tree.lookup(resolveInTree(this.#tree, match));
    if (!root) throw notFound(match, this.#tree);
    const entries: PlannedEntry[] = [];
    this.#walk({ entry: root, relative: "", included: true }, entries);
    return { ...this.#origin, name: baseName(match), isDirectory: root.stats.isDirectory(), entries };
  }

  #walk(planned: PlannedEntry, into: PlannedEntry[]): void {
    into.push(planned);
    if (!planned.entry.stats.isDirectory()) return;
    for (const child of this.#tree.list(planned.entry.path)) {
      const name = baseName(child.path);
      const relative = planned.relative === "" ? name : `${planned.relative}/${name}`;
      const excluded = this.#exclude?.matchesOrParentMatches(relative) ?? false;
      const included = !excluded && (this.#include?.matchesOrParentMatches(relative) ?? true);
      if (!child.stats.isDirectory() && !included) continue;
      if (excluded && !this.#exclude?.hasExclusions) continue;
      this.#walk({ entry: child, relative, included }, into);
    }
  }
}
