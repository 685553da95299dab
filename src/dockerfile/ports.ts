// SPDX-License-Identifier: Apache-2.0
import { problem } from "./problem.ts";
import { cut, quoted } from "./text.ts";

/** The ports of one word of EXPOSE. */
export interface ExposedPorts {
  /** `80/tcp` for each port of the range. */
  readonly ports: readonly string[];
  /** Findings of BuildKit's rules about the word. */
  readonly findings: readonly { readonly rule: string; readonly detail: string }[];
}

const PROTOCOLS: ReadonlySet<string> = new Set(["tcp", "udp", "sctp"]);

/** Reads `[[ip:]hostPort:]port[-port][/protocol]`, already expanded. Throws `E_DF_PORT`. */
export function parsePorts(word: string): ExposedPorts {
  const { ip, host, container } = splitParts(word);
  const [range, written = ""] = cut(container, "/");
  if (range === "") throw problem("E_DF_PORT", `invalid port: ${quoted(word)}: no port specified`);
  const protocol = written === "" ? "tcp" : written.toLowerCase();
  if (!PROTOCOLS.has(protocol)) {
    throw problem(
      "E_DF_PORT",
      `invalid port: ${quoted(word)}: invalid proto: ${written}`,
      "the protocols are tcp, udp and sctp",
    );
  }
  if (ip !== "" && !isAddress(ip.replace(/^\[(.*)\]$/, "$1"))) throw problem("E_DF_PORT", `invalid IP address: ${ip}`);
  const { start, end } = portRange(range, "containerPort");
  if (host !== "") checkHostRange(host, range, { start, end });
  const ports = Array.from({ length: end - start + 1 }, (_, index) => `${start + index}/${protocol}`);
  return { ports, findings: findingsOf(word, { written, isMapping: ip !== "" || host !== "" }) };
}

function splitParts(word: string): { readonly ip: string; readonly host: string; readonly container: string } {
  const parts = word.split(":");
  const container = parts.at(-1) ?? "";
  return { ip: parts.slice(0, -2).join(":"), host: parts.length > 1 ? (parts.at(-2) ?? "") : "", container };
}

/** Whether the text is an IPv4 or IPv6 address. */
function isAddress(text: string): boolean {
  if (text.includes(":")) return /^[0-9a-fA-F:.]+$/.test(text) && URL.canParse(`http://[${text}]`);
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function portRange(text: string, what: string): Range {
  const [first, second = first] = cut(text, "-");
  const start = portNumber(first);
  const end = portNumber(second);
  if (start !== undefined && end !== undefined && end >= start) return { start, end };
  throw problem("E_DF_PORT", `invalid ${what}: ${text}`, "ports are numbers from 0 to 65535");
}

function portNumber(text: string): number | undefined {
  const value = /^[+]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return value <= 65_535 ? value : undefined;
}

/** A range of host ports for one container port is accepted; other differences are not. */
function checkHostRange(text: string, container: string, range: Range): void {
  const host = portRange(text, "hostPort");
  if (range.end === range.start || range.end - range.start === host.end - host.start) return;
  throw problem("E_DF_PORT", `invalid ranges specified for container and host Ports: ${container} and ${text}`);
}

function findingsOf(
  word: string,
  found: { readonly written: string; readonly isMapping: boolean },
): ExposedPorts["findings"] {
  const findings: { rule: string; detail: string }[] = [];
  if (found.written !== found.written.toLowerCase()) {
    const detail = `Defined protocol '${word}' in EXPOSE instruction should be lowercase`;
    findings.push({ rule: "ExposeProtoCasing", detail });
  }
  if (found.isMapping) {
    const detail = `EXPOSE instruction should not define an IP address or host-port mapping, found '${word}'`;
    findings.push({ rule: "ExposeInvalidFormat", detail });
  }
  return findings;
}
