// SPDX-License-Identifier: Apache-2.0
/* Who the user is to a package index: from the URLs of pip's and uv's settings, and from netrc. Never shown, never kept. */
import * as fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { settingsFiles, uvIndexes } from "./config.ts";

/** The user's credentials for hosts. */
export interface Credentials {
  /** Value of the Authorization header for a URL's host, or undefined. */
  authorizationFor(url: string): string | undefined;
  /** Takes over those of URLs in a project's own files; in memory only. */
  learn(urls: readonly string[]): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that may hold index URLs, several divided by blanks. */
const URL_VARIABLES: readonly string[] = [
  "PIP_INDEX_URL",
  "PIP_EXTRA_INDEX_URL",
  "PIP_FIND_LINKS",
  "UV_DEFAULT_INDEX",
  "UV_INDEX",
  "UV_INDEX_URL",
  "UV_EXTRA_INDEX_URL",
  "UV_FIND_LINKS",
];

/** Reads settings and netrc once, when the first host is asked for. */
export function openCredentials(env: Environment): Credentials {
  let known: ReadonlyMap<string, string> | undefined;
  const learned = new Map<string, string>();
  return {
    authorizationFor: (url) => {
      const parsed = URL.parse(url);
      if (!parsed) return undefined;
      const [own] = headerOf(url);
      if (own) return own[1];
      known ??= readAll(env);
      const { origin, hostname } = parsed;
      return learned.get(origin) ?? known.get(origin) ?? known.get(hostname) ?? known.get(ANY_HOST);
    },
    learn: (urls) => {
      for (const [origin, header] of urls.flatMap(headerOf)) learned.set(origin, header);
    },
  };
}

/** netrc's `default`. */
const ANY_HOST = "*";

/**
 * Authorization headers: those of URLs by origin, so that they go to no other port and never unencrypted, those of
 * netrc by host. What is nearer to the user wins: the environment, then pip.conf, then netrc.
 */
function readAll(env: Environment): ReadonlyMap<string, string> {
  const found = new Map<string, string>(netrcEntries(env));
  for (const url of [...settingsUrls(env), ...URL_VARIABLES.flatMap((name) => (env[name] ?? "").split(/\s+/))]) {
    for (const [origin, header] of headerOf(url)) found.set(origin, header);
  }
  for (const [origin, header] of namedIndexes(env)) found.set(origin, header);
  return found;
}

/** The header of a URL with a user, `name=https://…` too; none or one. */
function headerOf(url: string): readonly (readonly [origin: string, header: string])[] {
  const parsed = URL.parse(url.replace(/^[\w-]+=(?=https?:)/, ""));
  if (!parsed || parsed.username === "") return [];
  return [[parsed.origin, basic(decoded(parsed.username), decoded(parsed.password))]];
}

/** A `%` that begins no escape stands for itself. */
function decoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** Indexes that uv knows by a name, with `UV_INDEX_NAME_USERNAME` and `…_PASSWORD`. */
function* namedIndexes(env: Environment): Generator<[string, string]> {
  for (const { name, url } of uvIndexes(env)) {
    const key = name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
    const user = env[`UV_INDEX_${key}_USERNAME`];
    const origin = URL.parse(url)?.origin;
    if (user !== undefined && origin !== undefined) yield [origin, basic(user, env[`UV_INDEX_${key}_PASSWORD`] ?? "")];
  }
}

/** URLs in pip.conf and uv.toml, by their look: only credentials are wanted here. */
function settingsUrls(env: Environment): readonly string[] {
  return settingsFiles(env).flatMap((file) => readText(file).match(/https?:\/\/[^\s"']+/g) ?? []);
}

/** netrc(5): `machine`, `login`, `password`; macros are skipped. */
function* netrcEntries(env: Environment): Generator<[string, string]> {
  const text = readText(env["NETRC"] ?? join(env["HOME"] ?? homedir(), ".netrc"));
  const words =
    text
      .replaceAll(/^\s*#.*$/gm, "")
      .replaceAll(/^\s*macdef[^]*?(?:\n\s*\n|$)/gm, "")
      .match(/"[^"]*"|\S+/g) ?? [];
  let host: string | undefined;
  let login = "";
  for (let at = 0; at < words.length; at += 1) {
    const value = (words[at + 1] ?? "").replaceAll('"', "");
    if (words[at] === "machine") [host, login] = [value, ""];
    else if (words[at] === "default") {
      [host, login] = [ANY_HOST, ""];
      continue;
    } else if (words[at] === "login") login = value;
    else if (words[at] === "password" && host !== undefined) yield [host, basic(login, value)];
    else continue;
    at += 1;
  }
}

function readText(path: string): string {
  try {
    return path === "" || path === "/dev/null" ? "" : fs.readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}
