// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../base/index.ts";
import { helperErase, helperGet, helperStore } from "./credential-helper.ts";
import { HUB_KEY, changeAuths, dockerConfigPath, keysFor, loginFiles, readLoginFile } from "./docker-config.ts";
import type { ConfigPlace, LoginFile, StoredLogin } from "./docker-config.ts";
import { isHub } from "./endpoint.ts";
import type { Credentials } from "./types.ts";

/** Where a login was written to. */
export type LoginPlace =
  | { readonly kind: "helper"; readonly name: string }
  | { readonly kind: "file"; readonly path: string };

/**
 * The credentials for a repository of a registry, from Docker's config.json (credential helpers first, as Docker does)
 * or the auth.json of podman; undefined: go on as nobody. Throws `E_REGISTRY_AUTH`.
 */
export async function findCredentials(
  domain: string,
  repository: string,
  place: ConfigPlace,
): Promise<Credentials | undefined> {
  const keys = keysFor(domain, repository);
  for (const path of loginFiles(place)) {
    const file = readLoginFile(path);
    const found = file && ((await fromHelper(file, keys, { domain, place })) ?? fromAuths(file, keys));
    if (found) return found;
  }
  return undefined;
}

/** The key that a host's login is kept under. */
function keyOf(domain: string): string {
  return isHub(domain) ? HUB_KEY : domain;
}

function helperFor(file: LoginFile, domain: string): string | undefined {
  const keys = keysFor(domain, "");
  for (const key of keys) {
    const helper = file.credHelpers.get(key);
    if (helper !== undefined) return helper;
  }
  return file.credsStore;
}

async function fromHelper(
  file: LoginFile,
  keys: readonly string[],
  { domain, place }: { readonly domain: string; readonly place: ConfigPlace },
): Promise<Credentials | undefined> {
  const helper = helperFor(file, domain);
  if (helper === undefined) return undefined;
  try {
    return await helperGet(helper, keyOf(domain), place.env);
  } catch (error) {
    // As Docker: a helper that is named but not installed must not stop what needs no login.
    if (isTareError(error, "E_PROGRAM_MISSING") && !keys.some((key) => file.credHelpers.has(key))) return undefined;
    throw error;
  }
}

function fromAuths(file: LoginFile, keys: readonly string[]): Credentials | undefined {
  for (const key of keys) {
    const login = file.auths.get(key);
    const found = login && credentialsIn(login);
    if (found) return found;
  }
  return undefined;
}

function credentialsIn(login: StoredLogin): Credentials | undefined {
  if (login.registrytoken !== undefined) return { kind: "token", token: login.registrytoken };
  if (login.identitytoken !== undefined) return { kind: "identity", token: login.identitytoken };
  const text = login.auth === undefined ? "" : Buffer.from(login.auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = text.indexOf(":");
  if (colon > 0) return { kind: "password", username: text.slice(0, colon), password: text.slice(colon + 1) };
  const { username, password } = login;
  return username === undefined || password === undefined ? undefined : { kind: "password", username, password };
}

/** Keeps a login where Docker would: in the configured helper, else in config.json. Throws `E_REGISTRY_AUTH`, `E_IO`. */
export async function storeLogin(
  domain: string,
  login: { readonly username: string; readonly password: string },
  place: ConfigPlace,
): Promise<LoginPlace> {
  const path = dockerConfigPath(place);
  const file = readLoginFile(path);
  const helper = file && helperFor(file, domain);
  const key = keyOf(domain);
  if (helper !== undefined) {
    await helperStore(helper, { key, ...login }, place.env);
    return { kind: "helper", name: helper };
  }
  const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  changeAuths(path, (auths) => (auths[key] = { auth }));
  return { kind: "file", path };
}

/** Forgets a login in all files and helpers; true when there was one. Throws `E_REGISTRY_AUTH`, `E_IO`. */
export async function removeLogin(domain: string, place: ConfigPlace): Promise<boolean> {
  let removed = false;
  const keys = keysFor(domain, "");
  for (const path of loginFiles(place)) {
    const file = readLoginFile(path);
    if (!file) continue;
    const helper = helperFor(file, domain);
    if (helper !== undefined && (await helperGet(helper, keyOf(domain), place.env))) {
      await helperErase(helper, keyOf(domain), place.env);
      removed = true;
    }
    const known = keys.filter((key) => file.auths.has(key));
    if (known.length === 0) continue;
    changeAuths(path, (auths) => known.forEach((key) => delete auths[key]));
    removed = true;
  }
  return removed;
}
