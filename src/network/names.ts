// SPDX-License-Identifier: Apache-2.0
/*
 * Names are answered by aardvark-dns, one process for all networks of a store. It reads a file per network
 * (`<addresses to listen on>`, then `<container id> <ipv4> <ipv6> <names> [<name servers>]`), again at SIGHUP, and ends
 * when no file is left. Files are always written whole, from the store's records.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TareError, ensureDirectory, readTextIfPresent, startFailure, withFileLock } from "../base/index.ts";
import { addressNumber, familyOf } from "./addresses.ts";
import { TOOL_ENVIRONMENT, processOf, signal } from "./programs.ts";
import type { NetworkRecord } from "./types.ts";

const PORT = 53;
const LONGEST_START = 5000;
const LONGEST_END = 1000;
const POLL = 4;
/** Milliseconds until the server is asked once more. */
const PATIENCE = 500;
const PLACES = [
  "/usr/lib/podman",
  "/usr/libexec/podman",
  "/usr/local/libexec/podman",
  "/usr/local/bin",
  "/usr/bin",
  "/usr/sbin",
];

/** The names of a store's networks. */
export class NameService {
  readonly #folder: string;

  constructor(runRoot: string) {
    this.#folder = join(runRoot, "names");
  }

  /** Makes the answers agree with `read()`, which is called while nobody else writes; waits until they are given. */
  async refresh(read: () => readonly NetworkRecord[]): Promise<void> {
    ensureDirectory(this.#folder, 0o700);
    await withFileLock(`${this.#folder}.lock`, async () => {
      const networks = read().filter(hasNames);
      const isChanged = this.#write(networks);
      if (isChanged || this.#pid() === undefined) await this.#tell(networks);
    });
  }

  /** True when a file of another content or name is there now. */
  #write(networks: readonly NetworkRecord[]): boolean {
    const wanted = new Map(networks.map((network) => [network.id, namesText(network)]));
    let isChanged = false;
    for (const name of fs.readdirSync(this.#folder)) {
      if (wanted.has(name) || !/^[0-9a-f]{64}$/.test(name)) continue;
      fs.rmSync(join(this.#folder, name), { force: true });
      isChanged = true;
    }
    for (const [name, text] of wanted) {
      const path = join(this.#folder, name);
      if (readTextIfPresent(path) === text) continue;
      // In place: a file beside it would be read as a network.
      fs.writeFileSync(path, text, { mode: 0o600 });
      isChanged = true;
    }
    return isChanged;
  }

  async #tell(networks: readonly NetworkRecord[]): Promise<void> {
    const isThere = this.#hangUp();
    if (networks.length === 0) return isThere ? await this.#end() : undefined;
    if (!isThere) this.#start();
    const wanted = networks.flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway));
    const limit = Date.now() + LONGEST_START;
    // A bridge may get its address, or a server may end, just after it was looked at.
    for (let again = Date.now() + PATIENCE; !isListening(wanted); await sleep(POLL)) {
      if (Date.now() > limit) throw notListening(wanted);
      if (Date.now() < again) continue;
      if (!this.#hangUp()) this.#start();
      again = Date.now() + PATIENCE;
    }
  }

  /** Without files it ends by itself. Until it has, its old sockets would look like answers for the next network. */
  async #end(): Promise<void> {
    for (const limit = Date.now() + LONGEST_END; this.#pid() !== undefined && Date.now() < limit;) await sleep(POLL);
  }

  /** Has it read its files again; false when none runs. */
  #hangUp(): boolean {
    return signal(this.#pid(), "SIGHUP");
  }

  /** Of the running server. */
  #pid(): number | undefined {
    return processOf(join(this.#folder, "aardvark.pid"), this.#folder);
  }

  #start(): void {
    const program = findNameServer();
    if (program === undefined) throw startFailure("aardvark-dns", { code: "ENOENT" });
    const child = spawn(program, ["--config", this.#folder, "-p", String(PORT), "run"], {
      env: TOOL_ENVIRONMENT,
      stdio: "ignore",
      detached: true,
      cwd: "/",
    });
    child.on("error", () => undefined);
    child.unref();
  }
}

/** The program that answers for names, where distributions put it. */
export function findNameServer(): string | undefined {
  return PLACES.map((place) => join(place, "aardvark-dns")).find((path) => fs.existsSync(path));
}

/** The default network has no names, as in Docker; one without containers needs none. */
function hasNames(network: NetworkRecord): boolean {
  return !network.isDefault && Object.keys(network.endpoints).length > 0;
}

/** A network's file. */
function namesText({ subnets, endpoints }: NetworkRecord): string {
  const rows = Object.entries(endpoints).map(([id, { name, aliases, ipv4, ipv6, dns }]) => {
    const names = [...new Set([name, id.slice(0, 12), ...aliases])].join(",");
    return `${id} ${ipv4} ${ipv6 ?? ""} ${names}${dns.length > 0 ? ` ${dns.join(",")}` : ""}\n`;
  });
  return `${subnets.map(({ gateway }) => gateway).join(",")}\n${rows.join("")}`;
}

/** Whether somebody receives at port 53 of all addresses: rows of `/proc/net/udp` begin with address and port in hex. */
function isListening(addresses: readonly string[]): boolean {
  const text = `${readTextIfPresent("/proc/net/udp") ?? ""}${readTextIfPresent("/proc/net/udp6") ?? ""}`;
  return addresses.every((address) => text.includes(` ${hexAddress(address)}:0035 `));
}

/** An address as the kernel prints it: 32-bit words in the host's byte order. */
function hexAddress(address: string): string {
  const digits = (addressNumber(address) ?? 0n).toString(16).padStart(familyOf(address) === 6 ? 32 : 8, "0");
  const words = digits.match(/.{8}/g) ?? [];
  return words
    .map((word) => (word.match(/../g) ?? []).toReversed().join(""))
    .join("")
    .toUpperCase();
}

function notListening(addresses: readonly string[]): TareError {
  return new TareError(
    "E_NETWORK",
    `resolving names of the network: nobody answers at ${addresses.join(", ")} port ${PORT}`,
    {
      hint: "another name server of this host may listen on port 53 of all addresses: `ss -lnup sport = 53`",
    },
  );
}
