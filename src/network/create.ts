// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError, randomHex } from "../base/index.ts";
import { addressNumber, familyOf, hasAddress, overlaps, parseBlock } from "./addresses.ts";
import type { Block } from "./addresses.ts";
import { BINDING, BRIDGE_NAME, MTU, SWITCHES } from "./bridge-options.ts";
import { isUp } from "./bridge.ts";
import { PREDEFINED, bridgeOf } from "./networks.ts";
import type { Networks } from "./networks.ts";
import { freeSubnet, localSubnet, subnetOf, subnetOfFamily } from "./subnets.ts";
import type { NetworkRecord, Subnet } from "./types.ts";

/** `network create`. */
export interface NetworkCreateRequest {
  readonly name: string;
  /** `bridge`; others are refused. */
  readonly driver: string;
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  readonly ranges: readonly string[];
  readonly internal: boolean;
  readonly ipv6: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** Writes a new network. Throws `E_NETWORK_NAME`, `E_NETWORK_EXISTS`, `E_SUBNET`, `E_NETWORK_FULL`, `E_UNSUPPORTED`. */
export function createNetwork(networks: Networks, request: NetworkCreateRequest): NetworkRecord {
  checkDriver(request.driver);
  checkName(request.name);
  const id = randomHex(32);
  const bridge = checkBridge(request) ?? bridgeOf(id);
  try {
    return networks.atOnce(() => {
      const record = newRecord(networks, request, { id, bridge });
      networks.documents().insert(id, request.name, record);
      return record;
    });
  } catch (error) {
    if (!isTareError(error, "E_NAME_TAKEN")) throw error;
    throw new TareError(
      "E_NETWORK_EXISTS",
      `creating the network \`${request.name}\`: network with name ${request.name} already exists`,
      {
        hint: "take another name, or remove that network with `tare network rm`",
      },
    );
  }
}

function newRecord(
  networks: Networks,
  request: NetworkCreateRequest,
  own: Pick<NetworkRecord, "id" | "bridge">,
): NetworkRecord {
  const { name, internal, attachable, labels, options } = request;
  const subnets = subnetsOf(networks, request, own.id);
  const ipv6 = subnetOfFamily(subnets, 6) !== undefined;
  const taken = networks.all().find(({ bridge }) => bridge === own.bridge);
  if (taken)
    throw wrong(request, "E_NETWORK_EXISTS", `the bridge \`${own.bridge}\` belongs to network \`${taken.name}\``);
  // `network rm` takes the bridge away: it must not be another program's. `all` and `default` are no interfaces either.
  if (isUp(own)) throw wrong(request, "E_NETWORK_EXISTS", `this host has an interface \`${own.bridge}\` already`);
  return {
    version: 1,
    ...own,
    name,
    createdAt: Date.now(),
    internal,
    ipv6,
    attachable,
    labels,
    options,
    subnets,
    isDefault: false,
    endpoints: {},
  };
}

/** The named subnets, or a free one; IPv4 first, and always there. */
function subnetsOf(networks: Networks, request: NetworkCreateRequest, id: string): readonly Subnet[] {
  const used = networks.usedBlocks();
  const blocks = request.subnets.map((text) => namedBlock(request, text, used));
  const named = blocks.map((block) => withParts(request, block));
  for (const text of [...request.gateways, ...request.ranges]) requireOwner(request, blocks, text);
  const four = subnetOfFamily(named, 4) ?? freeSubnet([...used, ...blocks]);
  const six = subnetOfFamily(named, 6) ?? (request.ipv6 ? localSubnet(id) : undefined);
  if (named.length > (six ? 2 : 1))
    throw wrong(request, "E_SUBNET", "one subnet of each family is all that a bridge has");
  return [four, ...(six ? [six] : [])];
}

function namedBlock(request: NetworkCreateRequest, text: string, used: readonly Block[]): Block {
  const block = parseBlock(text);
  if (block === undefined)
    throw wrong(request, "E_SUBNET", `\`${text}\` is no subnet: expected for example 10.5.0.0/24`);
  if (block.prefix > (block.family === 4 ? 30 : 126))
    throw wrong(request, "E_SUBNET", `the subnet \`${text}\` is too small`);
  if (!used.some((other) => overlaps(block, other))) return block;
  throw wrong(request, "E_SUBNET", `the subnet \`${text}\` overlaps another network or a route of this host`, {
    hint: "Pool overlaps with other one on this address space: choose another, or leave `--subnet` away",
  });
}

function withParts(request: NetworkCreateRequest, block: Block): Subnet {
  const gateway = request.gateways.find((text) => isIn(block, text));
  const range = request.ranges.find((text) => isInside(block, text));
  return subnetOf(block, gateway, range);
}

function isIn(block: Block, address: string): boolean {
  const [family, number] = [familyOf(address), addressNumber(address)];
  return family !== undefined && number !== undefined && hasAddress(block, number, family);
}

function isInside(block: Block, range: string): boolean {
  const inner = parseBlock(range);
  return inner !== undefined && inner.prefix >= block.prefix && overlaps(inner, block);
}

function requireOwner(request: NetworkCreateRequest, blocks: readonly Block[], text: string): void {
  if (blocks.some((block) => isIn(block, text) || isInside(block, text))) return;
  throw wrong(request, "E_SUBNET", `no matching subnet for \`${text}\``, {
    hint: "give the `--subnet` that it belongs to",
  });
}

function checkDriver(driver: string): void {
  if (driver === "bridge" || driver === "") return;
  throw new TareError("E_UNSUPPORTED", `creating a network: there is no driver \`${driver}\``, {
    hint: "`bridge` is the one there is; containers share the host's network with `--network host`",
  });
}

function checkName(name: string): void {
  if (PREDEFINED.includes(name) || name === "default") {
    throw new TareError(
      "E_NETWORK_NAME",
      `creating the network \`${name}\`: operation is not permitted on predefined ${name} network`,
    );
  }
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(name)) return;
  throw new TareError("E_NETWORK_NAME", `creating the network \`${name.slice(0, 140)}\`: not a valid name`, {
    hint: "letters, digits, `_`, `.` and `-`, beginning with a letter or digit",
  });
}

function checkBridge(request: NetworkCreateRequest): string | undefined {
  const { [BRIDGE_NAME]: name, [MTU]: mtu, [BINDING]: binding } = request.options;
  checkSwitches(request);
  if (binding !== undefined && familyOf(binding) !== 4)
    throw wrong(request, "E_USAGE", `\`${BINDING}=${binding}\` is no IPv4 address`);
  if (mtu !== undefined && !/^[1-9]\d{1,4}$/.test(mtu)) throw wrong(request, "E_USAGE", `\`${MTU}=${mtu}\` is no size`);
  if (name === undefined || /^[a-zA-Z][\w.-]{0,14}$/.test(name)) return name;
  throw wrong(
    request,
    "E_USAGE",
    `\`${name}\` is no name of an interface: at most 15 letters, digits, \`-\`, \`_\`, \`.\``,
  );
}

/** One that is misspelt would leave open what was to be closed. */
function checkSwitches(request: NetworkCreateRequest): void {
  for (const key of SWITCHES) {
    const value = request.options[key];
    if (value !== undefined && value !== "true" && value !== "false")
      throw wrong(request, "E_USAGE", `\`${key}=${value}\` is neither true nor false`);
  }
}

function wrong(
  { name }: NetworkCreateRequest,
  code: "E_SUBNET" | "E_USAGE" | "E_NETWORK_EXISTS",
  why: string,
  options: { readonly hint?: string } = {},
): TareError {
  return new TareError(code, `creating the network \`${name}\`: ${why}`, options);
}
