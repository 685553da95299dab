// SPDX-License-Identifier: Apache-2.0
/* The kernel's table of IPv4 routes, read without a program. */
import { readTextIfPresent } from "../base/index.ts";
import type { Block } from "./addresses.ts";

/** A route; `prefix` 0 leads everywhere. */
interface Route extends Block {
  readonly device: string;
}

/** Blocks that this host has IPv4 routes to, the default route aside. */
export function hostRoutes(text: string = routeTable("self")): readonly Block[] {
  return routesIn(text).filter(({ prefix }) => prefix > 0);
}

/** The device of a process's default route, if it has one. */
export function defaultDevice(pid: number | "self", text: string = routeTable(pid)): string | undefined {
  return routesIn(text).find(({ prefix }) => prefix === 0)?.device;
}

function routeTable(pid: number | "self"): string {
  return readTextIfPresent(`/proc/${pid}/net/route`) ?? "";
}

function routesIn(text: string): readonly Route[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const fields = line.split("\t");
      const [destination, mask] = [number(fields[1]), number(fields[7])];
      if (destination === undefined || mask === undefined) return [];
      return [{ device: fields[0] ?? "", family: 4 as const, first: BigInt(destination), prefix: bitsOf(mask) }];
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
