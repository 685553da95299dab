// SPDX-License-Identifier: Apache-2.0
/* Which block a new network gets, and which address a container. Functions of their arguments alone. */
import { TareError } from "../base/index.ts";
import {
  addressNumber,
  addressText,
  blockText,
  familyOf,
  hasAddress,
  lastOf,
  overlaps,
  parseBlock,
  sizeOf,
} from "./addresses.ts";
import type { Block, Family } from "./addresses.ts";
import type { Subnet } from "./types.ts";

/** Docker's own pools: /16 of 172.17 to 172.31, /20 of 192.168; then /24 of Podman's, as bridges of many stores may stay. */
const POOLS: readonly { readonly block: string; readonly prefix: number }[] = [
  { block: "172.17.0.0/16", prefix: 16 },
  { block: "172.18.0.0/16", prefix: 16 },
  { block: "172.19.0.0/16", prefix: 16 },
  { block: "172.20.0.0/14", prefix: 16 },
  { block: "172.24.0.0/14", prefix: 16 },
  { block: "172.28.0.0/14", prefix: 16 },
  { block: "192.168.0.0/16", prefix: 20 },
  { block: "10.89.0.0/16", prefix: 24 },
];

/** The first block of the pools that overlaps none of `used` (other networks, routes of the host). */
export function freeSubnet(used: readonly Block[]): Subnet {
  for (const pool of POOLS) {
    const block = parseBlock(pool.block);
    if (block === undefined) continue;
    const step = sizeOf({ family: 4, prefix: pool.prefix });
    for (let first = block.first; first <= lastOf(block); first += step) {
      const candidate: Block = { family: 4, first, prefix: pool.prefix };
      if (!used.some((other) => overlaps(candidate, other))) return subnetOf(candidate);
    }
  }
  throw new TareError("E_NETWORK_FULL", "choosing addresses for the network: all of the usual blocks are in use", {
    hint: "name one with `--subnet`, or remove networks that nobody uses with `tare network prune`",
  });
}

/** A private /64 (RFC 4193) out of the network's id. */
export function localSubnet(id: string): Subnet {
  const [one, two, three] = [id.slice(0, 2), id.slice(2, 6), id.slice(6, 10)];
  const block = parseBlock(`fd${one}:${two}:${three}::/64`);
  if (block === undefined) throw new Error(`bug: ${id} is no id`);
  return subnetOf(block);
}

/** A block with its first address as the gateway. */
export function subnetOf(block: Block, gateway?: string, range?: string): Subnet {
  const number = gateway === undefined ? undefined : addressNumber(gateway);
  const own = addressText(number ?? block.first + 1n, block.family);
  return { subnet: blockText(block), gateway: own, ...(range === undefined ? {} : { range }) };
}

/** What an address is chosen by. */
export interface AddressChoice {
  /** Addresses that others have. */
  readonly taken: ReadonlySet<string>;
  /** `--ip`. */
  readonly wanted?: string | undefined;
  /** For messages. */
  readonly network: string;
}

/** The lowest free address of a subnet, or the wanted one. Throws `E_ADDRESS`, `E_NETWORK_FULL`. */
export function chooseAddress(subnet: Subnet, choice: AddressChoice): string {
  const block = blockOf(subnet.subnet);
  if (choice.wanted !== undefined) return checkWanted(subnet, block, { ...choice, wanted: choice.wanted });
  const range = subnet.range === undefined ? block : blockOf(subnet.range);
  const reserved = new Set([block.first, ...(block.family === 4 ? [lastOf(block)] : [])]);
  for (let at = range.first; at <= lastOf(range); at += 1n) {
    const text = addressText(at, block.family);
    if (!reserved.has(at) && text !== subnet.gateway && !choice.taken.has(text)) return text;
  }
  throw new TareError(
    "E_NETWORK_FULL",
    `joining the network \`${choice.network}\`: no free address in ${blockText(range)}`,
    {
      hint: "stop containers, or make a network with a larger `--subnet`",
    },
  );
}

function checkWanted(subnet: Subnet, block: Block, choice: AddressChoice & { readonly wanted: string }): string {
  const { wanted, taken, network } = choice;
  const family = familyOf(wanted);
  const number = addressNumber(wanted);
  const fail = (why: string): TareError =>
    new TareError("E_ADDRESS", `joining the network \`${network}\` as \`${wanted}\`: ${why}`);
  if (family === undefined || number === undefined) throw fail("not an address");
  if (!hasAddress(block, number, family)) throw fail(`it is not in the network's subnet ${subnet.subnet}`);
  const text = addressText(number, family);
  if (text === subnet.gateway) throw fail("it is the gateway's");
  if (taken.has(text)) throw fail("Address already in use");
  return text;
}

/** The block that a checked text names. */
export function blockOf(text: string): Block {
  const block = parseBlock(text);
  if (block === undefined) throw new Error(`bug: ${text} is no subnet`);
  return block;
}

/** The network's subnet of a family. */
export function subnetOfFamily(subnets: readonly Subnet[], family: Family): Subnet | undefined {
  return subnets.find(({ gateway }) => familyOf(gateway) === family);
}

/** Docker's way: `02:42` and the address, so that an address that is used again keeps its neighbours' caches true. */
export function macAddressOf(ipv4: string): string {
  const bytes = ipv4.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return ["02", "42", ...bytes].join(":");
}
