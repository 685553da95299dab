// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { connectionFailure } from "./failure.ts";
import { redactUrl } from "./url.ts";
import type { IncomingMessage } from "node:http";
import type { HttpResponse } from "./types.ts";

const TEXT_LIMIT = 64 << 20;

/** An answer of Node's as ours. */
export function openAnswer(message: IncomingMessage, url: string): HttpResponse {
  const headers = Object.fromEntries(
    Object.entries(message.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === "string" ? value : value.join(", ")]],
    ),
  );
  return {
    status: message.statusCode ?? 0,
    headers,
    url,
    body: bodyOf(message, url),
    text: (limit = TEXT_LIMIT) => readText(bodyOf(message, url), url, limit),
    discard: () => discard(message),
  };
}

async function* bodyOf(message: IncomingMessage, url: string): AsyncGenerator<Uint8Array> {
  try {
    yield* message as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw connectionFailure(url, error);
  }
}

async function readText(body: AsyncIterable<Uint8Array>, url: string, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit)
      throw new TareError("E_HTTP", `fetching ${redactUrl(url)}: the answer is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A short rest is read, so that the connection can serve again; a long one is cut off. */
function discard(message: IncomingMessage): void {
  const rest = Number(message.headers["content-length"] ?? Number.NaN);
  message.on("error", () => undefined);
  if (rest <= 1 << 16 || message.statusCode === 304) message.resume();
  else message.destroy();
}
