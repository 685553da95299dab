// SPDX-License-Identifier: Apache-2.0
/* The files of a project on an index: PEP 503 (HTML) and PEP 691 (JSON). */
import { TareError } from "../../base/index.ts";
import { redactUrl, withoutCredentials } from "../../http/index.ts";
import { normalizeName } from "../requirements/names.ts";
import { sha256Of } from "../locks/table.ts";
import type { HttpClient } from "../../http/index.ts";
import type { DistributionFile } from "../types.ts";
import type { Credentials } from "./credentials.ts";

const ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/** What asking an index needs. */
export interface IndexAccess {
  readonly client: HttpClient;
  readonly credentials: Credentials;
  readonly signal?: AbortSignal;
}

/** All files of a project. Throws `E_PROJECT_NOTFOUND`, `E_INDEX_AUTH`, `E_HTTP`. */
export async function indexFiles(
  access: IndexAccess,
  indexUrl: string,
  name: string,
): Promise<readonly DistributionFile[]> {
  const url = `${indexUrl.replace(/\/+$/, "")}/${normalizeName(name)}/`;
  const authorization = access.credentials.authorizationFor(indexUrl);
  const response = await access.client.request({
    url: withoutCredentials(url),
    headers: { accept: ACCEPT, ...(authorization === undefined ? {} : { authorization }) },
    ...(access.signal === undefined ? {} : { signal: access.signal }),
  });
  if (response.status !== 200) {
    response.discard();
    throw refusal(url, name, response.status);
  }
  const text = await response.text();
  const isJson = /json/.test(response.headers["content-type"] ?? "");
  return isJson ? jsonFiles(pageOf(text, url), response.url) : htmlFiles(text, response.url);
}

function refusal(url: string, name: string, status: number): TareError {
  const host = URL.parse(url)?.host ?? "";
  if (status === 404) {
    return new TareError("E_PROJECT_NOTFOUND", `asking ${host} for \`${name}\`: it has no such project`, {
      hint: "check the name and the index settings",
    });
  }
  if (status === 401 || status === 403) {
    return new TareError("E_INDEX_AUTH", `asking ${host} for \`${name}\`: it answered ${status}`, {
      hint: `give credentials for ${host} in ~/.netrc, or in the index URL of pip's or uv's settings`,
    });
  }
  return new TareError("E_HTTP", `asking ${redactUrl(url)}: the server answered ${status}`, {
    hint: "try again later",
  });
}

type Values = Readonly<Record<string, unknown>>;

function pageOf(text: string, url: string): Values {
  try {
    return valuesOf(JSON.parse(text));
  } catch (error) {
    throw new TareError("E_HTTP", `asking ${redactUrl(url)}: the answer is no page of an index`, {
      hint: "check the index's address",
      cause: error,
    });
  }
}

function valuesOf(value: unknown): Values {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function jsonFiles(page: Values, base: string): readonly DistributionFile[] {
  const files: readonly unknown[] = Array.isArray(page["files"]) ? page["files"] : [];
  return files.map(valuesOf).flatMap((file) => {
    const { filename, url, size } = file;
    const place = typeof url === "string" ? URL.parse(url, base)?.href : undefined;
    if (typeof filename !== "string" || place === undefined) return [];
    const sha256 = valuesOf(file["hashes"])["sha256"];
    const digest = sha256Of(typeof sha256 === "string" ? sha256 : undefined);
    return {
      fileName: filename,
      url: place,
      ...(digest === undefined ? {} : { digest }),
      ...(typeof size === "number" ? { size } : {}),
    };
  });
}

function htmlFiles(text: string, base: string): readonly DistributionFile[] {
  return [...text.matchAll(/<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>([^<]*)<\/a>/gi)].map((match) => {
    const url = new URL(unescapeHtml(match[1] ?? match[2] ?? ""), base);
    const digest = sha256Of(/^#sha256=([0-9a-f]{64})/.exec(url.hash)?.[1]);
    url.hash = "";
    const fileName = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
    return { fileName, url: url.href, ...(digest === undefined ? {} : { digest }) };
  });
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
