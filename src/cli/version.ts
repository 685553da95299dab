// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";

declare const TARE_VERSION: string | undefined;

/** The product's version: put in by the bundler, or read from the checkout's package.json. */
export function productVersion(): string {
  if (typeof TARE_VERSION === "string") return TARE_VERSION;
  const parsed: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const version = typeof parsed === "object" && parsed !== null && "version" in parsed ? parsed.version : undefined;
  return typeof version === "string" ? version : "0.0.0";
}
