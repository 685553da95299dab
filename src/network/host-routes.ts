// SPDX-License-Identifier: Apache-2.0
import { readTextIfPresent } from "../base/index.ts";
import type { Block } from "./addresses.ts";

/** Blocks that this host has IPv4 routes to, the default route aside. Read from the kernel, without a program. */
export function hostRoutes(text: string = readTextIfPresent("/proc/net/route") ?? ""): readonly Block[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const fields = line.split("\t");
      const [destination, mask] = [number(fields[1]), number(fields[7])];
      if (destination === undefined || mask === undefined || mask === 0) return [];
      return [{ family: 4 as const, first: BigInt(destination), prefix: bitsOf(mask) }];
    });
}

/** Eight hex digits in the host's byte order: little endian on all that Tare runs on. */
function number(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9A-F]{8}$/i.test(text)) return undefined;
  return Buffer.from(text, "hex").readUInt32LE();
}

function bitsOf(mask: number): number {
  return Math.clz32(~mask >>> 0);
}
