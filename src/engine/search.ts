// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { splitDomain } from "../oci/index.ts";
import { isHub } from "../registry/index.ts";
import type { FoundRepository } from "../registry/index.ts";
import type { SearchRequest, SearchResult } from "./facade-search.ts";
import { configPlace, requireOnline } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";

const LARGEST = 100;

/** `search`. Throws `E_UNSUPPORTED` for a registry that is not Docker Hub, `E_FILTER`, `E_USAGE`, `E_REGISTRY`. */
export async function search(rooms: Rooms, request: SearchRequest): Promise<readonly SearchResult[]> {
  const { limit, signal } = request;
  const term = hubTerm(request.term);
  if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST) {
    throw new TareError(
      "E_USAGE",
      `searching \`${term}\`: the limit \`${limit}\` is outside the range of 1 to ${LARGEST}`,
    );
  }
  const fits = Object.entries(request.filters).map(([key, values]) => filterOf(key, values));
  requireOnline(rooms.settings, "docker.io");
  const { hubTransport, searchHub } = await import("../registry/index.ts");
  const found = await searchHub(hubTransport(configPlace(rooms.settings)), { term, limit }, signal);
  return found.filter((each) => fits.every((fit) => fit(each))).toSorted((a, b) => b.stars - a.stars);
}

function hubTerm(text: string): string {
  const [first = "", ...rest] = text.split("/");
  const [domain] = splitDomain(text);
  if (text.trim() === "") throw new TareError("E_USAGE", "searching: the term is empty");
  if (!isHub(domain)) {
    throw new TareError(
      "E_UNSUPPORTED",
      `searching \`${domain}\`: only Docker Hub has a search; other registries have none`,
      {
        hint: `look at its web page; \`tare manifest inspect ${text}\` tells whether an image is there`,
      },
    );
  }
  return (isHub(first) && rest.length > 0 ? rest.join("/") : text).replace(/^library\//, "");
}

type Fit = (found: FoundRepository) => boolean;

/** Docker's filters; several values of one are alternatives, of `stars` the most counts. */
function filterOf(key: string, values: readonly string[]): Fit {
  switch (key) {
    case "stars": {
      const least = Math.max(...values.map((value) => starsIn(value)));
      return ({ stars }) => stars >= least;
    }
    case "is-official": {
      const wanted = values.map((value) => flagIn(key, value));
      return ({ isOfficial }) => wanted.includes(isOfficial);
    }
    case "is-automated": {
      const wanted = values.map((value) => flagIn(key, value));
      return ({ isAutomated }) => wanted.includes(isAutomated);
    }
    default:
      throw new TareError("E_FILTER", `filtering: \`${key}\` is no filter of a search`, {
        hint: "there are is-official=true, is-automated=true and stars=NUMBER",
      });
  }
}

function starsIn(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new TareError("E_FILTER", `filtering: \`stars=${text}\` is no whole number`);
}

function flagIn(key: string, text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new TareError("E_FILTER", `filtering: \`${key}=${text}\` is neither true nor false`);
}
