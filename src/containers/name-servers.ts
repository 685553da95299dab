// SPDX-License-Identifier: Apache-2.0
/*
 * The /etc/resolv.conf of a container that runs, when it joins and leaves networks. It is the file that is mounted there,
 * so it is written in place; lines that somebody added in the container stay.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ioError, readTextIfPresent } from "../base/index.ts";
import type { NetworkRecord } from "../network/index.ts";

/** Asks a network's names first from now on. Throws `E_IO`. */
export function addNameServer(folder: string, network: NetworkRecord): void {
  change(folder, network, (line, lines) => (lines.includes(line) ? lines : [line, ...lines]));
}

/** Asks a network's names no more. Throws `E_IO`. */
export function removeNameServer(folder: string, network: NetworkRecord): void {
  change(folder, network, (line, lines) => lines.filter((each) => each !== line));
}

function change(
  folder: string,
  { isDefault, subnets }: NetworkRecord,
  edit: (line: string, lines: readonly string[]) => readonly string[],
): void {
  const gateway = subnets[0]?.gateway;
  if (isDefault || gateway === undefined) return;
  const path = join(folder, "etc/resolv.conf");
  const text = readTextIfPresent(path);
  if (text === undefined) return;
  const edited = edit(`nameserver ${gateway}`, text.split("\n")).join("\n");
  try {
    if (edited !== text) writeFileSync(path, edited);
  } catch (error) {
    throw ioError(`writing \`${path}\``, error);
  }
}
