// SPDX-License-Identifier: Apache-2.0
import { isIPv4, isIPv6 } from "node:net";
import { cut, quoted, usage } from "./usage.ts";

/** An extra line of the container's hosts file; address `host-gateway` stands for the host. */
export interface ExtraHost {
  readonly name: string;
  readonly address: string;
}

/** A `--link`. */
export interface Link {
  readonly name: string;
  readonly alias: string;
}

const DOMAIN_LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/;
const HOSTNAME_LIMIT = 64;

/** Parses an IP address into its canonical form. Throws `E_USAGE` with Docker's text. */
export function parseIpAddress(text: string): string {
  const address = text.trim();
  if (isIPv4(address)) return address;
  if (isIPv6(address) && !address.includes("%")) return new URL(`http://[${address}]/`).hostname.slice(1, -1);
  throw usage(`IP address is not correctly formatted: ${text}`);
}

/** Parses `--add-host name:address` or `name=address`; the address stays as written, without brackets. */
export function parseExtraHost(text: string): ExtraHost {
  const { key: name, value } = cut(text, text.includes("=") ? "=" : ":");
  if (value === undefined || name === "" || name.includes(":")) {
    throw usage(`bad format for add-host: ${quoted(text)}`, "expected name:address");
  }
  const address = value.length > 2 && value.startsWith("[") && value.endsWith("]") ? value.slice(1, -1) : value;
  const isAddress = isIPv4(address) || (isIPv6(address) && !address.includes("%"));
  if (address !== "host-gateway" && !isAddress) throw usage(`invalid IP address in add-host: ${quoted(address)}`);
  return { name, address };
}

/** Parses `--dns-search`; `.` means none. Throws `E_USAGE`. */
export function parseDnsSearch(text: string): string {
  const domain = text.replace(/^ +| +$/g, "");
  if (domain === ".") return domain;
  const bare = domain.endsWith(".") ? domain.slice(0, -1) : domain;
  const valid =
    /[a-zA-Z]/.test(bare) && bare.length < 255 && bare.split(".").every((label) => DOMAIN_LABEL.test(label));
  if (!valid) throw usage(`${text} is not a valid domain`);
  return bare;
}

/** Checks a `--hostname` (dots allowed, at most 64 bytes as the kernel). Throws `E_USAGE`. */
export function parseHostname(text: string): string {
  const valid = text.length <= HOSTNAME_LIMIT && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text);
  if (valid) return text;
  throw usage(`invalid hostname \`${text}\``, "letters, digits, hyphens and dots, at most 64 characters");
}

/** Parses `--link name[:alias]`. Throws `E_USAGE` with Docker's text. */
export function parseLink(text: string): Link {
  if (text === "") throw usage("empty string specified for links");
  const [first = "", alias, ...more] = text.split(":");
  if (more.length > 0) throw usage(`bad format for links: ${text}`, "expected name[:alias]");
  if (alias === undefined) return { name: first, alias: first };
  return first.startsWith("/")
    ? { name: first.slice(1), alias: alias.split("/").at(-1) ?? alias }
    : { name: first, alias };
}

/** Checks a 48-bit MAC address and writes it in lower case with colons. Throws `E_USAGE`. */
export function parseMacAddress(text: string): string {
  const shape = /^[0-9a-f]{2}(?:(:|-)[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i;
  const dotted = /^[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}$/i;
  if (!shape.test(text) && !dotted.test(text)) throw usage(`${text} is not a valid mac address`);
  return (text.toLowerCase().replace(/[:.-]/g, "").match(/../g) ?? []).join(":");
}
