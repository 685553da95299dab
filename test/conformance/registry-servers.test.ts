// SPDX-License-Identifier: Apache-2.0
/*
 * Debian's docker-registry in every set-up that users meet: open, with TLS and a certificate of one's own, with
 * certificates for clients, with passwords, with a token server. The same commands against each.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openProgramWorld } from "../support/program.ts";
import type { CommandOptions, Outcome, ProgramWorld } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryOptions, RegistryPeer } from "../support/registry.ts";
import { startTokenServer } from "../support/token-server.ts";
import type { TokenServer } from "../support/token-server.ts";

/** bcrypt of `secret`. */
const HTPASSWD = "ann:$2b$04$o.SFUPo10DP.VqT4IfXmbOTbYYlxQfMfJSKSTlcLXPGmPle8Vml0u\n";
const missing = process.getuid?.() === 0 ? whyNoRegistry() : "needs root";
if (missing) console.log(`skipped: registry: ${missing}`);

let world: ProgramWorld;
let tokens: TokenServer;

beforeAll(async () => {
  if (missing) return;
  world = openProgramWorld("servers");
  const context = world.files("context", { Dockerfile: "FROM scratch\nCOPY big /big\n", big: "tare ".repeat(500_000) });
  world.ok("build", "-q", "-t", "app:1", context);
  const isPublic = (repository: string): boolean => repository.startsWith("public/");
  tokens = await startTokenServer(join(world.folder, "token"), { users: { ann: "secret" }, isPublic });
});
afterAll(() => {
  if (missing) return;
  tokens.close();
  world.close();
});

type Run = (args: readonly string[], more?: CommandOptions) => Promise<Outcome>;

interface SetUp {
  readonly name: string;
  readonly options: () => RegistryOptions;
  readonly login: boolean;
  readonly clients?: boolean;
}

const SET_UPS: readonly SetUp[] = [
  { name: "an open registry", options: () => ({}), login: false },
  { name: "TLS with a certificate in certs.d", options: () => ({ tls: true }), login: false },
  { name: "TLS with certificates for clients", options: clientTls, login: false, clients: true },
  { name: "passwords", options: () => ({ htpasswd: HTPASSWD }), login: true },
  { name: "TLS and passwords", options: () => ({ tls: true, htpasswd: HTPASSWD }), login: true },
  { name: "a token server", options: () => ({ token: tokens }), login: true },
  { name: "TLS and a token server", options: () => ({ token: tokens, tls: true }), login: true },
];

/** The authority of clients is made beforehand. */
function clientTls(): RegistryOptions {
  return { tls: true, clientAuthority: makeClient(join(world.folder, "client")) };
}

function makeClient(folder: string): string {
  fs.mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    const done = spawnSync("openssl", args);
    if (done.status !== 0) throw new Error(`openssl: ${String(done.stderr)}`);
  };
  const key = ["-newkey", "rsa:2048", "-nodes"];
  openssl("req", "-x509", ...key, "-days", "2", "-subj", "/CN=authority", "-keyout", at("a.key"), "-out", at("a.pem"));
  openssl("req", ...key, "-subj", "/CN=ann", "-keyout", at("client.key"), "-out", at("client.csr"));
  const signing = ["-CA", at("a.pem"), "-CAkey", at("a.key"), "-CAcreateserial", "-days", "2"];
  openssl("x509", "-req", "-in", at("client.csr"), ...signing, "-out", at("client.cert"));
  return at("a.pem");
}

/** Puts what belongs into the user's certs.d. */
function trust(home: string, registry: RegistryPeer, setUp: SetUp): void {
  const folder = join(home, ".config/containers/certs.d", registry.host);
  fs.mkdirSync(folder, { recursive: true });
  if (fs.existsSync(registry.certificate)) fs.copyFileSync(registry.certificate, join(folder, "ca.crt"));
  if (!setUp.clients) return;
  for (const name of ["client.cert", "client.key"]) {
    fs.copyFileSync(join(world.folder, "client", name), join(folder, name));
  }
}

