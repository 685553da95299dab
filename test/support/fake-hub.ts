// SPDX-License-Identifier: Apache-2.0
/*
 * Docker Hub in this process: its search, its registry and its token server, each under its own name. A proxy for
 * `HTTPS_PROXY` leads there whatever is asked for; the certificate is trusted by `SSL_CERT_FILE`.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { FakeRegistry } from "../../src/registry/fixture.ts";

const HOSTS = ["index.docker.io", "registry-1.docker.io", "auth.docker.io"];

/** A running Hub. */
export interface FakeHub {
  readonly registry: FakeRegistry;
  /** `HTTPS_PROXY` and `SSL_CERT_FILE`. */
  readonly env: Readonly<Record<string, string>>;
  /** `host path`, and who asked. */
  readonly asked: { readonly url: string; readonly authorization: string | undefined }[];
  /** What a search gives. */
  results: readonly object[];
  close(): Promise<void>;
}

/** Starts it; the caller closes it. */
export async function startHub(folder: string): Promise<FakeHub> {
  const { certificate, key } = makeCertificate(folder);
  const registry = await FakeRegistry.open({ auth: "token", realm: "https://auth.docker.io/token" });
  const asked: { url: string; authorization: string | undefined }[] = [];
  const state: { results: readonly object[] } = { results: [] };
  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { host = "", authorization } = message.headers;
    asked.push({ url: `${host}${message.url ?? ""}`, authorization });
    if (host !== "index.docker.io") return registry.handle(message, response);
    response.end(JSON.stringify({ num_results: state.results.length, results: state.results }));
  };
  const server = createTlsServer(
    { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) },
    (message, response) => {
      answer(message, response).catch((error: unknown) => response.destroy(error as Error));
    },
  );
  const port = await listen(server);
  const { proxy, sockets } = proxyTo(port);
  const proxyPort = await listen(proxy);
  return {
    registry,
    asked,
    env: { HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`, SSL_CERT_FILE: certificate },
    get results() {
      return state.results;
    },
    set results(results) {
      state.results = results;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
      proxy.close();
      await registry.close();
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Tunnels of the Hub's names; no other host is there. */
function proxyTo(port: number): { readonly proxy: Server; readonly sockets: ReadonlySet<Socket> } {
  const sockets = new Set<Socket>();
  const proxy = createServer();
  proxy.on("connect", (request: IncomingMessage, client: Socket) => {
    if (!HOSTS.some((host) => request.url === `${host}:443`)) return client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    const upstream = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    return undefined;
  });
  return { proxy, sockets };
}

function makeCertificate(folder: string): { readonly certificate: string; readonly key: string } {
  const [certificate, key] = [join(folder, "hub.pem"), join(folder, "hub-key.pem")];
  const names = `subjectAltName=${HOSTS.map((host) => `DNS:${host}`).join(",")}`;
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hub"];
  const done = spawnSync("openssl", [...args, "-addext", names, "-keyout", key, "-out", certificate]);
  if (done.status !== 0) throw new Error(`openssl: ${String(done.stderr)}`);
  return { certificate, key };
}
