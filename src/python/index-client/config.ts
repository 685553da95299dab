// SPDX-License-Identifier: Apache-2.0
/* Where the user gets packages from: pip's and uv's own settings (pip documentation "Configuration"; uv "Indexes"). */
import * as fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";

/** Places of packages. URLs may hold credentials: never shown, never kept. */
export interface IndexConfig {
  readonly indexUrl: string;
  readonly extraIndexUrls: readonly string[];
  readonly findLinks: readonly string[];
  readonly noIndex: boolean;
  readonly trustedHosts: readonly string[];
  /** File of certificates to trust. */
  readonly certificates?: string;
  /** Proxy of pip's settings; that of the environment (`HTTPS_PROXY`) wins. */
  readonly proxy?: string;
}

/** The index that pip and uv use when nobody says otherwise (PEP 301's host, "simple" interface of PEP 503). */
const DEFAULT_INDEX = ["https://pypi", "org/simple"].join(".");

type Environment = Readonly<Record<string, string | undefined>>;
type Draft = { -readonly [Key in keyof IndexConfig]?: IndexConfig[Key] };

/** Reads the settings: files of the system, then of the user, then variables; uv's win over pip's. */
export function readIndexConfig(env: Environment): IndexConfig {
  const draft: Draft = { ...pipDraft(env), ...uvDraft(env) };
  return {
    indexUrl: draft.indexUrl ?? DEFAULT_INDEX,
    extraIndexUrls: draft.extraIndexUrls ?? [],
    findLinks: draft.findLinks ?? [],
    noIndex: draft.noIndex ?? false,
    trustedHosts: draft.trustedHosts ?? [],
    ...(draft.certificates === undefined ? {} : { certificates: draft.certificates }),
    ...(draft.proxy === undefined ? {} : { proxy: draft.proxy }),
  };
}

function pipDraft(env: Environment): Draft {
  const draft: Draft = {};
  for (const file of pipFiles(env)) Object.assign(draft, pipSettings(readText(file)));
  return Object.assign(draft, pipVariables(env));
}

function uvDraft(env: Environment): Draft {
  const draft: Draft = {};
  for (const file of uvFiles(env)) Object.assign(draft, uvSettings(readText(file)));
  return Object.assign(draft, uvVariables(env));
}

/** pip's settings where uv, which reads its own by itself, has none. */
export function settingsOfPipAlone(env: Environment): Partial<IndexConfig> {
  const own = uvDraft(env);
  return Object.fromEntries(Object.entries(pipDraft(env)).filter(([key]) => !(key in own)));
}

/** The files that hold pip's and uv's settings, there or not. */
export function settingsFiles(env: Environment): readonly string[] {
  return [...pipFiles(env), ...uvFiles(env)];
}

/** Indexes with a name, of uv's variables and files. */
export function uvIndexes(env: Environment): readonly { readonly name: string; readonly url: string }[] {
  const named = words(`${env["UV_INDEX"] ?? ""} ${env["UV_DEFAULT_INDEX"] ?? ""}`).flatMap((word) => {
    const [, name, url] = /^([\w-]+)=(https?:.*)$/.exec(word) ?? [];
    return name === undefined || url === undefined ? [] : [{ name, url }];
  });
  const inFiles = uvFiles(env).flatMap((file) => {
    return tables(tomlOf(readText(file))["index"]).flatMap(({ name, url }) =>
      typeof name === "string" && typeof url === "string" ? [{ name, url }] : [],
    );
  });
  return [...inFiles, ...named];
}

function configFolder(env: Environment): string {
  return env["XDG_CONFIG_HOME"] ?? join(env["HOME"] ?? homedir(), ".config");
}

function pipFiles(env: Environment): readonly string[] {
  const own = env["PIP_CONFIG_FILE"] ?? "";
  if (own === "/dev/null") return [];
  const home = env["HOME"] ?? homedir();
  return [
    "/etc/pip.conf",
    join(home, ".pip/pip.conf"),
    ...(process.platform === "darwin" ? [join(home, "Library/Application Support/pip/pip.conf")] : []),
    join(configFolder(env), "pip/pip.conf"),
    ...(env["VIRTUAL_ENV"] ? [join(env["VIRTUAL_ENV"], "pip.conf")] : []),
    ...(own === "" ? [] : [own]),
  ];
}

