// SPDX-License-Identifier: Apache-2.0
/*
 * Docker Hub's search, which is no part of the distribution specification: `GET /v1/search?q=TERM&n=LIMIT` of
 * index.docker.io. Nobody's credentials are sent: what is found is public.
 */
import { TareError, isTareError } from "../base/index.ts";
import { DOCUMENT_LIMIT } from "../oci/index.ts";
import { readBytes } from "./body.ts";
import { connectionLost, refusal } from "./errors.ts";
import type { RegistryTransport } from "./types.ts";

/** A repository that was found. */
export interface FoundRepository {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
  readonly isAutomated: boolean;
}

const INDEX = "https://index.docker.io/v1/search";
const DOING = "searching Docker Hub";

/** Repositories of Docker Hub in its order. Throws `E_REGISTRY` when it does not answer, or not with a list. */
export async function searchHub(
  transport: RegistryTransport,
  { term, limit }: { readonly term: string; readonly limit: number },
  signal?: AbortSignal,
): Promise<readonly FoundRepository[]> {
  const url = `${INDEX}?q=${encodeURIComponent(term)}&n=${limit}`;
  try {
    const response = await transport.request({ url, ...(signal === undefined ? {} : { signal }) });
    if (response.status !== 200) throw await refusal(response, { domain: "docker.io", doing: DOING });
    return resultsIn((await readBytes(response, DOCUMENT_LIMIT)).toString("utf8")).slice(0, limit);
  } catch (error) {
    throw isTareError(error, "E_HTTP") ? connectionLost(DOING, error) : error;
  }
}

function resultsIn(text: string): readonly FoundRepository[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const results = isObject(value) ? value["results"] : undefined;
  if (!Array.isArray(results)) throw new TareError("E_REGISTRY", `${DOING}: its answer is no list of results`);
  return results.filter(isObject).map((each) => ({
    name: textOf(each["name"]),
    description: textOf(each["description"]),
    stars: typeof each["star_count"] === "number" ? each["star_count"] : 0,
    isOfficial: each["is_official"] === true,
    isAutomated: each["is_automated"] === true,
  }));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
