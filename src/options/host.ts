// SPDX-License-Identifier: Apache-2.0
import { cut, usage } from "./usage.ts";

/** Where `-H` points to when it says nothing else. */
export const DEFAULT_HOST = "unix:///var/run/docker.sock";

const DEFAULT_TCP_HOST = "tcp://localhost:2375";
const DEFAULT_PIPE = "//./pipe/docker_engine";
const ADDRESS = /^(\[[^\]\s]*\]|[^\s:/[\]]*)(?::([0-9]*))?(\/.*)?$/;

/** Parses `-H` / `DOCKER_HOST` into a full URL; empty means the default socket. Throws `E_USAGE`. */
export function parseHost(text: string): string {
  const host = text.trim();
  return host === "" ? DEFAULT_HOST : parseDaemonHost(host);
}

/** Parses an address that a daemon listens on: `tcp://`, `unix://`, `fd://`, `ssh://` or `host:port`. */
export function parseDaemonHost(text: string): string {
  const { key, value } = cut(text, "://");
  const [scheme, address] = value === undefined && key !== "" ? ["tcp", key] : [key, value ?? ""];
  if (scheme === "tcp") return parseTcpAddress(address, DEFAULT_TCP_HOST);
  if (scheme === "unix") return simpleAddress("unix", address, DEFAULT_HOST.slice("unix://".length));
  if (scheme === "npipe") return simpleAddress("npipe", address, DEFAULT_PIPE);
  if (scheme === "fd" || scheme === "ssh") return text;
  throw usage(`invalid bind address format: ${text}`);
}

function simpleAddress(scheme: string, address: string, byDefault: string): string {
  if (address.includes("://")) throw usage(`invalid proto, expected ${scheme}: ${address}`);
  return `${scheme}://${address === "" ? byDefault : address}`;
}

/** Completes a TCP address with host and port of `byDefault`. Throws `E_USAGE` with Docker's text. */
export function parseTcpAddress(text: string, byDefault: string): string {
  const address = text.startsWith("tcp://") ? text.slice("tcp://".length) : text;
  if (address === "") return byDefault;
  if (address.includes("://")) throw usage(`invalid proto, expected tcp: ${text}`);
  const match = ADDRESS.exec(address);
  const defaults = ADDRESS.exec(byDefault.slice("tcp://".length));
  if (match === null) throw usage(`invalid bind address format: ${text}`);
  const [, host = "", port = "", path = ""] = match;
  return `tcp://${host || (defaults?.[1] ?? "")}:${port || (defaults?.[2] ?? "")}${path}`;
}
