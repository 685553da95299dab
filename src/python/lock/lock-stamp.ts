// SPDX-License-Identifier: Apache-2.0
/* `[tool.tare]` of a lock: what it was made for, so that it can be made again, and told when it no longer fits. */
import { isDigest } from "../../base/index.ts";
import { machineOf } from "../target/tags.ts";
import type { Digest } from "../../base/index.ts";
import type { Lock } from "../locks/types.ts";
import type { LibC, PythonTarget } from "../types.ts";

/** What a lock was made for. */
export interface LockStamp {
  /** Of `inputsDigest`. */
  readonly inputs: Digest;
  /** Files that it was made from, relative to it. */
  readonly files: readonly string[];
  readonly extras: readonly string[];
  readonly groups: readonly string[];
  /** `3.11.2` */
  readonly python: string;
  /** `linux/amd64` */
  readonly platform: string;
  readonly libc: LibC;
  readonly isUniversal: boolean;
  readonly accelerator?: string;
  /** `uv 0.13.9` */
  readonly resolver: string;
}

/** The stamp of a lock that Tare wrote; undefined for others. */
export function stampOf({ tare }: Pick<Lock, "tare">): LockStamp | undefined {
  if (!tare) return undefined;
  const text = (key: string): string => (typeof tare[key] === "string" ? tare[key] : "");
  const inputs = text("inputs");
  const [kind = "", version = ""] = text("libc").split(" ");
  if (!isDigest(inputs) || text("python") === "" || (kind !== "glibc" && kind !== "musl")) return undefined;
  const accelerator = text("accelerator");
  return {
    inputs,
    files: texts(tare["files"]),
    extras: texts(tare["extras"]),
    groups: texts(tare["groups"]),
    python: text("python"),
    platform: text("platform"),
    libc: { kind, version },
    isUniversal: tare["universal"] === true,
    ...(accelerator === "" ? {} : { accelerator }),
    resolver: text("resolver"),
  };
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** uv's lock as Tare writes it: with the environment that it is for, and the stamp. */
export function stampLock(pylock: string, stamp: LockStamp, target: PythonTarget): string {
  const minor = minorOf(target.version);
  const body = pylock
    .replace(/^(?:#[^\n]*\n)+/, "")
    .replace(/^created-by = .*$/m, 'created-by = "tare"')
    .replace(/^requires-python = .*$/m, (line) => {
      const environments = stamp.isUniversal ? "" : `environments = [${quote(environmentOf(target))}]\n`;
      return environments + (stamp.isUniversal ? line : `requires-python = ">=${minor}"`);
    });
  return `# Written by \`tare lock\`: change the requirements, not this file.\n${body.trimEnd()}\n\n${tableOf(stamp)}`;
}

/** The one environment that a lock is for (PEP 751, `environments`). */
function environmentOf({ version, architecture, implementation }: PythonTarget): string {
  const markers = {
    python_version: minorOf(version),
    sys_platform: "linux",
    platform_machine: machineOf(architecture),
    implementation_name: implementation,
  };
  const parts = Object.entries(markers).map(([name, value]) => `${name} == '${value}'`);
  return parts.join(" and ");
}

function tableOf(stamp: LockStamp): string {
  const list = (values: readonly string[]): string => `[${values.map(quote).join(", ")}]`;
  const rows: readonly (readonly [string, string])[] = [
    ["inputs", quote(stamp.inputs)],
    ["files", list(stamp.files)],
    ...(stamp.extras.length > 0 ? [["extras", list(stamp.extras)] as const] : []),
    ...(stamp.groups.length > 0 ? [["groups", list(stamp.groups)] as const] : []),
    ["python", quote(stamp.python)],
    ["platform", quote(stamp.platform)],
    ["libc", quote(`${stamp.libc.kind} ${stamp.libc.version}`)],
    ...(stamp.isUniversal ? [["universal", "true"] as const] : []),
    ...(stamp.accelerator === undefined ? [] : [["accelerator", quote(stamp.accelerator)] as const]),
    ["resolver", quote(stamp.resolver)],
  ];
  return `[tool.tare]\n${rows.map(([key, value]) => `${key} = ${value}\n`).join("")}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
