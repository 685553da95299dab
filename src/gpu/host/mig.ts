// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { MigPart } from "../types.ts";
import { namesIn, readFact } from "./read.ts";
import type { HostRoots } from "./roots.ts";

const CAPABILITIES = "proc/driver/nvidia/capabilities";

/**
 * The parts that a GPU is divided into, by the order of their instances. Those that are there have a folder each;
 * /proc/driver/nvidia-caps/mig-minors has the numbers of all that could ever be.
 */
export function migParts(roots: HostRoots, minor: number): readonly MigPart[] {
  const folder = join(roots.kernel, CAPABILITIES, `gpu${minor}`, "mig");
  const minors = capMinors(roots);
  const parts = numbered(folder, "gi").flatMap((gi) => numbered(join(folder, gi), "ci").map((ci) => ({ gi, ci })));
  return parts.map(({ gi, ci }, index) => {
    const names = [`gpu${minor}/${gi}/access`, `gpu${minor}/${gi}/${ci}/access`];
    const nodes = names.flatMap((name) => capNode(minors.get(name)));
    return { index, gi: Number(gi.slice(2)), ci: Number(ci.slice(2)), nodes };
  });
}

function capNode(minor: string | undefined): readonly string[] {
  return minor === undefined ? [] : [`/dev/nvidia-caps/nvidia-cap${minor}`];
}

function numbered(folder: string, prefix: string): readonly string[] {
  const found = namesIn(folder).filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)));
  return found.toSorted((left, right) => Number(left.slice(prefix.length)) - Number(right.slice(prefix.length)));
}

function capMinors(roots: HostRoots): ReadonlyMap<string, string> {
  const text = readFact(join(roots.kernel, "proc/driver/nvidia-caps/mig-minors")) ?? "";
  const rows = text.split("\n").map((line) => /^(\S+) (\d+)$/.exec(line.trim()));
  return new Map(rows.flatMap((row) => (row ? [[row[1] ?? "", row[2] ?? ""]] : [])));
}
