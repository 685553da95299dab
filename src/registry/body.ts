// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";

/** The whole body as it came. Throws `E_REGISTRY` beyond `limit` bytes. */
export async function readBytes(response: HttpResponse, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > limit) {
      response.discard();
      throw new TareError("E_REGISTRY", `reading \`${new URL(response.url).host}\`: more than ${limit} bytes came`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** A header that is a whole number, or undefined. */
export function numberHeader(response: HttpResponse, name: string): number | undefined {
  const text = response.headers[name];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
