// SPDX-License-Identifier: Apache-2.0
import { TareError, suggest } from "../base/index.ts";
import type { OciCapabilities } from "./spec-types.ts";

const ALL = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE " +
  "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN " +
  "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE " +
  "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split(" ");

const RUN = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "NET_BIND_SERVICE"];

/**
 * Default capabilities per use, without the `CAP_` prefix. `run` is what a service image needs to change its owner and
 * drop to a user; build steps have Docker's and BuildKit's set, since installers rely on it.
 */
export const DEFAULT_CAPABILITIES: Readonly<Record<"run" | "build", readonly string[]>> = {
  run: RUN,
  build: [...RUN, "SETPCAP", "NET_RAW", "SYS_CHROOT", "MKNOD", "AUDIT_WRITE", "SETFCAP"],
};

/** What the user asked to change; names with or without `CAP_`, any case, `ALL` allowed. */
export interface CapabilityChange {
  readonly add?: readonly string[];
  readonly drop?: readonly string[];
}

/**
 * The capability names (with `CAP_`, in the kernel's order) after `drop` and `add`, as Docker combines them: `ALL` first,
 * then single names; a name both added and dropped under `add ALL` is dropped. Throws `E_USAGE` for unknown names.
 */
export function resolveCapabilities(
  defaults: readonly string[],
  change: CapabilityChange,
  known: readonly string[] = ALL,
): string[] {
  const add = (change.add ?? []).map(normalise);
  const drop = (change.drop ?? []).map(normalise);
  const start = add.includes("ALL") ? known : drop.includes("ALL") ? [] : defaults;
  const dropped = new Set(add.includes("ALL") || !drop.includes("ALL") ? drop : []);
  const chosen = new Set(start.filter((name) => !dropped.has(name)));
  for (const name of add) if (name !== "ALL") chosen.add(name);
  return ALL.filter((name) => chosen.has(name)).map((name) => `CAP_${name}`);
}

/** All capabilities up to the kernel's last one (number in `/proc/sys/kernel/cap_last_cap`), limited by a bounding mask. */
export function knownCapabilities(lastCapability: number, bounding?: bigint): string[] {
  return ALL.filter(
    (_, bit) => bit <= lastCapability && (bounding === undefined || ((bounding >> BigInt(bit)) & 1n) === 1n),
  );
}

/** The sets for a process: a user other than root gets the bounding set only; nothing is ever inheritable or ambient. */
export function capabilitySets(names: readonly string[], uid: number): OciCapabilities {
  const active = uid === 0 ? names : [];
  return { bounding: names, effective: active, permitted: active, inheritable: [], ambient: [] };
}

function normalise(text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, "");
  if (name === "ALL" || ALL.includes(name)) return name;
  const near = suggest(name, ALL);
  throw new TareError("E_USAGE", `reading capability \`${text}\`: there is no such capability`, {
    ...(near === undefined ? {} : { hint: `did you mean \`${near}\`` }),
    exitCode: 125,
  });
}
