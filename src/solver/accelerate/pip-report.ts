// SPDX-License-Identifier: Apache-2.0
import { TareError, parseDigest } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";

/** A distribution that pip would install. */
export interface ReportedWheel {
  readonly name: string;
  readonly version: string;
  readonly fileName: string;
  /** http(s) or file URL as pip reports it: without a password. */
  readonly url: string;
  readonly digest?: Digest;
  readonly isRequested: boolean;
  /** PEP 610, for those asked for by URL. */
  readonly direct?: Readonly<Record<string, unknown>>;
}

/** What a dry run says: the wheels in pip's order, or why wheels alone do not do it. */
export type ReportReading = { readonly wheels: readonly ReportedWheel[] } | { readonly reason: string };

type Json = Readonly<Record<string, unknown>>;

/** Reads pip's installation report, version 1 (pip documentation, "Installation Report"). Throws `E_REQUIREMENTS`. */
export function readReport(text: string): ReportReading {
  const report = parse(text);
  if (report["version"] !== "1") return { reason: `pip's report has the unknown version ${String(report["version"])}` };
  const items = Array.isArray(report["install"]) ? (report["install"] as readonly Json[]) : [];
  const wheels: ReportedWheel[] = [];
  for (const item of items) {
    const read = readItem(item);
    if ("reason" in read) return read;
    wheels.push(read);
  }
  return { wheels };
}

function parse(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Json;
  } catch {
    // Said below.
  }
  throw new TareError("E_REQUIREMENTS", "reading pip's installation report: it is not a JSON object");
}

function readItem(item: Json): ReportedWheel | { readonly reason: string } {
  const metadata = objectOf(item["metadata"]);
  const download = objectOf(item["download_info"]);
  const name = String(metadata["name"] ?? "");
  const url = String(download["url"] ?? "");
  if ("vcs_info" in download) return { reason: `${name} is built from a repository` };
  if ("dir_info" in download) return { reason: `${name} is built from a folder` };
  const fileName = decodeURIComponent(URL.parse(url)?.pathname.split("/").at(-1) ?? "");
  if (!fileName.endsWith(".whl")) return { reason: `${name} has no wheel here and is built from its sources` };
  const digest = sha256Of(objectOf(download["archive_info"]));
  return {
    name,
    version: String(metadata["version"] ?? ""),
    fileName,
    url,
    isRequested: item["requested"] === true,
    ...(digest === undefined ? {} : { digest }),
    ...(item["is_direct"] === true ? { direct: download } : {}),
  };
}

function sha256Of(archive: Json): Digest | undefined {
  const hashes = objectOf(archive["hashes"]);
  const text = typeof hashes["sha256"] === "string" ? hashes["sha256"] : oldHash(archive["hash"]);
  return text === undefined ? undefined : parseDigest(`sha256:${text}`);
}

/** `sha256=…`, as pip wrote before 23. */
function oldHash(value: unknown): string | undefined {
  return typeof value === "string" && value.startsWith("sha256=") ? value.slice(7) : undefined;
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
