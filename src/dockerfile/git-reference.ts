// SPDX-License-Identifier: Apache-2.0
import { problem } from "./problem.ts";
import { cleanPath, cut, parseBoolean, quoted } from "./text.ts";

/** A Git repository as a build context or the source of an ADD. Empty strings mean: not given. */
export interface GitReference {
  /** What to give to `git`, without fragment and query. */
  readonly remote: string;
  /** Last name of the path without `.git`. */
  readonly shortName: string;
  /** Branch, tag, commit or full reference name. */
  readonly ref: string;
  readonly subdirectory: string;
  /** The commit that the reference must be. */
  readonly checksum: string;
  /** `github.com/user/name`: also a local path; only contexts may be written like that. */
  readonly isIndistinguishableFromLocal: boolean;
  /** The connection is not encrypted (`git://`, `http://`). */
  readonly isUnencrypted: boolean;
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean | undefined;
  /** Which time files get; undefined: the time of the checkout. */
  readonly mtime: "checkout" | "commit" | undefined;
  /** Fetch the commit of `checksum` without asking what the reference is. */
  readonly fetchByCommit: boolean;
}

interface Address {
  readonly remote: string;
  readonly fragment: string;
  readonly query: string;
  readonly isUnencrypted: boolean;
}

const PROTOCOLS: ReadonlySet<string> = new Set(["http", "https", "ssh", "git"]);
const SCP_STYLE = /^([a-zA-Z0-9\-_]+)@([a-zA-Z0-9\-.]+):([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/;

/**
 * Reads a Git address with `#ref:subdirectory` and `?ref= &tag= &branch= &subdir= &checksum= &commit= &keep-git-dir
 * &submodules &mtime= &fetch-by-commit`. Undefined when `text` is no Git address; throws `E_GIT_REF` when it is one
 * but contradicts itself.
 */
export function parseGitReference(text: string): GitReference | undefined {
  const isLocalLike = text.startsWith("github.com/");
  const address = isLocalLike ? parseUrl(`https://${text}`) : parseAddress(text);
  if (address !== undefined && !isLocalLike && !namesRepository(address.remote)) return undefined;
  if (address === undefined) return undefined;
  const remote = isLocalLike ? (cut(address.remote, "://")[1] ?? "") : address.remote;
  const [ref, subdirectory = ""] = cut(address.fragment, ":");
  const base: GitReference = {
    remote,
    shortName: (remote.split("/").at(-1) ?? "").replace(/\.git$/, ""),
    ref,
    subdirectory: cleanPath(`/${subdirectory}`).slice(1),
    checksum: "",
    isIndistinguishableFromLocal: isLocalLike,
    isUnencrypted: address.isUnencrypted,
    keepGitDir: undefined,
    submodules: undefined,
    mtime: undefined,
    fetchByCommit: false,
  };
  return withQuery(base, address.query, text);
}

/** The reference as `remote#ref[:subdirectory]`, with what the query said moved into the fragment. */
export function formatGitReference(reference: GitReference, withSubdirectory: boolean): string {
  const subdirectory = withSubdirectory ? cleanPath(`/${reference.subdirectory}`).slice(1) : "";
  if (reference.ref === "" && subdirectory === "") return reference.remote;
  return `${reference.remote}#${reference.ref}${subdirectory === "" ? "" : `:${subdirectory}`}`;
}

function parseAddress(text: string): Address | undefined {
  if (/^[a-zA-Z0-9]+:\/\//.test(text)) return parseUrl(text);
  const match = SCP_STYLE.exec(text);
  if (match === null || text.startsWith("./") || text.startsWith("../")) return undefined;
  const [, user = "", host = "", path = "", query = "", fragment = ""] = match;
  return { remote: `${user}@${host}:${path}`, query, fragment: unescapeFragment(fragment), isUnencrypted: false };
}

/** Takes a URL apart by text, so that the remote stays as it was written. */
function parseUrl(text: string): Address | undefined {
  const [beforeFragment, fragment = ""] = cut(text, "#");
  const [remote, query = ""] = cut(beforeFragment, "?");
  const [scheme, rest = ""] = cut(remote, "://");
  const protocol = scheme.toLowerCase();
  if (!PROTOCOLS.has(protocol) || !isHost(rest) || /[\s\u0000-\u001f\u007f]/.test(remote)) return undefined;
  const isUnencrypted = protocol === "http" || protocol === "git";
  return { remote: `${protocol}://${rest}`, query, fragment: unescapeFragment(fragment), isUnencrypted };
}

/** A web address is a repository's only when its path ends in `.git`. */
function namesRepository(remote: string): boolean {
  return !/^https?:/.test(remote) || /^https?:\/\/[^/]*\/.*\.git$/.test(remote);
}

function isHost(rest: string): boolean {
  const authority = rest.split("/")[0] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return host !== "" && /^(?:\[[0-9a-fA-F:.%]+\]|[^:[\]]*)(?::\d*)?$/.test(host);
}

function unescapeFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

/** Options in the query that may stand without a value. */
const SWITCHES: ReadonlySet<string> = new Set(["submodules", "keep-git-dir", "fetch-by-commit"]);
const NAMES: ReadonlySet<string> = new Set([
  ...SWITCHES,
  "ref",
  "tag",
  "branch",
  "subdir",
  "checksum",
  "commit",
  "mtime",
]);

function withQuery(base: GitReference, query: string, text: string): GitReference {
  if (query === "") return base;
  const values = queryValues(query, text);
  const wrong = (why: string): Error => problem("E_GIT_REF", `reading Git reference \`${text}\`: ${why}`);
  const tag = prefixed(values.get("tag"), "refs/tags/");
  const branch = prefixed(values.get("branch"), "refs/heads/");
  if (tag !== undefined && branch !== undefined) throw wrong("branch conflicts with tag");
  const agree = (what: string, first: string, second: string | undefined): string => {
    if (second === undefined || first === "" || first === second) return second ?? first;
    throw wrong(`${what} conflicts: ${quoted(first)} vs ${quoted(second)}`);
  };
  const flag = (name: string): boolean | undefined => {
    const value = values.get(name);
    const parsed = value === "" ? true : parseBoolean(value ?? "");
    if (value !== undefined && parsed === undefined) throw wrong(`invalid ${name} value: ${quoted(value)}`);
    return value === undefined ? undefined : parsed;
  };
  const mtime = values.get("mtime");
  if (mtime !== undefined && mtime !== "checkout" && mtime !== "commit") {
    throw wrong(`invalid mtime value: ${quoted(mtime)} (must be "checkout" or "commit")`);
  }
  return {
    ...base,
    ref: agree("ref", agree("ref", agree("ref", base.ref, values.get("ref")), tag), branch),
    subdirectory: agree("subdir", base.subdirectory, values.get("subdir")),
    checksum: values.get("checksum") ?? values.get("commit") ?? "",
    keepGitDir: flag("keep-git-dir"),
    submodules: flag("submodules"),
    fetchByCommit: flag("fetch-by-commit") ?? false,
    mtime,
  };
}

function prefixed(name: string | undefined, prefix: string): string | undefined {
  return name === undefined || name.startsWith(prefix) ? name : prefix + name;
}

function queryValues(query: string, text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const problemIn = queryProblem(name, value, values);
    if (problemIn !== undefined) throw problem("E_GIT_REF", `reading Git reference \`${text}\`: ${problemIn}`);
    values.set(name, value);
  }
  return values;
}

function queryProblem(name: string, value: string, earlier: ReadonlyMap<string, string>): string | undefined {
  if (!NAMES.has(name)) return `unexpected query ${quoted(name)}`;
  if (earlier.has(name)) return `query ${quoted(name)} has multiple values`;
  return value === "" && !SWITCHES.has(name) ? `query ${quoted(name)} has no value` : undefined;
}
