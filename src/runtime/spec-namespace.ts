// SPDX-License-Identifier: Apache-2.0
// What an OCI configuration looks like in a user namespace. Pure: what the namespace lacks comes in.
import { TareError } from "../base/index.ts";
import type { IdRange } from "../base/index.ts";
import type { OciMount, OciProcess, OciResources, OciSpec } from "./spec-types.ts";

/** What a user namespace has and lacks. */
export interface NamespaceLimits {
  /** Highest ids that it has. */
  readonly highestUid: number;
  readonly highestGid: number;
  /** The rows of its maps. */
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  /** Own control groups, with which limits are possible. */
  readonly hasCgroups: boolean;
  /** Of this process; nobody may go below his own. */
  readonly oomScoreAdj: number;
}

const TTY_GROUP = 5;
const NO_FILES = ["nosuid", "noexec", "nodev", "ro", "mode=755", "size=0k"];

/**
 * The same container in a user namespace: /sys is the host's where the network is, no group that the namespace lacks,
 * no control group where there is none. Throws `E_UID`, and `E_UNSUPPORTED` for limits that nothing could enforce.
 */
export function inUserNamespace(spec: OciSpec, limits: NamespaceLimits): OciSpec {
  const { linux } = spec;
  const sharesNetwork = !linux.namespaces.some(({ type }) => type === "network");
  const { cgroupsPath, resources, ...rest } = linux;
  return {
    ...spec,
    process: processInNamespace(spec.process, limits),
    mounts: spec.mounts.flatMap((mount) => mountInNamespace(mount, sharesNetwork, limits)),
    linux: {
      ...rest,
      ...(limits.hasCgroups && cgroupsPath !== undefined ? { cgroupsPath } : {}),
      resources: limits.hasCgroups ? resources : withoutLimits(resources),
      ...(linux.sysctl === undefined ? {} : { sysctl: sysctlsIn(linux.sysctl, limits) }),
    },
  };
}

/** The process of a container or of `exec` in a user namespace. Throws `E_UID`. */
export function processInNamespace(process: OciProcess, limits: NamespaceLimits): OciProcess {
  const { uid, gid, additionalGids, ...user } = process.user;
  if (uid > limits.highestUid || gid > limits.highestGid) throw unknownId(uid, gid, limits);
  const groups = (additionalGids ?? []).filter((group) => group <= limits.highestGid);
  // A namespace of one group has given up setgroups(2).
  const more = limits.highestGid === 0 || groups.length === 0 ? {} : { additionalGids: groups };
  const { oomScoreAdj, ...rest } = process;
  const score = oomScoreAdj === undefined ? {} : { oomScoreAdj: Math.max(oomScoreAdj, limits.oomScoreAdj) };
  return { ...rest, ...score, user: { uid, gid, ...user, ...more } };
}

function unknownId(uid: number, gid: number, { highestUid, highestGid }: NamespaceLimits): TareError {
  const isAlone = highestUid === 0;
  return new TareError(
    "E_UID",
    `choosing the user ${uid}:${gid}: ${isAlone ? "root has lent you no ids, so there is only 0" : `your ids go up to ${highestUid}:${highestGid}`}`,
    {
      hint: isAlone
        ? "`tare system check` names the command that lends you some; or take `--user root`, which is yourself"
        : "take a smaller number, or have more ids lent in /etc/subuid and /etc/subgid",
      exitCode: 125,
    },
  );
}

/** The host's /sys in the place of the container's own. */
export function hostSys({ destination }: OciMount): OciMount {
  const options = ["rbind", "rslave", "nosuid", "noexec", "nodev", "ro"];
  return { destination, type: "bind", source: "/sys", options };
}

function mountInNamespace(mount: OciMount, sharesNetwork: boolean, limits: NamespaceLimits): OciMount[] {
  // Only who owns the network may mount its view of the devices.
  if (mount.type === "sysfs" && sharesNetwork) return [hostSys(mount)];
  if (mount.type === "cgroup" && !limits.hasCgroups) {
    // What is below the host's /sys is not read-only with it, and the user's own groups are his to write.
    return sharesNetwork ? [{ ...mount, type: "tmpfs", source: "tmpfs", options: [...NO_FILES] }] : [];
  }
  if (mount.type === "devpts" && limits.highestGid < TTY_GROUP) {
    const options = (mount.options ?? []).filter((word) => !word.startsWith("gid="));
    return [{ ...mount, options }];
  }
  return [mount];
}

/** Groups may ping up to the last one that there is. */
function sysctlsIn(sysctl: Readonly<Record<string, string>>, limits: NamespaceLimits): Record<string, string> {
  const range = sysctl["net.ipv4.ping_group_range"];
  if (range !== "0 2147483647") return { ...sysctl };
  return { ...sysctl, "net.ipv4.ping_group_range": `0 ${limits.highestGid}` };
}

const LIMIT_NAMES: Readonly<Record<string, string>> = { memory: "memory", cpu: "processors", pids: "processes" };

function withoutLimits({ devices, ...limits }: OciResources): OciResources {
  const [wanted] = Object.entries(limits).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (wanted !== undefined) {
    throw new TareError(
      "E_UNSUPPORTED",
      `limiting ${LIMIT_NAMES[wanted] ?? wanted}: an ordinary user's containers have no control groups`,
      {
        hint: "leave the limit out, or run with sudo",
        exitCode: 125,
      },
    );
  }
  return devices === undefined ? {} : { devices };
}
