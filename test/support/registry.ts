// SPDX-License-Identifier: Apache-2.0
/* Debian's docker-registry (distribution 2.8) for one test, on a port of its own of this machine. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TokenServer } from "./token-server.ts";

/** How the registry is set up. */
export interface RegistryOptions {
  /** `user:hash` lines (bcrypt): who may do anything. */
  readonly htpasswd?: string;
  /** Tokens of this server are wanted. */
  readonly token?: Pick<TokenServer, "realm" | "issuer" | "service" | "certificate">;
  /** With TLS: clients need a certificate of this authority. */
  readonly clientAuthority?: string;
  /** Serves TLS for `localhost`; the certificate is its own authority. */
  readonly tls?: boolean;
  /** A folder that another registry fills too. */
  readonly storage?: string;
  readonly port?: number;
  /** Starts it in the network namespace of this process. */
  readonly namespaceOf?: number;
}

/** A running registry. */
export interface RegistryPeer {
  /** `127.0.0.1:port`, with TLS `localhost:port`. */
  readonly host: string;
  readonly port: number;
  readonly storage: string;
  /** The certificate's file. */
  readonly certificate: string;
  stop(): Promise<void>;
}

/** Why no registry can be started here; undefined when one can. */
export function whyNoRegistry(): string | undefined {
  const found = spawnSync("sh", ["-c", "command -v docker-registry"]).status === 0;
  return found ? undefined : "docker-registry is not installed";
}

/** Starts a registry; the caller stops it. */
export async function startRegistry(folder: string, options: RegistryOptions = {}): Promise<RegistryPeer> {
  fs.mkdirSync(folder, { recursive: true });
  const port = options.port ?? (await freePort());
  const storage = options.storage ?? join(folder, "data");
  const certificate = join(folder, "certificate.pem");
  const key = join(folder, "key.pem");
  if (options.tls) makeCertificate(certificate, key);
  if (options.htpasswd !== undefined) fs.writeFileSync(join(folder, "htpasswd"), options.htpasswd);
  const lines = [
    "version: 0.1",
    "log: {level: warn, accesslog: {disabled: true}}",
    `storage: {filesystem: {rootdirectory: ${storage}}}`,
    ...(options.htpasswd === undefined ? [] : [`auth: {htpasswd: {realm: test, path: ${folder}/htpasswd}}`]),
    ...tokenLines(options.token),
    `http: {addr: "127.0.0.1:${port}"${options.tls ? `, tls: ${tlsOf(options, certificate, key)}` : ""}}`,
  ];
  const config = join(folder, "config.yml");
  fs.writeFileSync(config, `${lines.join("\n")}\n`);
  const child = startChild(config, join(folder, "log"), options.namespaceOf);
  await waitForPort(child, port, options.namespaceOf);
  const host = `${options.tls ? "localhost" : "127.0.0.1"}:${port}`;
  return { host, port, storage, certificate, stop: () => end(child) };
}

function tokenLines(token: RegistryOptions["token"]): readonly string[] {
  if (!token) return [];
  const { realm, issuer, service, certificate } = token;
  return [
    `auth: {token: {realm: "${realm}", service: "${service}", issuer: ${issuer}, rootcertbundle: ${certificate}}}`,
  ];
}

function tlsOf({ clientAuthority }: RegistryOptions, certificate: string, key: string): string {
  const clients = clientAuthority === undefined ? "" : `, clientcas: [${clientAuthority}]`;
  return `{certificate: ${certificate}, key: ${key}${clients}}`;
}

function startChild(config: string, log: string, namespaceOf: number | undefined): ChildProcess {
  const output = fs.openSync(log, "w");
  const inside = namespaceOf === undefined ? [] : ["nsenter", "-t", String(namespaceOf), "-n"];
  const [command = "docker-registry", ...args] = [...inside, "docker-registry", "serve", config];
  const child = spawn(command, args, { stdio: ["ignore", output, output] });
  fs.closeSync(output);
  return child;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function waitForPort(child: ChildProcess, port: number, namespaceOf: number | undefined): Promise<void> {
  const inside = namespaceOf === undefined ? [] : ["nsenter", "-t", String(namespaceOf), "-n"];
  const probe = [...inside, "bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port}`];
  for (let tries = 0; tries < 100 && child.exitCode === null; tries += 1) {
    if (spawnSync(probe[0] ?? "", probe.slice(1)).status === 0) return;
    await sleep(100);
  }
  throw new Error(`docker-registry did not start (exit code ${String(child.exitCode)})`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await Promise.race([gone, sleep(3000)]);
  if (child.exitCode === null) child.kill("SIGKILL");
}

function makeCertificate(certificate: string, key: string): void {
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"];
  const done = spawnSync("openssl", [...args, "-addext", names, "-keyout", key, "-out", certificate]);
  if (done.status !== 0) throw new Error(`openssl: ${String(done.stderr)}`);
}
