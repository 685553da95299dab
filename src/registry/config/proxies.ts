// SPDX-License-Identifier: Apache-2.0
/* Proxies for registries: the environment's, else those of daemon.json, else those of config.json. */
import { readTextIfPresent } from "../../base/index.ts";
import { dockerConfigPath } from "../docker-config.ts";
import type { ConfigPlace } from "../docker-config.ts";
import { proxiesIn } from "./daemon-json.ts";
import type { DaemonConfig } from "./daemon-json.ts";

/** This machine is never reached by a proxy, as in Docker. */
const LOCAL = "localhost,127.0.0.1-127.255.255.254,::1,[::1]";
const NAMES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] as const;

/** The environment with the proxies that hold. */
export function proxyEnvironment(
  place: ConfigPlace,
  daemon: Pick<DaemonConfig, "proxies">,
): Readonly<Record<string, string | undefined>> {
  const { env } = place;
  const given = NAMES.filter((name) => filled(env[name]) ?? filled(env[name.toLowerCase()]));
  const file = given.some((name) => name !== "NO_PROXY") ? {} : { ...clientProxies(place), ...daemon.proxies };
  const proxies = NAMES.flatMap((name) => {
    const text = filled(env[name.toLowerCase()]) ?? filled(env[name]) ?? file[name];
    return text === undefined ? [] : [[name, text] as const];
  });
  const found: Partial<Record<string, string>> = Object.fromEntries(proxies);
  if (found["HTTP_PROXY"] === undefined && found["HTTPS_PROXY"] === undefined) return env;
  const none = found["NO_PROXY"];
  const all = { ...found, NO_PROXY: none === undefined ? LOCAL : `${none},${LOCAL}` };
  const lower = Object.entries(all).map(([name, text]) => [name.toLowerCase(), text] as const);
  return { ...env, ...all, ...Object.fromEntries(lower) };
}

/** `proxies.default` of config.json. Docker gives them to containers; who sets them needs them here too. */
function clientProxies(place: ConfigPlace): Readonly<Record<string, string>> {
  const text = readTextIfPresent(dockerConfigPath(place));
  if (text === undefined || !text.includes('"proxies"')) return {};
  try {
    const value: unknown = JSON.parse(text);
    const proxies: unknown = typeof value === "object" && value !== null && "proxies" in value ? value.proxies : {};
    const own: unknown = typeof proxies === "object" && proxies !== null && "default" in proxies ? proxies.default : {};
    return proxiesIn(own, { httpProxy: "httpProxy", httpsProxy: "httpsProxy", noProxy: "noProxy" });
  } catch {
    // Whoever reads logins from the file says what is wrong with it.
    return {};
  }
}

function filled(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
