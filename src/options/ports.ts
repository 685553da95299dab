// SPDX-License-Identifier: Apache-2.0
import { isIP } from "node:net";
import { parseCsvFields } from "./csv.ts";
import { cut, parseInteger, usage } from "./usage.ts";

/** The transport protocols of published ports. */
export type PortProtocol = "tcp" | "udp" | "sctp";

/** A range of port numbers, both ends included. */
export interface PortRange {
  readonly start: number;
  readonly end: number;
}

/**
 * One published container port. `hostPort` is absent when any free port will do, and a range when one of several is to
 * be picked; `hostIp` "" means all addresses.
 */
export interface PortBinding {
  readonly hostIp: string;
  readonly hostPort?: PortRange;
  readonly containerPort: number;
  readonly protocol: PortProtocol;
}

/** A port that an image or `--expose` names; any protocol word is kept. */
export interface ExposedPort {
  readonly port: number;
  readonly protocol: string;
}

const PROTOCOLS: readonly string[] = ["tcp", "udp", "sctp"];

/**
 * Parses `-p [[ip:][host[-host]]:]container[-container][/proto]` and the long form `target=80,published=8080,…`. Equal
 * ranges give one binding per port. Throws `E_USAGE` with Docker's text.
 */
export function parsePublish(text: string): readonly PortBinding[] {
  return parsePortSpec(text.includes("=") ? toShortNotation(text) : text);
}

function parsePortSpec(text: string): readonly PortBinding[] {
  const parts = text.split(":");
  const last = parts.at(-1) ?? "";
  const host = parts.length > 1 ? (parts.at(-2) ?? "") : "";
  const { key: ports, value } = cut(last, "/");
  const protocol = (value ?? "tcp").toLowerCase();
  if (!isProtocol(protocol)) throw usage(`invalid proto: ${value ?? ""}`, "tcp, udp or sctp");
  const hostIp = parseHostIp(parts.slice(0, -2).join(":"));
  if (ports === "") throw usage(`no port specified: ${text}<empty>`);
  const container = parseRange(ports, "containerPort");
  const hostRange = host === "" ? undefined : parseRange(host, "hostPort");
  return combine(container, hostRange, { ports, host }).map((pair) => ({ hostIp, ...pair, protocol }));
}

type Pair = Pick<PortBinding, "containerPort" | "hostPort">;

function combine(
  container: PortRange,
  host: PortRange | undefined,
  texts: { readonly ports: string; readonly host: string },
): readonly Pair[] {
  const count = container.end - container.start + 1;
  const each = Array.from({ length: count }, (_, index) => index);
  if (host === undefined) return each.map((index) => ({ containerPort: container.start + index }));
  if (host.end - host.start + 1 === count) {
    return each.map((index) => {
      const port = host.start + index;
      return { containerPort: container.start + index, hostPort: { start: port, end: port } };
    });
  }
  if (count === 1) return [{ containerPort: container.start, hostPort: host }];
  throw usage(`invalid ranges specified for container and host Ports: ${texts.ports} and ${texts.host}`);
}

function isProtocol(text: string): text is PortProtocol {
  return PROTOCOLS.includes(text);
}

function parseHostIp(text: string): string {
  const address = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (address !== "" && isIP(address) === 0) throw usage(`invalid IP address: ${address}`);
  return address;
}

function parseRange(text: string, what: string): PortRange {
  const { key, value } = cut(text, "-");
  const start = parsePort(key);
  const end = value === undefined ? start : parsePort(value);
  const lowest = what === "containerPort" ? 1 : 0;
  const wrong = start === undefined || end === undefined || start > end || start < lowest;
  if (wrong) throw usage(`invalid ${what}: ${text}`, "ports are 1 to 65535");
  return { start, end };
}