function uvFiles(env: Environment): readonly string[] {
  const own = env["UV_CONFIG_FILE"] ?? "";
  return own === "" ? ["/etc/uv/uv.toml", join(configFolder(env), "uv/uv.toml")] : [own];
}

/** `[global]` and `[install]` of pip.conf; a value may go on in indented lines. */
function pipSettings(text: string): Draft {
  const values = new Map<string, string>();
  let section = "";
  let key = "";
  for (const line of text.split(/\r?\n/)) {
    const [, heading] = /^\[([^\]]+)\]/.exec(line) ?? [];
    const [, name, value = ""] = /^([\w-]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (heading !== undefined) section = heading.trim();
    else if (name !== undefined && /^(?:global|install)$/.test(section)) {
      key = name.replaceAll("_", "-");
      values.set(key, value.trim());
    } else if (/^\s+\S/.test(line) && key !== "") values.set(key, `${values.get(key) ?? ""} ${line.trim()}`.trim());
  }
  return settingsOf((name) => values.get(name));
}

function pipVariables(env: Environment): Draft {
  return settingsOf((name) => env[`PIP_${name.toUpperCase().replaceAll("-", "_")}`]);
}

function settingsOf(valueOf: (name: string) => string | undefined): Draft {
  const draft: Draft = {};
  const index = valueOf("index-url");
  if (index) draft.indexUrl = index;
  const extra = words(valueOf("extra-index-url"));
  if (extra.length > 0) draft.extraIndexUrls = extra;
  const links = words(valueOf("find-links"));
  if (links.length > 0) draft.findLinks = links;
  const hosts = words(valueOf("trusted-host"));
  if (hosts.length > 0) draft.trustedHosts = hosts;
  const noIndex = valueOf("no-index");
  if (noIndex !== undefined) draft.noIndex = /^(?:1|true|yes|on)$/i.test(noIndex);
  const [certificates, proxy] = [valueOf("cert"), valueOf("proxy")];
  if (certificates) draft.certificates = certificates;
  if (proxy) draft.proxy = proxy;
  return draft;
}

function uvVariables(env: Environment): Draft {
  const draft: Draft = {};
  const index = words(env["UV_DEFAULT_INDEX"] ?? env["UV_INDEX_URL"])[0];
  if (index !== undefined) draft.indexUrl = unnamed(index);
  const extra = words(`${env["UV_INDEX"] ?? ""} ${env["UV_EXTRA_INDEX_URL"] ?? ""}`).map(unnamed);
  if (extra.length > 0) draft.extraIndexUrls = extra;
  const links = words((env["UV_FIND_LINKS"] ?? "").replaceAll(",", " "));
  if (links.length > 0) draft.findLinks = links;
  const hosts = words(env["UV_INSECURE_HOST"]);
  if (hosts.length > 0) draft.trustedHosts = hosts;
  return draft;
}

function uvSettings(text: string): Draft {
  const draft: Draft = {};
  const values = tomlOf(text);
  const indexes = tables(values["index"]);
  const urls = indexes.filter((index) => typeof index["url"] === "string" && index["explicit"] !== true);
  const [main] = urls.filter((index) => index["default"] === true);
  const plain = typeof values["index-url"] === "string" ? values["index-url"] : undefined;
  if (main || plain !== undefined) draft.indexUrl = String(main?.["url"] ?? plain);
  const extra = [
    ...urls.filter((index) => index !== main).map((index) => String(index["url"])),
    ...list(values["extra-index-url"]),
  ];
  if (extra.length > 0) draft.extraIndexUrls = extra;
  const links = list(values["find-links"]);
  if (links.length > 0) draft.findLinks = links;
  const hosts = list(values["allow-insecure-host"]);
  if (hosts.length > 0) draft.trustedHosts = hosts;
  if (typeof values["no-index"] === "boolean") draft.noIndex = values["no-index"];
  return draft;
}

function tomlOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return text === "" ? {} : parse(text);
  } catch {
    return {};
  }
}

function tables(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) return [];
  return value.map((item: unknown) => (typeof item === "object" && item !== null ? { ...item } : {}));
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function words(text: string | undefined): readonly string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}

/** `name=https://…` of uv. */
function unnamed(text: string): string {
  return text.replace(/^[\w-]+=(?=\w+:)/, "");
}

function readText(path: string): string {
  try {
    return path === "" ? "" : fs.readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
