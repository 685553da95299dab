// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";

/** Paths that read as empty in a container: what Docker or Podman masks, together, and the known side channels. */
export const MASKED_PATHS: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/dev/block",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
  "/sys/fs/selinux",
];

/** Paths below /proc that stay readable but not writable. */
export const READONLY_PATHS: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

const IPC_SYSCTLS =
  /^(?:kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\.[a-z_]+)$/;
const NETWORK_SYSCTLS = /^net\.[A-Za-z0-9_\-/.]+$/;
const VALUE = /^[A-Za-z0-9._\-,: \t/]{1,256}$/;

/**
 * The sysctls that belong to a namespace of the container itself, checked by name and value (CVE-2022-0811: no `+`, `=`
 * or line end). Throws `E_USAGE` for others and for those of a namespace that is the host's.
 */
export function checkedSysctls(
  sysctls: Readonly<Record<string, string>>,
  namespaces: { readonly network?: unknown; readonly ipc?: unknown; readonly uts?: unknown },
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(sysctls)) {
    const owner = IPC_SYSCTLS.test(name) ? namespaces.ipc : NETWORK_SYSCTLS.test(name) ? namespaces.network : "host";
    if (name.includes("..")) throw refuse(name, "the name is malformed");
    if (owner === "host") throw refuse(name, "it is not the container's own");
    if (!VALUE.test(value)) throw refuse(name, "the value has characters that no sysctl needs");
    result[name] = value;
  }
  return result;
}

function refuse(name: string, why: string): TareError {
  return new TareError("E_USAGE", `setting sysctl \`${name}\`: ${why}`, { exitCode: 125 });
}
