// SPDX-License-Identifier: Apache-2.0
import { parseIpAddress, parseLink, parseMacAddress } from "./addresses.ts";
import type { Link } from "./addresses.ts";
import { parseCsvFields } from "./csv.ts";
import type { CsvField } from "./csv.ts";
import { cut, parseInteger, usage } from "./usage.ts";

/** How a container joins one network. */
export interface NetworkAttachment {
  readonly target: string;
  readonly aliases: readonly string[];
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly links: readonly Link[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly linkLocalIps: readonly string[];
  readonly macAddress?: string;
  readonly gatewayPriority?: number;
}

/** The network flags of `run` as text. */
export interface NetworkFlags {
  readonly networks?: readonly string[];
  readonly aliases?: readonly string[];
  readonly links?: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
  readonly linkLocalIps?: readonly string[];
  readonly macAddress?: string;
}

/** What the network flags come to; `mode` is the first network's name, `default` without `--network`. */
export interface NetworkSelection {
  readonly mode: string;
  readonly attachments: readonly NetworkAttachment[];
  readonly links: readonly Link[];
}

const BARE = { aliases: [], driverOptions: {}, links: [], linkLocalIps: [] } as const;

/** Parses one `--network NAME` or `--network name=NAME,alias=…,ip=…`. Throws `E_USAGE` with Docker's text. */
export function parseNetwork(text: string): NetworkAttachment {
  if (!/\w+=\w+/.test(text)) {
    if (text === "") throw usage("network name/id is not specified");
    return { target: text, ...BARE };
  }
  let attachment: NetworkAttachment = { target: "", ...BARE };
  for (const field of parseCsvFields(text)) attachment = applyField(attachment, field);
  if (attachment.target === "") throw usage("network name/id is not specified", "add name=NETWORK");
  return attachment;
}

function applyField(current: NetworkAttachment, { key, value, text }: CsvField): NetworkAttachment {
  if (value === undefined || key === "") throw usage(`invalid field ${text}`, "expected key=value");
  switch (key.trim().toLowerCase()) {
    case "name":
      return { ...current, target: value };
    case "alias":
      return { ...current, aliases: [...current.aliases, value] };
    case "driver-opt":
      return { ...current, driverOptions: { ...current.driverOptions, ...parseDriverOption(value) } };
    case "ip":
      return { ...current, ipv4: parseIpAddress(value) };
    case "ip6":
      return { ...current, ipv6: parseIpAddress(value) };
    case "mac-address":
      return { ...current, macAddress: parseMacAddress(value) };
    case "link-local-ip":
      return { ...current, linkLocalIps: [...current.linkLocalIps, parseIpAddress(value)] };
    case "gw-priority":
      return { ...current, gatewayPriority: parsePriority(value) };
    default:
      throw usage(`invalid field key ${key}`);
  }
}

function parseDriverOption(text: string): Readonly<Record<string, string>> {
  const { key, value } = cut(text.toLowerCase(), "=");
  if (value === undefined)
    throw usage("invalid key value pair format in driver options", "expected driver-opt=key=value");
  return { [key.trim()]: value.trim() };
}

function parsePriority(text: string): number {
  const priority = parseInteger(text);
  if (typeof priority === "string") throw usage(`invalid gw-priority (${text}): ${priority}`);
  return priority;
}

/**
 * Resolves all network flags of `run`: the flags without a network of their own (`--ip`, `--network-alias`, `--link` …)
 * apply to the first network. Throws `E_USAGE` with Docker's text for contradictions.
 */
export function resolveNetworks(flags: NetworkFlags): NetworkSelection {
  const networks = (flags.networks ?? []).map(parseNetwork);
  const links = (flags.links ?? []).map(parseLink);
  const [first = { target: "default", ...BARE }, ...others] = networks;
  const repeated = networks.find(
    (network, index) => networks.findIndex((each) => each.target === network.target) < index,
  );
  if (repeated !== undefined) throw usage(`network "${repeated.target}" is specified multiple times`);
  if (networks.length > 1 && networks.some((network) => !isUserDefined(network.target))) {
    throw usage("conflicting options: cannot attach both user-defined and non-user-defined network-modes");
  }
  return { mode: first.target, attachments: [applyFlags(first, flags, links), ...others], links };
}

/** True for a network that is not one of Docker's modes (`default`, `bridge`, `host`, `none`, `container:…`). */
export function isUserDefined(name: string): boolean {
  return !["default", "bridge", "host", "none"].includes(name) && !name.startsWith("container:");
}

function applyFlags(first: NetworkAttachment, flags: NetworkFlags, links: readonly Link[]): NetworkAttachment {
  const { aliases = [], ip, ip6, linkLocalIps = [], macAddress } = flags;
  refuseBoth(aliases.length > 0 && first.aliases.length > 0, "--network-alias", "per-network alias");
  refuseBoth(ip !== undefined && first.ipv4 !== undefined, "--ip", "per-network IPv4 address");
  refuseBoth(ip6 !== undefined && first.ipv6 !== undefined, "--ip6", "per-network IPv6 address");
  const bothLocal = linkLocalIps.length > 0 && first.linkLocalIps.length > 0;
  refuseBoth(bothLocal, "--link-local-ip", "per-network link-local IP addresses");
  const bothMac = macAddress !== undefined && first.macAddress !== undefined;
  refuseBoth(bothMac, "--mac-address", "per-network MAC address");
  return {
    ...first,
    aliases: [...first.aliases, ...aliases],
    links: isUserDefined(first.target) ? links : [],
    linkLocalIps: [...first.linkLocalIps, ...linkLocalIps.map(parseIpAddress)],
    ...(ip === undefined ? {} : { ipv4: parseIpAddress(ip) }),
    ...(ip6 === undefined ? {} : { ipv6: parseIpAddress(ip6) }),
    ...(macAddress === undefined ? {} : { macAddress: parseMacAddress(macAddress) }),
  };
}

function refuseBoth(both: boolean, flag: string, setting: string): void {
  if (both) throw usage(`conflicting options: cannot specify both ${flag} and ${setting}`);
}
