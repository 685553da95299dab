// SPDX-License-Identifier: Apache-2.0
/* What about a container's confinement is worth a word, the most dangerous first. Pure: a table of rules. */
import { posix } from "node:path";
import type { SecurityReport } from "./security-report.ts";

/** How far it leads: to the whole host, to much of it, to some of it, or hardly anywhere. */
export type Danger = "critical" | "high" | "medium" | "low";

/** One remark. */
export interface SecurityFinding {
  readonly danger: Danger;
  /** What is the case, in plain words. */
  readonly what: string;
  /** What could come of it. */
  readonly why: string;
  /** What to do instead. */
  readonly fix: string;
}

type Facts = Omit<SecurityReport, "findings">;
type Rule = (facts: Facts) => readonly SecurityFinding[];

const ORDER: readonly Danger[] = ["critical", "high", "medium", "low"];
const SOCKETS = ["docker.sock", "containerd.sock", "podman.sock", "crio.sock", "dockershim.sock"];
const SYSTEM_FOLDERS = ["/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/run", "/sys", "/usr", "/var"];

/** What a capability gives away; those that are not here give little. */
const STRONG: Readonly<Record<string, readonly [Danger, string]>> = {
  CAP_SYS_ADMIN: ["critical", "mounts file systems and changes namespaces: nearly root of the host"],
  CAP_SYS_MODULE: ["critical", "loads kernel modules"],
  CAP_SYS_RAWIO: ["critical", "reads and writes the machine's memory and ports"],
  CAP_BPF: ["critical", "loads programs into the kernel"],
  CAP_SYS_BOOT: ["critical", "restarts the machine and loads kernels"],
  CAP_DAC_READ_SEARCH: ["high", "opens every file of the host's disks by its number"],
  CAP_SYS_PTRACE: ["high", "reads and changes other processes of its process namespace"],
  CAP_NET_ADMIN: ["medium", "changes addresses, routes and filters of its network"],
  CAP_SYS_TIME: ["medium", "sets the machine's clock"],
  CAP_SYSLOG: ["medium", "reads the kernel's messages"],
  CAP_PERFMON: ["medium", "observes the kernel"],
  CAP_NET_RAW: ["low", "forges packets in its network"],
  CAP_MKNOD: ["low", "makes device files"],
};

const SHARED: Readonly<Record<string, readonly [Danger, string]>> = {
  pid: ["high", "it sees all processes of the host, and signals those of its user"],
  network: ["medium", "it reaches everything that listens on this machine only, and listens for everybody"],
  ipc: ["medium", "it reads and changes shared memory of the host's programs"],
  uts: ["low", "it may read the host's name, and with more rights change it"],
};

/** What is found, ordered. In a user's namespace nothing is more than that user, so the worst is `high`. */
export function findingsOf(facts: Facts): readonly SecurityFinding[] {
  const found = RULES.flatMap((rule) => rule(facts)).map((finding) =>
    facts.isRootless && finding.danger === "critical" ? { ...finding, danger: "high" as const } : finding,
  );
  return found.toSorted((left, right) => ORDER.indexOf(left.danger) - ORDER.indexOf(right.danger));
}

const RULES: readonly Rule[] = [
  when(
    ({ privileged }) => privileged,
    ({ isRootless }) => ({
      danger: "critical",
      what: "it is privileged",
      why: isRootless ? "nothing confines it but your own rights" : "it can do everything that root of this host can",
      fix: "leave out `--privileged`; add what it needs with `--cap-add` and `--device`",
    }),
  ),
  ({ mounts }) => mounts.flatMap(mountFinding),
  ({ devices, privileged }) => (privileged ? [] : devices.map(deviceFinding)),
  ({ sharedNamespaces }) => sharedNamespaces.flatMap(namespaceFinding),
  ({ capabilities, privileged }) => (privileged ? [] : capabilities.bounding.flatMap(capabilityFinding)),
  when(
    ({ seccomp, privileged }) => seccomp === "none" && !privileged,
    () => ({
      danger: "high",
      what: "no filter of system calls",
      why: "every fault of the kernel is in reach",
      fix: "leave out `--security-opt seccomp=unconfined`",
    }),
  ),
  when(
    ({ maskedPaths, privileged }) => maskedPaths.length === 0 && !privileged,
    () => ({
      danger: "medium",
      what: "no path below /proc and /sys is masked",
      why: "it reads what the kernel tells about the machine, and may change settings",
      fix: "leave out `--security-opt systempaths=unconfined`",
    }),
  ),
  when(
    ({ noNewPrivileges, privileged }) => !noNewPrivileges && !privileged,
    () => ({
      danger: "medium",
      what: "its programs can gain privileges",
      why: "a setuid program in the image makes any of its users root of the container",
      fix: "leave out `--security-opt no-new-privileges=false`",
    }),
  ),
  (facts) => rootFinding(facts),
  ({ ports }) => ports.flatMap(portFinding),
  when(
    ({ limits }) => limits.memory === undefined,
    () => ({
      danger: "low",
      what: "no limit of memory",
      why: "it can use up the machine's memory",
      fix: "give one, as `--memory 8g`",
    }),
  ),
  when(
    ({ limits }) => limits.pids === undefined,
    () => ({
      danger: "low",
      what: "no limit of processes",
      why: "a fork bomb in it stops the machine",
      fix: "give one, as `--pids-limit 4096`",
    }),
  ),
];

