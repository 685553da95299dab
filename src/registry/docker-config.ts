// SPDX-License-Identifier: Apache-2.0
/*
 * Where logins are kept. Docker's config.json:
 *
 *   { "auths": { "https://index.docker.io/v1/": { "auth": base64("user:password") }, "host": { "identitytoken": … } },
 *     "credsStore": "pass", "credHelpers": { "host": "ecr-login" } }
 *
 * and the auth.json of podman, buildah and skopeo, whose keys may also name a namespace (`host/team`).
 */
import { dirname, join } from "node:path";
import { TareError, callingAccount, ensureDirectory, readTextIfPresent, writeFileAtomic } from "../base/index.ts";
import { isHub } from "./endpoint.ts";

/** Who asks: the environment and the home folder. */
export interface ConfigPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Where the system's configuration is; default `/etc`. */
  readonly etc?: string;
}

/** One login as a file has it. */
export interface StoredLogin {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** What of a configuration file matters here. */
export interface LoginFile {
  readonly path: string;
  readonly auths: ReadonlyMap<string, StoredLogin>;
  readonly credsStore: string | undefined;
  readonly credHelpers: ReadonlyMap<string, string>;
}

/** The key under which Docker keeps Docker Hub's login. */
export const HUB_KEY = "https://index.docker.io/v1/";

/** The path of Docker's config.json. */
export function dockerConfigPath({ env, home }: ConfigPlace): string {
  return join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json");
}

/** All files that may hold logins, the first to be asked first. */
export function loginFiles(place: ConfigPlace): readonly string[] {
  const { env, home } = place;
  const uid = callingAccount()?.uid;
  const runtime = env["XDG_RUNTIME_DIR"] || `/run/user/${uid ?? 0}`;
  return [
    ...(env["REGISTRY_AUTH_FILE"] ? [env["REGISTRY_AUTH_FILE"]] : []),
    dockerConfigPath(place),
    join(runtime, "containers/auth.json"),
    ...(uid === 0 ? ["/run/containers/0/auth.json"] : []),
    join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers/auth.json"),
  ];
}

/** The keys under which a host's login may stand, the most exact first. */
export function keysFor(domain: string, repository: string): readonly string[] {
  const parts = repository === "" ? [] : repository.split("/");
  const hosts = isHub(domain) ? ["docker.io", "index.docker.io", "registry-1.docker.io"] : [domain];
  const spaces = parts.map((_, index) => parts.slice(0, parts.length - index).join("/"));
  const exact = hosts.flatMap((host) => spaces.map((space) => `${host}/${space}`));
  const whole = hosts.flatMap((host) => [host, `https://${host}`, `http://${host}`].flatMap(withVersions));
  return [...exact, ...(isHub(domain) ? [HUB_KEY, "https://index.docker.io/v1"] : []), ...whole];
}

function withVersions(host: string): readonly string[] {
  return [host, `${host}/`, `${host}/v1/`, `${host}/v1`, `${host}/v2/`, `${host}/v2`];
}

/** Reads a file; undefined when there is none. Throws `E_REGISTRY_AUTH` for one that is no JSON object. */
export function readLoginFile(path: string): LoginFile | undefined {
  const value = readObject(path);
  if (value === undefined) return undefined;
  const auths = Object.entries(objectIn(value, "auths")).map(([key, login]) => [key, loginIn(login)] as const);
  const helpers = Object.entries(objectIn(value, "credHelpers")).flatMap(([key, helper]) =>
    typeof helper === "string" ? [[key, helper] as const] : [],
  );
  const store = value["credsStore"];
  return {
    path,
    auths: new Map(auths),
    credsStore: typeof store === "string" && store !== "" ? store : undefined,
    credHelpers: new Map(helpers),
  };
}

function readObject(path: string): Record<string, unknown> | undefined {
  const text = readTextIfPresent(path);
  if (text === undefined || text.trim() === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (isObject(value)) return value;
  // Nothing of the file goes into the message: it may be a secret.
  throw new TareError("E_REGISTRY_AUTH", `reading logins from \`${path}\`: it is not a JSON object`, {
    hint: "mend or remove the file, then log in again",
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectIn(value: Record<string, unknown>, name: string): Record<string, unknown> {
  const inner = value[name];
  return isObject(inner) ? inner : {};
}

const LOGIN_FIELDS = ["auth", "username", "password", "identitytoken", "registrytoken"] as const;

function loginIn(value: unknown): StoredLogin {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    LOGIN_FIELDS.flatMap((name) => {
      const text = value[name];
      return typeof text === "string" && text !== "" ? [[name, text]] : [];
    }),
  );
}

/** Changes `auths` of a file and keeps everything else in it; the file is readable by its owner only. */
export function changeAuths(path: string, change: (auths: Record<string, unknown>) => void): void {
  const value = readObject(path) ?? {};
  const auths = { ...objectIn(value, "auths") };
  change(auths);
  ensureDirectory(dirname(path), 0o700);
  writeFileAtomic(path, `${JSON.stringify({ ...value, auths }, undefined, "\t")}\n`, 0o600);
}
