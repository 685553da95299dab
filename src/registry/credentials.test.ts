// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findCredentials, removeLogin, storeLogin } from "./credentials.ts";
import type { ConfigPlace } from "./docker-config.ts";

let home = "";
let place: ConfigPlace;

beforeEach(() => {
  home = fs.mkdtempSync(join(tmpdir(), "tare-login-"));
  fs.mkdirSync(join(home, "bin"));
  place = { home, env: { PATH: `${join(home, "bin")}:${process.env["PATH"] ?? ""}`, XDG_RUNTIME_DIR: home } };
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

function docker(value: unknown): void {
  fs.mkdirSync(join(home, ".docker"), { recursive: true });
  fs.writeFileSync(join(home, ".docker/config.json"), typeof value === "string" ? value : JSON.stringify(value));
}

/** A helper that keeps logins in a file of its own. */
function helper(name: string): void {
  const path = join(home, "bin", `docker-credential-${name}`);
  const script = `#!/bin/sh
file=${home}/kept
case $1 in
get) read -r key; grep -qs "\\"$key\\"" $file && cat $file || { echo "credentials not found in native keychain"; exit 1; };;
store) cat > $file;;
erase) rm $file;;
esac
`;
  fs.writeFileSync(path, script, { mode: 0o755 });
}

const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString("base64") });
const password = (username: string, secret: string): unknown => ({ kind: "password", username, password: secret });

describe("credentials", () => {
  it.each([
    ["docker.io", { "https://index.docker.io/v1/": auth("ann:a:b") }, password("ann", "a:b")],
    ["docker.io", { "docker.io": auth("ann:x") }, password("ann", "x")],
    ["localhost:5000", { "localhost:5000": auth("ann:x") }, password("ann", "x")],
    ["r.test", { "https://r.test": auth("ann:x") }, password("ann", "x")],
    ["r.test", { "https://r.test/v2/": { username: "u", password: "p" } }, password("u", "p")],
    ["r.test", { "r.test": { ...auth("u:p"), identitytoken: "t" } }, { kind: "identity", token: "t" }],
    ["r.test", { "r.test": { registrytoken: "t" } }, { kind: "token", token: "t" }],
    ["r.test", { "r.test/team": auth("team:x"), "r.test": auth("all:x") }, password("team", "x")],
    ["r.test", { "other.test": auth("ann:x") }, undefined],
    ["r.test", { "r.test": {} }, undefined],
    ["r.test", { "r.test": { auth: "%%%" } }, undefined],
  ])("for %s of %j", async (host, auths, expected) => {
    docker({ auths });
    expect(await findCredentials(host, "team/app", place)).toEqual(expected);
  });

  it("are found in DOCKER_CONFIG and podman's auth.json", async () => {
    fs.mkdirSync(join(home, "containers"));
    fs.writeFileSync(join(home, "containers/auth.json"), JSON.stringify({ auths: { "p.test": auth("pod:x") } }));
    fs.writeFileSync(join(home, "config.json"), JSON.stringify({ auths: { "d.test": auth("doc:x") } }));
    const elsewhere = { home, env: { ...place.env, DOCKER_CONFIG: home } };
    expect(await findCredentials("p.test", "", elsewhere)).toEqual(password("pod", "x"));
    expect(await findCredentials("d.test", "", elsewhere)).toEqual(password("doc", "x"));
  });

  it("come from a helper, for one host or for all", async () => {
    helper("mine");
    fs.writeFileSync(join(home, "kept"), '{"ServerURL":"h.test","Username":"<token>","Secret":"t"}');
    for (const config of [{ credHelpers: { "h.test": "mine" } }, { credsStore: "mine" }]) {
      docker(config);
      expect(await findCredentials("h.test", "", place)).toEqual({ kind: "identity", token: "t" });
      expect(await findCredentials("none.test", "", place)).toBeUndefined();
    }
  });

  it("of a store that is not installed are none; of a host's own helper an error", async () => {
    docker({ credsStore: "gone", auths: { "r.test": auth("u:p") } });
    expect(await findCredentials("r.test", "", place)).toEqual(password("u", "p"));
    docker({ credHelpers: { "r.test": "gone" } });
    await expect(findCredentials("r.test", "", place)).rejects.toMatchObject({ code: "E_PROGRAM_MISSING" });
  });

  it.each(["[1]", "{oops secret", "null"])("in a file that holds %j are an error without its text", async (text) => {
    docker(text);
    await expect(findCredentials("r.test", "", place)).rejects.toMatchObject({
      code: "E_REGISTRY_AUTH",
      message: expect.not.stringContaining("secret"),
    });
  });
});

describe("login and logout", () => {
  it("write Docker's file, for its owner only, and keep what else is in it", async () => {
    docker({ HttpHeaders: { a: "b" }, auths: { "x.test": auth("x:y") } });
    const path = join(home, ".docker/config.json");
    expect(await storeLogin("docker.io", { username: "ann", password: "s" }, place)).toEqual({ kind: "file", path });
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
    const auths = { "x.test": auth("x:y"), "https://index.docker.io/v1/": auth("ann:s") };
    expect(JSON.parse(fs.readFileSync(path, "utf8"))).toEqual({ HttpHeaders: { a: "b" }, auths });
    expect(await removeLogin("docker.io", place)).toBe(true);
    expect(await removeLogin("docker.io", place)).toBe(false);
    expect(await findCredentials("x.test", "", place)).toEqual(password("x", "y"));
  });

  it("use the helper where there is one", async () => {
    helper("mine");
    docker({ credsStore: "mine" });
    expect(await storeLogin("h.test", { username: "ann", password: "s" }, place)).toEqual({
      kind: "helper",
      name: "mine",
    });
    expect(fs.readFileSync(join(home, ".docker/config.json"), "utf8")).toBe('{"credsStore":"mine"}');
    expect(await findCredentials("h.test", "", place)).toEqual(password("ann", "s"));
    expect(await removeLogin("h.test", place)).toBe(true);
    expect(await findCredentials("h.test", "", place)).toBeUndefined();
  });
});
