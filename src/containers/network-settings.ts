// SPDX-License-Identifier: Apache-2.0
/* From the network flags to what a container's record keeps: checked, and with networks by their ids. */
import { TareError, isRootless } from "../base/index.ts";
import { hostBinding, whyNoPasta } from "../network/index.ts";
import type { Join } from "../network/index.ts";
import type { NetworkAttachment, PortBinding, PortProtocol } from "../options/index.ts";
import { networksOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { findContainer } from "./find.ts";
import { otherContainer } from "./joined-namespaces.ts";
import type { CreateRequest, NetworkRequest } from "./request.ts";
import type { ContainerConfig, HostSettings, ImageDefaults } from "./types.ts";

/** The network's part of a record. */
export type NetworkSettings = Pick<HostSettings, "network" | "joins" | "ports" | "publishAll" | "links">;

/** Where ports are published that name no address: nobody else should reach a notebook by accident. */
const PUBLISH_ADDRESS = "127.0.0.1";

/** Checks and resolves. Throws `E_USAGE`, `E_NETWORK_NOTFOUND`, `E_CONTAINER_NOTFOUND`. */
export function networkSettings(
  context: ContainersContext,
  request: CreateRequest,
  image: ImageDefaults,
): NetworkSettings {
  const network = request.network ?? DEFAULT_NETWORK;
  const { mode } = network;
  if (mode === "none") return NOTHING;
  if (usesHostNetwork(network)) {
    if (mode !== "host") sharesInstead(network, request);
    return { ...NOTHING, network: "host" };
  }
  const other = otherContainer(mode);
  if (other !== undefined) return { ...NOTHING, network: sharedMode(context, other, request) };
  if (isRootless() && !isDefault(mode)) throw needsRoot(mode);
  const joins = joinsOf(context, network);
  const named = networksOf(context).find(mode)?.name ?? mode;
  return {
    network: named,
    joins,
    ports: bindings(context, network, { ...image.ExposedPorts, ...exposedIn(network) }),
    publishAll: network.publishAll,
    links: network.links,
  };
}

/** Without `joins`: one that was taken out of all its networks has an empty list. */
const NOTHING: NetworkSettings = { network: "none", ports: [], links: [] };

/** Whether a container has no network of its own. Where there is no pasta, an ordinary user's shares the host's. */
export function usesHostNetwork(network: NetworkRequest = DEFAULT_NETWORK): boolean {
  const { mode } = network;
  return mode === "host" || (isDefault(mode) && isRootless() && whyNoPasta() !== undefined);
}

function isDefault(mode: string): boolean {
  return mode === "default" || mode === "bridge";
}

/** Said, since it confines less. Throws `E_UNSUPPORTED` when ports are to be published: all are open already. */
function sharesInstead({ ports, publishAll }: NetworkRequest, { onWarning }: CreateRequest): void {
  const why = whyNoPasta() ?? "";
  if (ports.length === 0 && !publishAll) {
    onWarning?.(`${why}: the container shares the host's network (\`--network host\`, \`--network none\` say which)`);
    return;
  }
  throw new TareError("E_UNSUPPORTED", `publishing ports: ${why}`, {
    hint: "`tare system check` says what this host lacks; with `--network host` all ports of the container are the host's",
  });
}

function needsRoot(mode: string): TareError {
  return new TareError("E_UNSUPPORTED", `joining the network \`${mode}\`: networks between containers need root`, {
    hint: "an ordinary user's containers have the default network, `--network host` and `none`",
  });
}

/** What one gets without a flag. */
export const DEFAULT_NETWORK: NetworkRequest = {
  mode: "default",
  attachments: [],
  links: [],
  ports: [],
  publishAll: false,
  exposed: [],
};

/** `ExposedPorts` of the image, of `--expose` and of `-p` together; nothing when there are none. */
export function exposedPorts(
  request: CreateRequest,
  image: ImageDefaults,
): Partial<Pick<ContainerConfig, "ExposedPorts">> {
  const own = exposedIn(request.network ?? DEFAULT_NETWORK);
  return Object.keys(own).length === 0 ? {} : { ExposedPorts: { ...image.ExposedPorts, ...own } };
}

function exposedIn({ exposed, ports }: NetworkRequest): Readonly<Record<string, object>> {
  const published = ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
  return Object.fromEntries([...exposed, ...published].map((port) => [port, {}]));
}

/** `container:<id>` of a container that is there. */
function sharedMode(context: ContainersContext, other: string, request: CreateRequest): string {
  const { network, hostname, dns, addHosts } = request;
  const conflict = (what: string): TareError =>
    new TareError("E_USAGE", `conflicting options: ${what} and the container type network mode`, { exitCode: 125 });
  if ((network?.ports.length ?? 0) > 0 || network?.publishAll) throw conflict("port publishing");
  if ((network?.exposed.length ?? 0) > 0) throw conflict("port exposing");
  if (hostname !== undefined) throw conflict("hostname");
  if (dns.length > 0) throw conflict("dns");
  if (addHosts.length > 0) throw conflict("custom host-to-IP mapping");
  return `container:${findContainer(context, other).id}`;
}

/** The host name of the container whose network is shared: it is what /etc/hosts, shared too, knows. */
export function sharedName(
  context: ContainersContext,
  { network }: NetworkSettings,
): Partial<Pick<ContainerConfig, "Hostname" | "Domainname">> {
  const other = otherContainer(network);
  if (other === undefined) return {};
  const { Hostname, Domainname } = findContainer(context, other).config;
  return { Hostname, Domainname };
}

function joinsOf(context: ContainersContext, { mode, attachments }: NetworkRequest): readonly Join[] {
  const networks = networksOf(context);
  if (isDefault(mode)) {
    const [own] = attachments;
    if (own) requireNothingOwn(own);
    const mac = own?.macAddress;
    return [{ network: networks.default().id, aliases: [], ...(mac === undefined ? {} : { macAddress: mac }) }];
  }
  return attachments.map(({ target, aliases, ipv4, ipv6, macAddress, gatewayPriority }) => ({
    network: networks.get(target, "joining the network").id,
    aliases,
    ipv4,
    ipv6,
    macAddress,
    gatewayPriority,
  }));
}

/** The default network has no names and gives out its addresses itself. */
function requireNothingOwn({ aliases, ipv4, ipv6 }: NetworkAttachment): void {
  const what =
    aliases.length > 0
      ? "network-scoped aliases are only supported for user-defined networks"
      : "user specified IP address is supported on user defined networks only";
  if (aliases.length === 0 && ipv4 === undefined && ipv6 === undefined) return;
  throw new TareError("E_USAGE", `joining the default network: ${what}`, {
    exitCode: 125,
    hint: "make one with `tare network create NAME`, then `--network NAME`",
  });
}

/** With `-P` every exposed port that is not published gets any free port. */
function bindings(
  context: ContainersContext,
  { mode, ports, publishAll }: NetworkRequest,
  exposed: Readonly<Record<string, object>>,
): readonly PortBinding[] {
  const needsAddress = publishAll || ports.some(({ hostIp }) => hostIp === "");
  const hostIp = needsAddress ? publishAddress(context, mode) : "";
  const named = ports.map((port) => ({ ...port, hostIp: port.hostIp === "" ? hostIp : port.hostIp }));
  const isNamed = new Set(ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  const rest = publishAll ? Object.keys(exposed).filter((port) => !isNamed.has(port)) : [];
  return [...named, ...rest.flatMap((port) => exposedBinding(port, hostIp))];
}

/** The network's own word, else the user's setting. */
function publishAddress(context: ContainersContext, mode: string): string {
  const network = isDefault(mode) ? undefined : networksOf(context).find(mode);
  return (network && hostBinding(network)) ?? context.publishAddress?.() ?? PUBLISH_ADDRESS;
}

function exposedBinding(port: string, hostIp: string): readonly PortBinding[] {
  const [number = "", protocol = "tcp"] = port.split("/");
  const known = PROTOCOLS.find((each) => each === protocol);
  return known && /^\d{1,5}$/.test(number) ? [{ hostIp, containerPort: Number(number), protocol: known }] : [];
}

const PROTOCOLS: readonly PortProtocol[] = ["tcp", "udp", "sctp"];