describe.skipIf(missing !== undefined)("the same commands with", () => {
  it.each(SET_UPS)("$name", async (setUp) => {
    const folder = fs.mkdtempSync(join(world.folder, "case-"));
    const options = setUp.options();
    const registry = await startRegistry(join(folder, "registry"), options);
    const env = { HOME: folder };
    // The token server is in this process.
    const run: Run = (args, more = {}) => world.tareAsync(args, { ...more, env: { ...env, ...more.env } });
    const ok = async (...args: readonly string[]): Promise<string> => {
      const { code, out, err } = await run(args);
      expect({ args, code, err: code === 0 ? "" : err }).toEqual({ args, code: 0, err: "" });
      return out.trim();
    };
    try {
      const name = `${registry.host}/team/app:1`;
      await ok("tag", "app:1", name);
      if (options.tls) expect((await run(["push", name])).err).toMatch(/error\[E_REGISTRY\].*certificate/);
      trust(folder, registry, { ...setUp, clients: false });
      if (setUp.clients) expect((await run(["push", name])).err).toContain("it wants a certificate of us");
      trust(folder, registry, setUp);
      if (setUp.login) await logIn(run, registry.host, name);
      await ok("push", "-q", name);
      const digest = await ok("copy", "-q", name, `oci:${folder}/layout:1`);
      expect(await ok("copy", "-q", `oci:${folder}/layout:1`, `${registry.host}/other/app:2`)).toBe(digest);
      expect(await ok("copy", "-q", name, `${registry.host}/other/app:3`)).toBe(digest);
      expect(await ok("manifest", "inspect", `${registry.host}/other/app@${digest}`)).toContain('"layers"');
      const pulled = { env: world.another(join(basename(folder), "store")) };
      const { out } = await run(["pull", "-q", "-a", `${registry.host}/other/app`], pulled);
      expect(out.trim().split("\n").toSorted()).toEqual(["2", "3"].map((tag) => `${registry.host}/other/app:${tag}`));
      if (!setUp.login) return;
      await ok("logout", registry.host);
      expect((await run(["pull", name])).err).toMatch(/error\[E_REGISTRY_(?:AUTH|DENIED)\]/);
    } finally {
      await registry.stop();
    }
  });

  it("a token server that lets nobody in particular pull what is public", async () => {
    const folder = fs.mkdtempSync(join(world.folder, "public-"));
    const registry = await startRegistry(join(folder, "registry"), { token: tokens });
    const run: Run = (args, more = {}) => world.tareAsync(args, { ...more, env: { HOME: folder, ...more.env } });
    try {
      const name = `${registry.host}/public/app:1`;
      await run(["tag", "app:1", name]);
      await logIn(run, registry.host, name);
      expect((await run(["push", "-q", name])).code).toBe(0);
      await run(["logout", registry.host]);
      tokens.given.splice(0);
      expect((await run(["pull", "-q", name], { env: world.another(join(basename(folder), "store")) })).code).toBe(0);
      // One token for all of the pull.
      expect(tokens.given).toEqual(["- repository:public/app:pull"]);
      expect((await run(["copy", name, name.replace(":1", ":2")])).err).toMatch(/error\[E_REGISTRY_(?:AUTH|DENIED)\]/);
    } finally {
      await registry.stop();
    }
  });
});

async function logIn(run: Run, host: string, name: string): Promise<void> {
  expect((await run(["push", name])).err).toMatch(/error\[E_REGISTRY_(?:AUTH|DENIED)\]/);
  const words = ["login", "-u", "ann", "--password-stdin", host];
  const wrong = await run(words, { input: "wrong\n" });
  expect(wrong.err).toContain("error[E_REGISTRY_AUTH]");
  expect(wrong.err).not.toContain("wrong");
  expect(await run(words, { input: "secret\n" })).toMatchObject({ code: 0, out: "Login Succeeded\n" });
}
