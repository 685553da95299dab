// SPDX-License-Identifier: Apache-2.0
/* A server of this process in the place of a host of the internet: by a proxy and a certificate that programs trust. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createServer as createProxy } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createServer } from "node:https";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** A host that is answered here. */
export interface StandInHost {
  /** Variables that lead programs to it, and make them trust it. */
  readonly env: Readonly<Record<string, string>>;
  /** Hosts that were asked for. */
  readonly connections: readonly string[];
  close(): void;
}

/** Why no certificate can be made here; undefined when it can. */
export function whyNoCertificates(): string | undefined {
  return spawnSync("openssl", ["version"]).status === 0 ? undefined : "openssl is not installed";
}

/** Answers for `host` on port 443 with `listener`; other hosts can't be reached through the proxy. */
export async function startStandInHost(folder: string, host: string, listener: RequestListener): Promise<StandInHost> {
  const { key, certificate, authority } = makeCertificates(folder, host);
  const server = createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(certificate) }, listener);
  await listen(server);
  const { port } = server.address() as AddressInfo;
  const connections: string[] = [];
  const proxy = createProxy((_request, response) => void response.writeHead(403).end());
  proxy.on("connect", (request, socket, head) => {
    connections.push(request.url ?? "");
    if (request.url !== `${host}:443`) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const target = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      target.write(head);
      target.pipe(socket).pipe(target);
    });
    for (const each of [target, socket]) each.on("error", () => (target.destroy(), socket.destroy()));
  });
  await listen(proxy);
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return {
    env: { HTTPS_PROXY: url, https_proxy: url, SSL_CERT_FILE: authority },
    connections,
    close: () => {
      for (const each of [server, proxy]) {
        each.close();
        each.closeAllConnections();
      }
    },
  };
}

function listen(server: Server | ReturnType<typeof createServer>): Promise<void> {
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done()));
}

interface Certificates {
  readonly key: string;
  readonly certificate: string;
  /** That of the authority, for programs to trust. */
  readonly authority: string;
}

/** An authority and a host's certificate signed by it: one that is both is refused by some. */
function makeCertificates(folder: string, host: string): Certificates {
  const at = (name: string): string => join(folder, name);
  const [key, certificate, authority] = [at("key.pem"), at("certificate.pem"), at("authority.pem")];
  const fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const name = ["-days", "2", "-subj", "/CN=tests of Tare"];
  openssl("req", "-x509", ...fresh, "-keyout", at("authority-key.pem"), "-out", authority, ...name);
  openssl("req", "-new", ...fresh, "-keyout", key, "-out", at("request.pem"), "-subj", `/CN=${host}`);
  fs.writeFileSync(at("extensions"), `subjectAltName=DNS:${host}\nbasicConstraints=CA:FALSE\n`);
  const signer = ["-CA", authority, "-CAkey", at("authority-key.pem"), "-CAcreateserial", "-days", "2"];
  openssl("x509", "-req", "-in", at("request.pem"), "-out", certificate, ...signer, "-extfile", at("extensions"));
  return { key, certificate, authority };
}

function openssl(...args: readonly string[]): void {
  const made = spawnSync("openssl", args, { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`openssl ${args.join(" ")}: ${made.stderr}`);
}
