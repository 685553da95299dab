// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TareError, ensureDirectory, ioError, readTextIfPresent } from "../base/index.ts";
import type { SpecMount } from "./spec-mounts.ts";

/** What the three files say. */
export interface EtcFilesInput {
  readonly hostname: string;
  readonly domainname?: string;
  /** `NAME:IP` or `NAME=IP`; the IP may be in brackets. */
  readonly extraHosts?: readonly string[];
  readonly network: "none" | "host" | "private";
  /** The container's own addresses, for its line in /etc/hosts. */
  readonly addresses?: readonly string[];
  /** Instead of the host's. */
  readonly dns?: readonly string[];
  readonly dnsSearch?: readonly string[];
  readonly dnsOptions?: readonly string[];
  /** Host files to start from; for tests. */
  readonly hostFiles?: { readonly resolvConf: string; readonly hosts: string };
}

const LOCAL_LINES = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::\tip6-localnet",
  "ff00::\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
];
const FALLBACK_SERVERS = ["8.8.8.8", "8.8.4.4"];

/**
 * Writes resolv.conf, hosts and hostname into `<bundle>/etc` and returns their bind mounts. A loopback name server (as of
 * systemd-resolved) is replaced by the servers behind it unless the container shares the host's network. Without a
 * network there are no name servers. Throws `E_USAGE` for a malformed extra host, `E_IO`.
 */
export function prepareEtcFiles(bundle: string, input: EtcFilesInput): SpecMount[] {
  const folder = join(bundle, "etc");
  const contents: readonly (readonly [string, string])[] = [
    ["resolv.conf", resolvConf(input)],
    ["hosts", hosts(input)],
    ["hostname", `${input.hostname}\n`],
  ];
  try {
    ensureDirectory(folder, 0o755);
    for (const [name, text] of contents) writeFileSync(join(folder, name), text, { mode: 0o644 });
    return etcFilesIn(bundle);
  } catch (error) {
    throw ioError(`writing the container's files in \`${folder}\``, error);
  }
}

/** The mounts of the files that are there already: of a container whose network another one shares. */
export function etcFilesIn(bundle: string): SpecMount[] {
  return ["resolv.conf", "hosts", "hostname"].map((name) => {
    const source = join(bundle, "etc", name);
    return { destination: `/etc/${name}`, type: "bind", source, options: ["bind", "rprivate", "rw"] };
  });
}

/** The text of /etc/resolv.conf. */
export function resolvConf(input: EtcFilesInput): string {
  const host = parseResolvConf(hostResolvConf(input));
  const usable = input.network === "host" ? host.servers : host.servers.filter((server) => !isLoopback(server));
  const inherited = input.network === "private" && usable.length === 0 ? FALLBACK_SERVERS : usable;
  const servers = chosen(input.dns, input.network === "none" ? [] : inherited);
  const search = chosen(input.dnsSearch, host.search).filter((domain) => domain !== ".");
  const options = chosen(input.dnsOptions, host.options);
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length === 0 ? [] : [`search ${search.join(" ")}`]),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** The text of /etc/hosts. */
export function hosts(input: EtcFilesInput): string {
  const extra = (input.extraHosts ?? []).map(parseExtraHost);
  const own = input.domainname ? `${input.hostname}.${input.domainname} ${input.hostname}` : input.hostname;
  const base =
    input.network === "host"
      ? (input.hostFiles?.hosts ?? readTextIfPresent("/etc/hosts") ?? "").trimEnd().split("\n")
      : [
          ...LOCAL_LINES,
          ...(input.addresses ?? (input.network === "none" ? [] : ["127.0.1.1"])).map((ip) => `${ip}\t${own}`),
        ];
  // With the host's network the container still has a name of its own, which must resolve.
  const hasName = base.some((line) => line.split(/\s+/).slice(1).includes(input.hostname));
  const named = input.network === "host" && !hasName ? [`127.0.1.1\t${own}`] : [];
  return [...base, ...named, ...extra].map((line) => `${line}\n`).join("");
}

function hostResolvConf(input: EtcFilesInput): string {
  if (input.hostFiles !== undefined) return input.hostFiles.resolvConf;
  const text = readTextIfPresent("/etc/resolv.conf") ?? "";
  const servers = parseResolvConf(text).servers;
  if (input.network === "host" || !servers.every(isLoopback) || servers.length === 0) return text;
  return readTextIfPresent("/run/systemd/resolve/resolv.conf") ?? text;
}

function parseResolvConf(text: string): { servers: string[]; search: string[]; options: string[] } {
  const rows = text.split("\n").map((line) =>
    line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/),
  );
  const values = (...names: string[]): string[][] =>
    rows.filter(([name = ""]) => names.includes(name)).map((row) => row.slice(1));
  return {
    servers: values("nameserver").flatMap(([server]) => server ?? []),
    search: values("search", "domain").at(-1) ?? [],
    options: values("options").flat(),
  };
}

function parseExtraHost(text: string): string {
  const match = /^([A-Za-z0-9_][A-Za-z0-9._-]*)[:=]\[?([0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?)\]?$/.exec(text);
  const [, name, address] = match ?? [];
  if (name === undefined || address === undefined) {
    throw new TareError("E_USAGE", `reading extra host \`${text}\`: wanted NAME:ADDRESS`, { exitCode: 125 });
  }
  return `${address}\t${name}`;
}

function isLoopback(server: string): boolean {
  return server.startsWith("127.") || server === "::1";
}

function chosen(wanted: readonly string[] | undefined, otherwise: readonly string[]): readonly string[] {
  return wanted === undefined || wanted.length === 0 ? otherwise : wanted;
}
