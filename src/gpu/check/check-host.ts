// SPDX-License-Identifier: Apache-2.0
import { cudaOfDriver } from "../data/drivers.ts";
import { generationRule } from "./rules-gpu.ts";
import { sorted } from "./sorted.ts";
import { targetsOfHost } from "./target-of-host.ts";
import type { GpuData } from "../data/types.ts";
import type { GpuFinding, HostDriver, HostGpu } from "../types.ts";
import type { HostState, NodeState } from "./host-state.ts";

type HostRule = (state: HostState, data: GpuData) => readonly GpuFinding[];

const RULES: readonly HostRule[] = [
  driversRule,
  remarksRule,
  nodesRule,
  cdiRule,
  persistenceRule,
  sharedMemoryRule,
  (state, data) => targetsOfHost(state.host).flatMap((target) => generationRule({ target, needs: NOTHING, data })),
];

const NOTHING = { image: "", env: {}, packages: [] } as const;

/** What of this host stands in the way of containers with GPUs. Pure; errors first. */
export function checkGpuHost(state: HostState, data: GpuData): readonly GpuFinding[] {
  return sorted(RULES.flatMap((rule) => rule(state, data)));
}

function driversRule({ host }: HostState, data: GpuData): readonly GpuFinding[] {
  if (host.drivers.length === 0) return [noDriver(host.remarks)];
  return host.drivers.map((driver) => driverFinding(driver, host.gpus, data));
}

function noDriver(remarks: readonly string[]): GpuFinding {
  const hasCard = remarks.length > 0;
  return {
    rule: "no-gpu",
    level: "error",
    message: hasCard
      ? "a GPU is there, and no driver that it could be used with"
      : "this host has no GPU with a driver",
    fix: hasCard
      ? "install the driver (NVIDIA on Debian: `apt install nvidia-driver`, then start the machine again)"
      : "check for another machine: `tare gpu check IMAGE --target driver=535,sm=70`",
  };
}

function driverFinding(driver: HostDriver, gpus: readonly HostGpu[], data: GpuData): GpuFinding {
  const own = gpus.filter(({ vendor }) => vendor === driver.vendor);
  const carried = driver.cuda ?? cudaText(driver, data);
  const what = `${VENDORS[driver.vendor]} driver ${driver.version ?? "of unknown version"}${carried === undefined ? "" : ` (CUDA ${carried})`}`;
  if (own.length === 0) {
    return {
      rule: "no-gpu",
      level: "error",
      message: `${what} is loaded, and it has no GPU`,
      fix: "see `dmesg | grep -i nvrm`",
    };
  }
  return { rule: "driver", level: "ok", message: `${what}: ${own.map(gpuText).join("; ")}` };
}

const VENDORS = { nvidia: "NVIDIA", amd: "AMD", intel: "Intel" } as const;

function cudaText({ vendor, version }: HostDriver, data: GpuData): string | undefined {
  if (vendor !== "nvidia" || version === undefined) return undefined;
  const carried = cudaOfDriver(data, version);
  return carried.known ? carried.value : undefined;
}

function gpuText({ index, name, architecture, mig }: HostGpu): string {
  const parts = mig.length === 0 ? "" : `, ${mig.length} MIG devices`;
  return `${index} ${name}${architecture === undefined ? "" : ` (${architecture})`}${parts}`;
}

function remarksRule({ host }: HostState): readonly GpuFinding[] {
  return host.remarks.map((message) => ({ rule: "remark", level: "warning", message }));
}

/** Without these no program finds the GPU; the rest is for graphics and for tools. */
const NEEDED = /^\/dev\/(?:nvidiactl|nvidia-uvm|nvidia\d+|dxg|kfd|dri\/renderD\d+)$/;

