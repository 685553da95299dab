// SPDX-License-Identifier: Apache-2.0
/* Sizes that an index does not tell (small ones, and torch's): asked of the server, so that a plan can show them. */
import { isTareError } from "../../base/index.ts";
import { openIndexClient } from "../index-client/client.ts";
import type { UvPlace } from "./uv.ts";

/** Files of one set that are asked for; beyond it a lock stays without. */
const MOST_QUESTIONS = 200;
const UNSIZED = /\{ url = "(https?:[^"]+)",(?![^{}]*\bsize = )/g;

/** The lock with sizes for files without one, where their server tells. Never throws for a server's sake. */
export async function withSizes(place: Pick<UvPlace, "env" | "signal">, pylock: string): Promise<string> {
  const urls = [...new Set([...pylock.matchAll(UNSIZED)].map(([, url = ""]) => url))].slice(0, MOST_QUESTIONS);
  if (urls.length === 0) return pylock;
  const access = openIndexClient(place.env);
  try {
    const sizes = new Map(
      await Promise.all(urls.map(async (url) => [url, await sizeOf(access, url, place.signal)] as const)),
    );
    return pylock.replaceAll(UNSIZED, (whole, url: string) => {
      const size = sizes.get(url);
      return size === undefined ? whole : `${whole} size = ${size},`;
    });
  } finally {
    access.client.close();
  }
}

async function sizeOf(
  { client, credentials }: ReturnType<typeof openIndexClient>,
  url: string,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const authorization = credentials.authorizationFor(url);
  try {
    const response = await client.request({
      url,
      method: "HEAD",
      ...(authorization === undefined ? {} : { headers: { authorization } }),
      ...(signal === undefined ? {} : { signal }),
    });
    response.discard();
    const size = Number(response.headers["content-length"] ?? "");
    return response.status === 200 && Number.isSafeInteger(size) && size > 0 ? size : undefined;
  } catch (error) {
    if (isTareError(error, "E_HTTP")) return undefined;
    throw error;
  }
}
