// SPDX-License-Identifier: Apache-2.0
/*
 * A token server for docker-registry (distribution's "Docker Registry v2 authentication via central service"): signed
 * JSON web tokens with the certificate in their header, for users of a list; who is nobody may pull what is public.
 */
import { spawnSync } from "node:child_process";
import { createSign, randomUUID } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** How it gives tokens. */
export interface TokenOptions {
  /** Passwords by user. */
  readonly users: Readonly<Record<string, string>>;
  /** Repositories that everybody may pull. */
  readonly isPublic?: (repository: string) => boolean;
  /** Seconds that a token is good for. */
  readonly seconds?: number;
}

/** A running token server. */
export interface TokenServer {
  readonly realm: string;
  readonly issuer: string;
  readonly service: string;
  /** What the registry trusts. */
  readonly certificate: string;
  /** `user scope scope…` of each token; the user of nobody is `-`. */
  readonly given: string[];
  close(): void;
}

const ISSUER = "tare-test";
const SERVICE = "test registry";

/** Starts it; the caller closes it. */
export async function startTokenServer(folder: string, options: TokenOptions): Promise<TokenServer> {
  fs.mkdirSync(folder, { recursive: true });
  const [certificate, key] = [join(folder, "token.pem"), join(folder, "token-key.pem")];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=token"];
  const made = spawnSync("openssl", [...args, "-keyout", key, "-out", certificate]);
  if (made.status !== 0) throw new Error(`openssl: ${String(made.stderr)}`);
  const signer = { key: fs.readFileSync(key, "utf8"), chain: chainOf(fs.readFileSync(certificate, "utf8")) };
  const given: string[] = [];
  const server = createServer((message, response) => {
    const user = userOf(message, options);
    if (user === undefined) return response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
    const scopes = new URL(message.url ?? "", "http://localhost").searchParams.getAll("scope");
    given.push([user === "" ? "-" : user, ...scopes].join(" "));
    const access = scopes.map((scope) => grant(scope, user, options));
    return response.end(JSON.stringify({ token: tokenFor(user, access, { signer, options }), expires_in: 300 }));
  });
  const port = await listen(server);
  const realm = `http://127.0.0.1:${port}/token`;
  return { realm, issuer: ISSUER, service: SERVICE, certificate, given, close: () => void server.close() };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Undefined for a wrong password, empty for nobody. */
function userOf({ headers }: IncomingMessage, { users }: TokenOptions): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return "";
  const known = Object.entries(users).find((pair) => authorization === `Basic ${btoa(pair.join(":"))}`);
  return known?.[0];
}

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

function grant(scope: string, user: string, { isPublic = () => false }: TokenOptions): Access {
  const [type = "", name = "", actions = ""] = scope.split(":");
  const wanted = actions.split(",");
  if (user !== "") return { type, name, actions: wanted };
  return { type, name, actions: isPublic(name) ? wanted.filter((action) => action === "pull") : [] };
}

interface Signing {
  readonly signer: { readonly key: string; readonly chain: readonly string[] };
  readonly options: TokenOptions;
}

function tokenFor(user: string, access: readonly Access[], { signer, options }: Signing): string {
  const now = Math.floor(Date.now() / 1000);
  const header = { typ: "JWT", alg: "RS256", x5c: signer.chain };
  const exp = now + (options.seconds ?? 300);
  const claims = { iss: ISSUER, sub: user, aud: SERVICE, exp, nbf: now - 10, iat: now, jti: randomUUID(), access };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${text}.${createSign("RSA-SHA256").update(text).sign(signer.key, "base64url")}`;
}

function chainOf(pem: string): readonly string[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g)].map(([, body = ""]) =>
    body.replaceAll(/\s/g, ""),
  );
}
