// SPDX-License-Identifier: Apache-2.0
/* The bridge of a network, and the host's settings that it needs. */
import * as fs from "node:fs";
import { TareError, execute } from "../base/index.ts";
import { mtuWords } from "./bridge-options.ts";
import { setUpFailure } from "./namespace.ts";
import { TOOL_ENVIRONMENT } from "./programs.ts";
import { baseRules, bridgeRules } from "./ruleset.ts";
import { macAddressOf } from "./subnets.ts";
import type { NetworkRecord, Subnet } from "./types.ts";

/** Whether a network's bridge is there. /sys would show the interfaces of the namespace that mounted it. */
export function isUp({ bridge }: Pick<NetworkRecord, "bridge">): boolean {
  return fs.existsSync(`/proc/sys/net/ipv4/conf/${bridge}`);
}

/** Makes a network's bridge and the rules; one that is there stays as it is. Callers take a lock. */
export async function bringUp(table: string, network: NetworkRecord): Promise<void> {
  // The rules stand before the bridge, so that a bridge that is there has its rules. Elements may be added again.
  await nft(`${baseRules(table)}${bridgeRules(table, "add", network)}`);
  await passForeignFilters(network);
  if (!isUp(network)) await ip(linkLines(network));
  setKernel(network);
}

/** Takes a network's bridge and rules away; whatever is gone already is no error. */
export async function takeDown(table: string, network: NetworkRecord): Promise<void> {
  // Adding first makes the deletion of what is gone no error.
  await nft(`${bridgeRules(table, "add", network)}${bridgeRules(table, "delete", network)}`).catch(() => undefined);
  await removeForeignRules(network);
  if (isUp(network)) await ip(`link del ${network.bridge}\n`);
}

function linkLines(network: NetworkRecord): string {
  const { bridge, subnets, id } = network;
  const [first] = subnets;
  // A fixed address: otherwise it would be that of the lowest member and change as containers come and go.
  const mac = macAddressOf(
    first?.gateway.includes(".") ? first.gateway : [...Buffer.from(id.slice(0, 8), "hex")].join("."),
  );
  const addresses = subnets.map((subnet) => addressLine(subnet, subnet.gateway, bridge));
  return [
    `link add ${bridge} address ${mac}${mtuWords(network)} type bridge\n`,
    ...addresses,
    `link set ${bridge} up\n`,
  ].join("");
}

/** A line of `ip`: gives an interface an address of a subnet. */
export function addressLine({ subnet }: Subnet, address: string, device: string): string {
  const more = address.includes(":") ? " nodad" : "";
  return `addr add ${address}/${subnet.split("/")[1] ?? ""} dev ${device}${more}\n`;
}

/** Loopback addresses may go to containers (ports published on 127.0.0.1); the host routes between its interfaces. */
function setKernel({ bridge, ipv6 }: NetworkRecord): void {
  const settings: readonly (readonly [path: string, value: string])[] = [
    ["ipv4/ip_forward", "1"],
    [`ipv4/conf/${bridge}/route_localnet`, "1"],
    ...(ipv6 ? ([["ipv6/conf/all/forwarding", "1"]] as const) : []),
  ];
  for (const [path, value] of settings) {
    const file = `/proc/sys/net/${path}`;
    try {
      if (fs.readFileSync(file, "utf8").trim() !== value) fs.writeFileSync(file, value);
    } catch (error) {
      throw new TareError("E_NETWORK", `setting up the network: \`${file}\` can't be set to ${value}`, {
        hint: `run \`sysctl -w net.${path.replaceAll("/", ".")}=${value}\` on the host`,
        cause: error,
      });
    }
  }
}

const FOREIGN: readonly string[] = ["ip", "ip6"];

/**
 * Where iptables drops what it does not know (a Docker Engine or ufw on the same host), its chain is told to let the
 * bridge pass: our own chain has the say about it. Other hosts keep their iptables as it is.
 */
async function passForeignFilters(network: NetworkRecord): Promise<void> {
  const families = network.ipv6 ? FOREIGN : FOREIGN.slice(0, 1);
  for (const family of families) {
    const chain = `${family} filter FORWARD`;
    const { code, stdout } = await tool("nft", ["list", "chain", ...chain.split(" ")]);
    if (code !== 0 || !/policy drop/.test(stdout) || stdout.includes(`"${network.bridge}"`)) continue;
    const rules = ["iifname", "oifname"].map((key) => `insert rule ${chain} ${key} "${network.bridge}" accept\n`);
    await nft(rules.join(""));
  }
}

async function removeForeignRules({ bridge }: NetworkRecord): Promise<void> {
  for (const family of FOREIGN) {
    const { code, stdout } = await tool("nft", ["-a", "list", "chain", family, "filter", "FORWARD"]);
    if (code !== 0) continue;
    const handles = stdout
      .split("\n")
      .filter((line) => line.includes(`"${bridge}"`))
      .flatMap((line) => /# handle (\d+)$/.exec(line)?.[1] ?? []);
    if (handles.length > 0) {
      await nft(handles.map((handle) => `delete rule ${family} filter FORWARD handle ${handle}\n`).join(""));
    }
  }
}

/** Runs a batch of `ip`. Throws `E_NETWORK`. */
export async function ip(lines: string, namespace?: string): Promise<void> {
  const words = ["ip", "-batch", "-"];
  const [program = "ip", ...args] = namespace === undefined ? words : ["nsenter", `--net=${namespace}`, ...words];
  const { code, stderr } = await tool(program, args, lines);
  if (code !== 0) throw setUpFailure(stderr);
}

/** Runs a transaction of `nft`. Throws `E_NETWORK`. */
export async function nft(rules: string): Promise<void> {
  if (rules === "") return;
  const { code, stderr } = await tool("nft", ["-f", "-"], rules);
  if (code !== 0) throw setUpFailure(stderr);
}

/** Runs a program of the system. Throws `E_PROGRAM_MISSING`. */
export async function tool(
  program: string,
  args: readonly string[],
  input?: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return await execute(program, args, { env: TOOL_ENVIRONMENT, ...(input === undefined ? {} : { input }) });
}
