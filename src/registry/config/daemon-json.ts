// SPDX-License-Identifier: Apache-2.0
/* What Docker's daemon.json says of registries; there is no daemon here, but who set it up meant it for this host. */
import { join } from "node:path";
import { BlockList, isIP } from "node:net";
import { TareError, callingAccount, readTextIfPresent } from "../../base/index.ts";
import type { ConfigPlace } from "../docker-config.ts";

/** What of daemon.json matters here. */
export interface DaemonConfig {
  /** Mirrors of Docker Hub, the first to be asked first. */
  readonly mirrors: readonly { readonly host: string; readonly insecure: boolean }[];
  /** True for hosts that the file lists, by name or by the network that they are in. */
  readonly isInsecure: (host: string) => boolean;
  /** `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`. */
  readonly proxies: Readonly<Record<string, string>>;
}

/** Reads the file of the system, or for others than root their own. Throws `E_REGISTRY_CONFIG`. */
export function readDaemonConfig({ env, home, etc = "/etc" }: ConfigPlace): DaemonConfig {
  const own = join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "docker/daemon.json");
  const system = join(etc, "docker/daemon.json");
  const path = callingAccount()?.uid !== 0 && readTextIfPresent(own) !== undefined ? own : system;
  const value = readObject(path);
  return {
    mirrors: strings(value, "registry-mirrors", path).map((text) => mirrorOf(text, path)),
    isInsecure: insecureTest(strings(value, "insecure-registries", path)),
    proxies: proxiesIn(value["proxies"], { httpProxy: "http-proxy", httpsProxy: "https-proxy", noProxy: "no-proxy" }),
  };
}

/** Proxies of an object, by the names that it has for them. */
export function proxiesIn(
  value: unknown,
  names: { readonly httpProxy: string; readonly httpsProxy: string; readonly noProxy: string },
): Readonly<Record<string, string>> {
  const from: Readonly<Record<string, unknown>> = typeof value === "object" && value !== null ? { ...value } : {};
  const pairs = [
    ["HTTP_PROXY", from[names.httpProxy]],
    ["HTTPS_PROXY", from[names.httpsProxy]],
    ["NO_PROXY", from[names.noProxy]],
  ] as const;
  return Object.fromEntries(
    pairs.flatMap(([name, text]) => (typeof text === "string" && text !== "" ? [[name, text]] : [])),
  );
}

function readObject(path: string): Readonly<Record<string, unknown>> {
  const text = readTextIfPresent(path);
  if (text === undefined || text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Falls through: the parser's words would show a part of the file.
  }
  throw malformed(path, "it is not a JSON object");
}

function strings(value: Readonly<Record<string, unknown>>, name: string, path: string): readonly string[] {
  const list = value[name] ?? [];
  if (Array.isArray(list) && list.every((each) => typeof each === "string")) return list;
  throw malformed(path, `\`${name}\` is no list of strings`);
}

function mirrorOf(text: string, path: string): DaemonConfig["mirrors"][number] {
  const url = URL.parse(text);
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  if (!url || !isWeb || url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw malformed(path, "a mirror is no `https://host[:port]`");
  }
  return { host: url.host, insecure: url.protocol === "http:" };
}

function insecureTest(entries: readonly string[]): (host: string) => boolean {
  const networks = new BlockList();
  const names = new Set<string>();
  for (const entry of entries) {
    const [, address = "", bits = ""] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(address);
    if (family === 0) names.add(entry.replace(/^https?:\/\//, "").toLowerCase());
    else if (Number(bits) <= (family === 4 ? 32 : 128)) {
      networks.addSubnet(address, Number(bits), family === 4 ? "ipv4" : "ipv6");
    }
  }
  return (host) => {
    const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    const family = isIP(name);
    return names.has(host.toLowerCase()) || (family !== 0 && networks.check(name, family === 4 ? "ipv4" : "ipv6"));
  };
}

function malformed(path: string, why: string): TareError {
  return new TareError("E_REGISTRY_CONFIG", `reading \`${path}\`: ${why}`, { hint: "mend or remove it" });
}