function when(test: (facts: Facts) => boolean, finding: (facts: Facts) => SecurityFinding): Rule {
  return (facts) => (test(facts) ? [finding(facts)] : []);
}

function mountFinding({ source, destination, writable, kind }: Facts["mounts"][number]): SecurityFinding[] {
  if (kind !== "bind") return [];
  const where = `\`${source}\` of the host is at \`${destination}\``;
  if (SOCKETS.includes(posix.basename(source))) {
    const why = "who reaches it can start any container, and so is root of the host";
    return [
      { danger: "critical", what: `the socket ${where}`, why, fix: "don't mount the sockets of container engines" },
    ];
  }
  const isSystem = source === "/" || SYSTEM_FOLDERS.includes(`/${source.split("/")[1] ?? ""}`);
  if (isSystem && !isHarmless(source)) {
    const danger = writable ? "critical" : "high";
    const why = writable ? "it can change the host's system" : "it reads the host's system, passwords among it";
    return [
      { danger, what: `${where}${writable ? ", writable" : ""}`, why, fix: "mount only the folder that it needs" },
    ];
  }
  if (!writable) return [];
  const why = "what it deletes or changes there is the host's";
  return [{ danger: "low", what: `${where}, writable`, why, fix: "add `:ro` where it need not write" }];
}

/** Files that hold nothing secret, and places where users keep data. */
function isHarmless(source: string): boolean {
  return /^\/(?:etc\/(?:localtime|timezone|hosts|resolv\.conf)$|usr\/share\/|var\/tmp\/|run\/user\/|dev\/shm\/)/.test(
    source,
  );
}

function deviceFinding(path: string): SecurityFinding {
  const isDisk = /^\/dev\/(?:sd|nvme|vd|xvd|dm-|mapper|loop|mem|kmem|port)/.test(path);
  return {
    danger: isDisk ? "critical" : "medium",
    what: `it has the device \`${path}\``,
    why: isDisk ? "it reads and writes the disk below all permissions" : "it talks to a driver of the kernel",
    fix: path.startsWith("/") ? "leave out `--device`, or give it with `:r`" : "leave out `--device` or `--gpus`",
  };
}

function namespaceFinding(name: string): SecurityFinding[] {
  const known = SHARED[name];
  if (known === undefined) return [];
  const [danger, why] = known;
  const word = name === "pid" ? "process" : name;
  return [{ danger, what: `the ${word} namespace is the host's`, why, fix: `leave out \`--${name} host\`` }];
}

function capabilityFinding(name: string): SecurityFinding[] {
  const known = STRONG[name];
  if (known === undefined) return [];
  const [danger, why] = known;
  return [{ danger, what: `it may have ${name}`, why, fix: `\`--cap-drop ${name.replace("CAP_", "")}\`` }];
}

function rootFinding({ user, isRootless, uidMap }: Facts): SecurityFinding[] {
  if (user.uid !== 0) return [];
  if (isRootless) {
    const why = "who breaks out of it is you, not root";
    return [
      { danger: "low", what: "it runs as root of the container, which is you", why, fix: "`--user` with another id" },
    ];
  }
  if (uidMap.length > 0) return [];
  const why = "who breaks out of it is root of the host, and files in mounted folders become root's";
  const fix = "`USER` in the Dockerfile, `--user`, or Tare without sudo";
  return [{ danger: "medium", what: "it runs as root", why, fix }];
}

function portFinding(text: string): SecurityFinding[] {
  if (!/^(?:0\.0\.0\.0|\[?::\]?):/.test(text)) return [];
  const why = "every machine that reaches this one reaches it";
  return [{ danger: "medium", what: `the port ${text} is open on all addresses`, why, fix: "publish it on 127.0.0.1" }];
}
