// SPDX-License-Identifier: Apache-2.0
/* The user's index settings for uv in a container: as secrets, since they may hold credentials; in no key, no layer. */
import * as fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createIgnore } from "../dockerfile/index.ts";
import { readIndexConfig } from "../python/index.ts";
import type { RunMount } from "../graph/index.ts";
import type { LocalSource } from "../solver/index.ts";

/** What a step that asks an index is given. */
export interface IndexSettings {
  readonly secrets: ReadonlyMap<string, () => Buffer | undefined>;
  readonly mounts: readonly RunMount[];
  /** `NAME=value` that are no secrets. */
  readonly env: readonly string[];
  /** Folders of `--find-links`, by where a step sees them. */
  readonly folders: Readonly<Record<string, LocalSource>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const LOOK = { required: true, mode: 0o400, uid: 0, gid: 0 } as const;
/** uv's own variables that say where and how files are fetched, and proxies. */
const PASSED =
  /^(?:UV_INDEX_\w+_(?:USERNAME|PASSWORD)|UV_HTTP_TIMEOUT|UV_NATIVE_TLS|UV_SYSTEM_CERTS|(?:https?|all|no)_proxy)$/i;
const CA = "/run/tare-ca.pem";
const NETRC = "/run/tare-netrc";

/** Index, extra indexes, links, proxies, certificates and netrc, as uv reads them; `more` are further indexes. */
export function indexSettings(env: Environment, more: readonly string[] = []): IndexSettings {
  const folders = linkFolders(env);
  const variables = variablesOf(env, more, Object.keys(folders));
  const secrets = new Map<string, () => Buffer | undefined>();
  const mounts: RunMount[] = [];
  for (const [name, value] of variables) {
    secrets.set(name, () => Buffer.from(value));
    mounts.push({ type: "secret", id: name, env: name, ...LOOK });
  }
  const files: string[] = [];
  const add = (path: string | undefined, target: string, variable: string): void => {
    if (path === undefined || !fs.statSync(path, { throwIfNoEntry: false })?.isFile()) return;
    secrets.set(target, () => fs.readFileSync(path));
    mounts.push({ type: "secret", id: target, target, ...LOOK });
    files.push(`${variable}=${target}`);
  };
  add(env["SSL_CERT_FILE"] ?? env["PIP_CERT"], CA, "SSL_CERT_FILE");
  add(env["NETRC"] ?? join(env["HOME"] ?? homedir(), ".netrc"), NETRC, "NETRC");
  return { secrets, mounts, env: files, folders };
}

/** Only files that an index would have. */
const DISTRIBUTIONS = ["*", "!*.whl", "!*.tar.gz", "!*.zip"];

function linkFolders(env: Environment): Readonly<Record<string, LocalSource>> {
  const paths = readIndexConfig(env)
    .findLinks.map((place) => (place.startsWith("file:") ? fileURLToPath(place) : place))
    .filter((place) => fs.statSync(place, { throwIfNoEntry: false })?.isDirectory());
  const filter = createIgnore(DISTRIBUTIONS);
  return Object.fromEntries(paths.map((root, index) => [`/run/tare-links-${index}`, { root, filter }]));
}

function variablesOf(
  env: Environment,
  more: readonly string[],
  folders: readonly string[],
): readonly (readonly [string, string])[] {
  const index = readIndexConfig(env);
  const links = [...index.findLinks.filter((place) => /^https?:/.test(place)), ...folders];
  const extra = [...index.extraIndexUrls, ...more];
  const own = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value !== "" && PASSED.test(name) ? [[name, value] as const] : [],
  );
  return [
    ...own,
    ["UV_DEFAULT_INDEX", index.indexUrl],
    ...(extra.length > 0 ? [["UV_INDEX", extra.join(" ")] as const] : []),
    ...(links.length > 0 ? [["UV_FIND_LINKS", links.join(",")] as const] : []),
    ...(index.trustedHosts.length > 0 ? [["UV_INSECURE_HOST", index.trustedHosts.join(" ")] as const] : []),
    ...(index.noIndex ? [["UV_NO_INDEX", "1"] as const] : []),
  ];
}
