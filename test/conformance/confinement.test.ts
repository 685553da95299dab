// SPDX-License-Identifier: Apache-2.0
/* What the kernel says of a container's confinement: ours may never do more than a Docker Engine's with the same flags. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNotHere } from "../e2e/container-world.ts";
import { startDockerWith, whyNoDocker } from "../support/dockerd.ts";
import type { DockerPeer } from "../support/dockerd.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";

const reason = whyNotHere() ?? whyNoDocker();
if (reason !== undefined) console.warn(`skipped: confinement: ${reason}`);

interface Confinement {
  /** Of `/proc/self/status`: CapEff, CapBnd and so on as numbers, Seccomp, NoNewPrivs. */
  readonly status: Readonly<Record<string, bigint>>;
  /** Mount points below /proc and /sys that hide or protect what is there. */
  readonly covered: readonly string[];
  /** Those of the paths that can be written to. */
  readonly writable: readonly string[];
  /** Names in /dev. */
  readonly devices: readonly string[];
}

const PROBES =
  "/proc/sys/kernel/domainname /proc/sysrq-trigger /sys/kernel/mm/ksm/run /sys/fs/cgroup/cgroup.procs /proc/kcore";
const SCRIPT = `grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status; echo ---
awk '$5 ~ "^/(proc|sys)/" { print $5 }' /proc/self/mountinfo; echo ---
for path in ${PROBES}; do test -w $path && head -c1 $path >/dev/null 2>&1 && echo $path; done; echo ---
ls /dev`;

const FLAGS: readonly (readonly string[])[] = [
  [],
  ["--user", "1000"],
  ["--cap-add", "NET_ADMIN"],
  ["--cap-drop", "ALL"],
  ["--cap-drop", "ALL", "--cap-add", "CHOWN"],
  ["--security-opt", "no-new-privileges"],
  ["--read-only"],
];

function parse(text: string): Confinement {
  const [status = "", mounts = "", writable = "", devices = ""] = text.split("---\n");
  const lines = (part: string): string[] => part.split("\n").filter(Boolean);
  const values = lines(status).map((line) => {
    const [name = "", value = ""] = line.split(/:\s+/);
    return [name, BigInt(name.startsWith("Cap") ? `0x${value}` : value)] as const;
  });
  return {
    status: Object.fromEntries(values),
    covered: lines(mounts),
    writable: lines(writable),
    devices: lines(devices),
  };
}

describe.skipIf(reason !== undefined)("a container beside a Docker Engine's", () => {
  let world: ProgramWorld;
  let peer: DockerPeer;

  beforeAll(async () => {
    world = openProgramWorld("confine");
    addBusyboxImage(world);
    peer = await startDockerWith(world, "busybox");
  });

  afterAll(async () => {
    await peer?.stop();
    world?.close();
  });

  it.each(FLAGS.map((flags) => [flags.join(" ") || "no flags", flags] as const))("has no more with %s", (_, flags) => {
    const words = ["run", "--rm", "--network", "none", ...flags, "busybox", "sh", "-c", SCRIPT];
    const [ours, theirs] = [parse(world.ok(...words)), parse(peer.docker(words))];
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      const [own = -1n, other = 0n] = [ours.status[set], theirs.status[set]];
      expect(own & ~other, `${set}: ${own.toString(16)} beside ${other.toString(16)}`).toBe(0n);
    }
    expect(ours.status["Seccomp"]).toBe(2n);
    expect(ours.status["NoNewPrivs"]).toBeGreaterThanOrEqual(theirs.status["NoNewPrivs"] ?? 0n);
    expect(theirs.covered.filter((path) => !ours.covered.includes(path))).toEqual([]);
    expect(ours.writable.filter((path) => !theirs.writable.includes(path))).toEqual([]);
    expect(ours.devices.filter((name) => !theirs.devices.includes(name))).toEqual([]);
  });
});