function nodesRule({ nodes, isOrdinary }: HostState): readonly GpuFinding[] {
  const wanted = nodes.filter(({ path }) => NEEDED.test(path));
  const missing = wanted.filter(({ state }) => state === "missing").map(({ path }) => path);
  const forbidden = wanted.filter(({ state }) => state === "forbidden");
  return [
    ...(missing.length === 0 ? [] : [missingNodes(missing)]),
    ...forbidden.map(forbiddenNode),
    ...(missing.length + forbidden.length > 0 || wanted.length === 0 ? [] : [usableNodes(wanted, isOrdinary)]),
  ];
}

function missingNodes(paths: readonly string[]): GpuFinding {
  const isNvidia = paths.every((path) => path.startsWith("/dev/nvidia"));
  return {
    rule: "node-missing",
    level: "error",
    message: `device nodes are missing: ${paths.join(", ")}`,
    fix: isNvidia
      ? "make them: `sudo nvidia-modprobe -u -c 0` (or start `nvidia-smi` once as root)"
      : "load the driver's kernel module",
  };
}

function forbiddenNode({ path, rights, group }: NodeState): GpuFinding {
  return {
    rule: "node-forbidden",
    level: "error",
    message: `you may not use ${path}${rights === undefined ? "" : ` (${rights})`}`,
    fix:
      group === undefined
        ? `give yourself the rights: \`sudo setfacl -m u:$USER:rw ${path}\``
        : `join its group and log in again: \`sudo usermod -aG ${group} $USER\``,
  };
}

function usableNodes(wanted: readonly NodeState[], isOrdinary: boolean): GpuFinding {
  const who = isOrdinary ? "usable by you, without root" : "usable";
  return {
    rule: "nodes",
    level: "ok",
    message: `device nodes are ${who}: ${wanted.map(({ path }) => path).join(", ")}`,
  };
}

const REMAKE =
  "write it anew (`sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`) or remove it: Tare makes one at every start";

function cdiRule({ cdi, host }: HostState): readonly GpuFinding[] {
  const broken = cdi.problems.map((message): GpuFinding => ({
    rule: "cdi-unreadable",
    level: "warning",
    message,
    fix: REMAKE,
  }));
  const stale = cdi.stale.map(({ file, why }): GpuFinding => ({
    rule: "cdi-stale",
    level: "error",
    message: `${file}: ${why}`,
    fix: REMAKE,
  }));
  if (broken.length + stale.length > 0 || host.drivers.length === 0) return [...broken, ...stale];
  const message =
    cdi.kinds.length === 0
      ? "no CDI specification is installed: Tare makes one at every start"
      : `CDI specifications are installed for ${cdi.kinds.join(", ")}`;
  return [{ rule: "cdi", level: "ok", message }];
}

function persistenceRule({ host, isPersistent }: HostState): readonly GpuFinding[] {
  const nvidia = host.drivers.find(({ vendor, kind }) => vendor === "nvidia" && kind === "native");
  if (!nvidia) return [];
  if (isPersistent)
    return [{ rule: "persistence", level: "ok", message: "nvidia-persistenced keeps the driver loaded" }];
  return [
    {
      rule: "persistence",
      level: "warning",
      message:
        "nvidia-persistenced does not run: without a program the driver shuts the GPU down, and every start waits for it",
      fix: "`sudo systemctl enable --now nvidia-persistenced`",
    },
  ];
}

const LITTLE_SHM = 2 ** 30;

function sharedMemoryRule({ host, shmBytes }: HostState): readonly GpuFinding[] {
  if (shmBytes === undefined || host.drivers.length === 0) return [];
  const size = `the host's /dev/shm has ${(shmBytes / 2 ** 30).toFixed(1)} GiB`;
  if (shmBytes >= LITTLE_SHM) return [{ rule: "shared-memory", level: "ok", message: size }];
  return [
    {
      rule: "shared-memory",
      level: "warning",
      message: `${size}: containers with \`--ipc host\` share it, and data loaders want more`,
      fix: "use `--shm-size` in place of `--ipc host`, or `sudo mount -o remount,size=8G /dev/shm`",
    },
  ];
}
