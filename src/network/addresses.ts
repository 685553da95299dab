// SPDX-License-Identifier: Apache-2.0
/* Addresses as numbers: IPv4 has 32 bits, IPv6 128, so both are bigint. */
import { isIPv4, isIPv6 } from "node:net";

/** The bits of an address. */
export type Family = 4 | 6;

/** A block of addresses whose lower bits are free. */
export interface Block {
  readonly family: Family;
  readonly first: bigint;
  /** Fixed bits. */
  readonly prefix: number;
}

const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** Which family an address is of; undefined when it is none. */
export function familyOf(text: string): Family | undefined {
  if (isIPv4(text)) return 4;
  return isIPv6(text) && !text.includes("%") ? 6 : undefined;
}

/** The number of an address; undefined when it is none. */
export function addressNumber(text: string): bigint | undefined {
  const family = familyOf(text);
  if (family === undefined) return undefined;
  if (family === 4) return joined(text.split(".").map(Number), 8n);
  return joined(groupsOf(text), 16n);
}

/** The address of a number, as usually written. */
export function addressText(number: bigint, family: Family): string {
  if (family === 4) return parts(number, 4, 8n).join(".");
  const groups = parts(number, 8, 16n).map((group) => group.toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/** Parses `10.0.0.0/8`; an address with host bits keeps only its block. Undefined when malformed. */
export function parseBlock(text: string): Block | undefined {
  const [address = "", bits = "", ...more] = text.split("/");
  const family = familyOf(address);
  const number = addressNumber(address);
  if (family === undefined || number === undefined || more.length > 0 || !/^\d{1,3}$/.test(bits)) return undefined;
  const prefix = Number(bits);
  if (prefix > BITS[family]) return undefined;
  const size = sizeOf({ family, prefix });
  return { family, first: number - (number % size), prefix };
}

/** `10.0.0.0/8`. */
export function blockText(block: Block): string {
  return `${addressText(block.first, block.family)}/${block.prefix}`;
}

/** How many addresses a block has. */
export function sizeOf({ family, prefix }: Pick<Block, "family" | "prefix">): bigint {
  return 1n << BigInt(BITS[family] - prefix);
}

/** The last address of a block. */
export function lastOf(block: Block): bigint {
  return block.first + sizeOf(block) - 1n;
}

/** Whether a block has an address of its own family. */
export function hasAddress(block: Block, address: bigint, family: Family): boolean {
  return block.family === family && address >= block.first && address <= lastOf(block);
}

/** Whether two blocks share an address. */
export function overlaps(one: Block, other: Block): boolean {
  return one.family === other.family && one.first <= lastOf(other) && other.first <= lastOf(one);
}

function joined(numbers: readonly number[], width: bigint): bigint {
  return numbers.reduce((sum, number) => (sum << width) | BigInt(number), 0n);
}

function parts(number: bigint, count: number, width: bigint): number[] {
  const mask = (1n << width) - 1n;
  return Array.from({ length: count }, (_, index) => Number((number >> (BigInt(count - 1 - index) * width)) & mask));
}

/** The eight groups of an IPv6 address; the URL parser writes an IPv4 tail as groups. */
function groupsOf(text: string): number[] {
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const groups = (half: string): number[] =>
    half === "" ? [] : half.split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: missing }, () => 0), ...after];
}