function parsePort(text: string): number | undefined {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

/** The short form `published:target/protocol` of a long `--publish`. Throws `E_USAGE`. */
export function toShortNotation(text: string): string {
  const settings: Record<string, string> = {};
  for (const field of text.split(",")) {
    const { key, value } = cut(field, "=");
    if (value === undefined || key === "")
      throw usage(`invalid publish opts format (should be name=value but got '${field}')`);
    settings[key] = value;
  }
  const { published = "", target = "", protocol = "tcp" } = settings;
  return `${published}:${target}/${protocol}`;
}

/** Parses `--expose port[-port][/proto]` or an image's `EXPOSE`. Throws `E_USAGE` with Docker's text. */
export function parseExpose(text: string): readonly ExposedPort[] {
  const { key: range, value: protocol = "tcp" } = cut(text, "/");
  const { key, value } = cut(range, "-");
  const start = exposedPort(key, "start");
  const end = value === undefined ? start : exposedPort(value, "end");
  if (end < start) throw exposeError(`invalid port range '${range}'`);
  return Array.from({ length: end - start + 1 }, (_, index) => ({
    port: start + index,
    protocol: protocol === "" ? "tcp" : protocol.toLowerCase(),
  }));
}

function exposedPort(text: string, which: "start" | "end"): number {
  if (text === "") throw exposeError(`invalid ${which} port '': value is empty`);
  const port = parseInteger(text);
  const why = typeof port === "string" ? port : port > 65_535 ? "value out of range" : undefined;
  if (why !== undefined || typeof port === "string" || port < 0) {
    throw exposeError(`invalid ${which} port '${text}': ${why ?? "invalid syntax"}`);
  }
  return port;
}

function exposeError(why: string): Error {
  return usage(`invalid range format for --expose: ${why}`);
}

/** A published port of a service: Swarm's form of `--publish`. */
export interface ServicePort {
  readonly targetPort: number;
  readonly publishedPort?: number;
  readonly protocol: PortProtocol;
  readonly publishMode: "ingress" | "host";
}

/** Parses a service's `--publish` in short or long form; ranges are expanded. Throws `E_USAGE` with Docker's text. */
export function parseServicePort(text: string): readonly ServicePort[] {
  if (/\w+=\w+/.test(text)) return [parseLongServicePort(text)];
  return parsePortSpec(text).flatMap(({ hostIp, hostPort, containerPort, protocol }) => {
    if (hostIp !== "" && hostIp !== "0.0.0.0" && hostIp !== "::") throw usage("hostip is not supported");
    const port = { targetPort: containerPort, protocol, publishMode: "ingress" } as const;
    if (hostPort === undefined) return [port];
    const length = hostPort.end - hostPort.start + 1;
    return Array.from({ length }, (_, index) => ({ ...port, publishedPort: hostPort.start + index }));
  });
}

function parseLongServicePort(text: string): ServicePort {
  let port: ServicePort = { targetPort: 0, protocol: "tcp", publishMode: "ingress" };
  for (const field of parseCsvFields(text)) {
    const { key, value } = field;
    if (value === undefined || key === "") throw usage(`invalid field: ${field.text}`);
    if (key === "protocol") {
      if (!isProtocol(value)) throw usage(`invalid protocol value '${value}'`);
      port = { ...port, protocol: value };
    } else if (key === "mode") port = { ...port, publishMode: publishMode(value) };
    else if (key === "target") port = { ...port, targetPort: servicePort(value, "target") };
    else if (key === "published") port = { ...port, publishedPort: servicePort(value, "published") };
    else throw usage(`invalid field key: ${key}`);
  }
  if (port.targetPort === 0) throw usage("missing mandatory field 'target'");
  return port;
}

function publishMode(value: string): "ingress" | "host" {
  if (value === "ingress" || value === "host") return value;
  throw usage(`invalid publish mode value (${value}): must be either 'ingress' or 'host'`);
}

function servicePort(text: string, which: string): number {
  const port = parseInteger(text);
  const why = typeof port === "string" ? port : port < 0 || port > 65_535 ? "value out of range" : undefined;
  if (why === undefined && typeof port === "number") return port;
  throw usage(`invalid ${which} port (${text}): value must be an integer: ${why ?? ""}`);
}
