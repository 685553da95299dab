// SPDX-License-Identifier: Apache-2.0
import type { ClientRequest, IncomingMessage } from "node:http";
import { TareError, messageOf, systemErrorCode } from "../base/index.ts";
import type { ByteSink } from "../base/index.ts";
import type { ContentStore } from "./write-image.ts";
import { saveImages } from "./save.ts";
import type { SaveItem } from "./save.ts";

/** Where a Docker Engine listens. */
export interface DockerEndpoint {
  /** `unix:///var/run/docker.sock`, `tcp://host:port` or `http://host:port`; what `DOCKER_HOST` holds. */
  readonly host: string;
  readonly signal?: AbortSignal;
  /** Each line that the engine tells (`Loaded image: …`). */
  readonly onMessage?: (text: string) => void;
}

/**
 * Streams images into a running Docker Engine (Engine API, `POST /images/load`); nothing is written to disk here.
 * Throws `E_DOCKER` when it can't be reached or refuses.
 */
export async function loadIntoDocker(
  store: ContentStore,
  items: readonly SaveItem[],
  endpoint: DockerEndpoint,
): Promise<void> {
  await streamIntoDocker(endpoint, (sink) => saveImages(store, items, sink, { format: "docker" }));
}

/** Streams the docker archive that `write` makes into a running Docker Engine. Throws as `loadIntoDocker`. */
export async function streamIntoDocker<T>(endpoint: DockerEndpoint, write: (sink: ByteSink) => Promise<T>): Promise<T> {
  const http = process.getBuiltinModule("node:http");
  const request = http.request({
    ...addressOf(endpoint.host),
    method: "POST",
    path: "/images/load?quiet=1",
    headers: { host: "docker", "content-type": "application/x-tar" },
    ...(endpoint.signal === undefined ? {} : { signal: endpoint.signal }),
  });
  const answer = answerOf(request, endpoint);
  // The engine may answer before it has read everything; then the answer tells why, not the broken pipe.
  const writing = write({ write: (chunk) => send(request, chunk) }).then((result) => {
    request.end();
    return result;
  });
  const sent = writing.catch(async (error: unknown) => {
    await afterFailure(request, answer, error);
    throw error;
  });
  const [, result] = await Promise.all([answer, sent]);
  return result;
}

/** The docker archive of an image of a running Docker Engine (`GET /images/{name}/get`). Throws `E_DOCKER`. */
export async function* readFromDocker(endpoint: DockerEndpoint, name: string): AsyncGenerator<Uint8Array> {
  const http = process.getBuiltinModule("node:http");
  const request = http.request({
    ...addressOf(endpoint.host),
    path: `/images/get?names=${encodeURIComponent(name)}`,
    headers: { host: "docker" },
    ...(endpoint.signal === undefined ? {} : { signal: endpoint.signal }),
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on("error", (error) => reject(connectionError(endpoint.host, error, `reading \`${name}\` from`)));
    request.on("response", resolve);
    request.end();
  });
  const { statusCode: status = 0 } = response;
  if (status !== 200) {
    const why = messageIn(await textOf(response)) ?? `status ${status}`;
    throw new TareError("E_DOCKER", `reading \`${name}\` from Docker at \`${endpoint.host}\`: ${why}`);
  }
  yield* response;
}

function addressOf(host: string): { readonly socketPath: string } | { readonly host: string; readonly port: number } {
  if (host.startsWith("unix://")) return { socketPath: host.slice("unix://".length) };
  if (host.startsWith("/")) return { socketPath: host };
  const url = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(host);
  if (url) return { host: (url[1] ?? "").replace(/^\[|\]$/g, ""), port: Number(url[2] ?? 2375) };
  throw new TareError(
    "E_DOCKER",
    `connecting to Docker at \`${host}\`: only unix:// and tcp:// without TLS are supported`,
    {
      hint: "save the image and load it there: `tare save NAME | docker load`",
    },
  );
}

/** The chunk is the writer's buffer and will change: wait until the socket took it. */
function send(request: ClientRequest, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    request.write(Buffer.from(chunk), (error) => (error ? reject(error) : resolve()));
  });
}

function answerOf(request: ClientRequest, endpoint: DockerEndpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    request.on("error", (error) => reject(connectionError(endpoint.host, error)));
    request.on("response", (response) => {
      readAnswer(response, endpoint).then(resolve, reject);
    });
  });
}

async function afterFailure(request: ClientRequest, answer: Promise<void>, error: unknown): Promise<void> {
  if (!(error instanceof TareError)) return answer;
  request.destroy();
  await answer.catch(() => undefined);
  throw error;
}

function connectionError(host: string, error: unknown, doing = "loading into"): TareError {
  const code = systemErrorCode(error);
  const hints: Readonly<Record<string, string>> = {
    ENOENT: "is Docker running? start it, or set DOCKER_HOST",
    ECONNREFUSED: "is Docker running? start it, or set DOCKER_HOST",
    EACCES: "run as root or as a member of the group that owns the socket",
  };
  const hint = hints[code ?? ""];
  return new TareError("E_DOCKER", `${doing} Docker at \`${host}\`: ${messageOf(error)}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

/** The answer is one JSON object a line: `{"stream": …}`, or `{"error": …}` although the status was 200. */
async function readAnswer(response: IncomingMessage, endpoint: DockerEndpoint): Promise<void> {
  const text = await textOf(response);
  const status = response.statusCode ?? 0;
  if (status !== 200) throw refused(endpoint.host, messageIn(text) ?? `status ${status}`);
  for (const line of text.split("\n")) {
    const value = parseLine(line);
    if (typeof value["error"] === "string") throw refused(endpoint.host, value["error"]);
    if (typeof value["stream"] === "string") endpoint.onMessage?.(value["stream"].trimEnd());
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function messageIn(text: string): string | undefined {
  const message = parseLine(text)["message"];
  return typeof message === "string" ? message : undefined;
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function refused(host: string, why: string): TareError {
  return new TareError("E_DOCKER", `loading into Docker at \`${host}\`: ${why}`);
}
