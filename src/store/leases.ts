// SPDX-License-Identifier: Apache-2.0
/*
 * A lease is a folder `tmp/<name>/` whose name says which process owns it: pid, start time, boot and pid namespace.
 * A pid can be reused, a pid with its start time (clock ticks since boot) in one boot can't; so the name alone proves
 * whether the owner lives, and the folder of a dead one is rubbish at once. A kernel lock (flock) would prove the
 * same, but Node has none and FFI costs 12 ms to load, more than all the rest of a lease. The name is made by one
 * mkdir: there is no moment at which a live lease looks dead.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import type { Digest } from "../base/index.ts";
import { isDigest, readTextIfPresent, startTimeOfStat, systemErrorCode } from "../base/index.ts";
import type { Effects } from "./effects.ts";
import type { Layout } from "./layout.ts";
import { namesIn } from "./layout.ts";
import type { Lease } from "./types.ts";

/** What tells one process from all others, of all boots. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of `/proc/<pid>/stat`. */
  readonly startTime: string;
  readonly bootId: string;
  /** Inode of the pid namespace. */
  readonly namespace: string;
}

const NAME = /^(\d+)-(\d+)-([0-9a-f]{32})-(\d+)-[0-9a-f]{8}$/;
/** A lease of another pid namespace can't be checked; after this time without change it counts as dead. */
const FOREIGN_LIMIT = 24 * 3600 * 1000;
const KEEP_FILE = "keep";

/** This process's identity. */
export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startTime: startTimeOf("self") ?? "0",
    bootId: bootId(),
    namespace: pidNamespace(),
  };
}

function bootId(): string {
  return (readTextIfPresent("/proc/sys/kernel/random/boot_id") ?? "").trim().replaceAll("-", "").padEnd(32, "0");
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(fs.readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}

function startTimeOf(pid: number | "self"): string | undefined {
  try {
    return startTimeOfStat(fs.readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "ESRCH") return undefined;
    throw error;
  }
}

function leaseName(owner: ProcessIdentity): string {
  return `${owner.pid}-${owner.startTime}-${owner.bootId}-${owner.namespace}-${randomBytes(4).toString("hex")}`;
}

/** Parses an owner from a lease's folder name or a claim's owner text. */
export function identityOf(name: string): ProcessIdentity | undefined {
  const [, pid, startTime, bootId, namespace] = NAME.exec(name) ?? [];
  if (pid === undefined || startTime === undefined || bootId === undefined || namespace === undefined) return undefined;
  return { pid: Number(pid), startTime, bootId, namespace };
}

/** Whether the process of a lease lives; "foreign" when that can't be seen from this pid namespace. */
export function livenessOf(owner: ProcessIdentity, self: ProcessIdentity): "alive" | "dead" | "foreign" {
  if (owner.bootId !== self.bootId) return "dead";
  if (owner.namespace !== self.namespace) return "foreign";
  return startTimeOf(owner.pid) === owner.startTime ? "alive" : "dead";
}

/** Makes leases of this process and judges those of others. */
export class Leases {
  readonly #layout: Layout;
  readonly #effects: Effects;
  readonly #open = new Set<Lease>();
  #self: ProcessIdentity | undefined;

  constructor(layout: Layout, effects: Effects) {
    this.#layout = layout;
    this.#effects = effects;
  }

  get self(): ProcessIdentity {
    this.#self ??= ownIdentity();
    return this.#self;
  }

  /** A new lease of this process. */
  open(): Lease {
    const id = leaseName(this.self);
    const folder = join(this.#layout.temporary, id);
    this.#effects.makeDirectory("lease.create", folder);
    const facts = { ...this.self, createdAt: new Date().toISOString(), program: process.argv.slice(1, 3) };
    this.#effects.writeFile("lease.create", join(folder, "lease.json"), `${JSON.stringify(facts)}\n`);
    const kept = new Set<Digest>();
    const lease: Lease = {
      id,
      folder,
      keep: (digests) => this.#keep(folder, kept, digests),
      release: () => {
        if (this.#open.delete(lease)) this.#effects.removeTree("lease.release", folder);
      },
    };
    this.#open.add(lease);
    return lease;
  }

  /**
   * One line per digest, by one append, before what it keeps is looked at or published. Lines begin and end with a
   * newline: one that a full disk cut off can't spoil the next.
   */
  #keep(folder: string, kept: Set<Digest>, digests: readonly Digest[]): void {
    const fresh = digests.filter((digest) => !kept.has(digest));
    if (fresh.length === 0) return;
    this.#effects.append("lease.keep", join(folder, KEEP_FILE), fresh.map((digest) => `\n${digest}\n`).join(""));
    for (const digest of fresh) kept.add(digest);
  }

  releaseAll(): void {
    for (const lease of this.#open) lease.release();
  }

  /** Names in `tmp/` by whether somebody may still use them. */
  survey(): { readonly live: readonly string[]; readonly dead: readonly string[] } {
    const live: string[] = [];
    const dead: string[] = [];
    for (const name of namesIn(this.#layout.temporary)) (this.#isLive(name) ? live : dead).push(name);
    return { live, dead };
  }

  #isLive(name: string): boolean {
    const owner = identityOf(name);
    if (!owner) return false;
    const state = livenessOf(owner, this.self);
    if (state !== "foreign") return state === "alive";
    const facts = fs.statSync(join(this.#layout.temporary, name), { throwIfNoEntry: false });
    return facts !== undefined && Date.now() - facts.mtimeMs < FOREIGN_LIMIT;
  }

  /** Everything that live leases keep. */
  keptDigests(): Set<Digest> {
    const kept = new Set<Digest>();
    for (const name of this.survey().live) {
      const text = readTextIfPresent(join(this.#layout.temporary, name, KEEP_FILE)) ?? "";
      for (const line of text.split("\n")) if (isDigest(line)) kept.add(line);
    }
    return kept;
  }
}
