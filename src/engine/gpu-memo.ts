// SPDX-License-Identifier: Apache-2.0
/*
 * What the check found, by all that it depends on: reading the data and comparing costs twenty milliseconds at every
 * start, looking it up one. A small file of the newest answers, which a reboot may forget.
 */
import { dirname } from "node:path";
import { ensureDirectory, readTextIfPresent, writeFileAtomic } from "../base/index.ts";
import type { GpuFinding } from "../gpu/index.ts";

declare const TARE_VERSION: string | undefined;

const MOST = 32;

interface Entry {
  readonly key: string;
  readonly findings: readonly GpuFinding[];
}

/** The program's part of a key; undefined in a checkout, whose rules change under the same version. */
export function programMark(): string | undefined {
  return typeof TARE_VERSION === "string" ? TARE_VERSION : undefined;
}

/** What was found under a key. A file that can't be read has nothing. */
export function knownFindings(file: string, key: string): readonly GpuFinding[] | undefined {
  return entriesOf(file).find((entry) => entry.key === key)?.findings;
}

/** Keeps what was found; the oldest goes. */
export function keepFindings(file: string, key: string, findings: readonly GpuFinding[]): void {
  const others = entriesOf(file).filter((entry) => entry.key !== key);
  ensureDirectory(dirname(file));
  writeFileAtomic(file, JSON.stringify([{ key, findings }, ...others].slice(0, MOST)));
}

function entriesOf(file: string): readonly Entry[] {
  const text = readTextIfPresent(file);
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isEntry) : [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is Entry {
  if (!isObject(value) || !("key" in value) || !("findings" in value)) return false;
  return typeof value.key === "string" && Array.isArray(value.findings) && value.findings.every(isFinding);
}

function isFinding(value: unknown): value is GpuFinding {
  if (!isObject(value) || !("rule" in value) || !("level" in value) || !("message" in value)) return false;
  const { rule, level, message } = value;
  const hasFix = !("fix" in value) || typeof value.fix === "string";
  return typeof rule === "string" && typeof message === "string" && isLevel(level) && hasFix;
}

function isLevel(value: unknown): value is GpuFinding["level"] {
  return value === "error" || value === "warning" || value === "unknown" || value === "ok";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
