// SPDX-License-Identifier: Apache-2.0
import { availableParallelism, hostname, release, totalmem } from "node:os";
import { isRootless, isTareError, readTextIfPresent } from "../base/index.ts";
import { listContainers } from "../containers/index.ts";
import { cgroupMode, findRuntime } from "../runtime/index.ts";
import { cdiDirectories, discoveredDevices } from "./devices.ts";
import type { InspectDocument } from "./facade.ts";
import type { Rooms } from "./rooms.ts";
import type { Settings } from "./settings.ts";

/** `info`, in Docker's words where it has them. */
export async function info(rooms: Rooms): Promise<InspectDocument> {
  const { settings } = rooms;
  const store = rooms.reader();
  const context = await rooms.containersToRead();
  const containers = listContainers(context, { all: true, last: -1, size: false, filters: {} });
  const count = (state: string): number => containers.filter((container) => container.state === state).length;
  return {
    Containers: containers.length,
    ContainersRunning: count("running"),
    ContainersPaused: count("paused"),
    ContainersStopped: containers.length - count("running") - count("paused"),
    Images: store.images.list().length,
    Driver: "overlay2",
    DockerRootDir: settings.root,
    RunRoot: settings.runRoot,
    DefaultRuntime: await runtimeText(settings),
    CgroupVersion: process.platform === "linux" ? cgroupMode() : "none",
    SecurityOptions: [
      "name=seccomp,profile=default",
      "name=no-new-privileges",
      ...(isRootless() ? ["name=rootless"] : []),
    ],
    CDISpecDirs: cdiDirectories(settings),
    DiscoveredDevices: await discoveredDevices(settings),
    KernelVersion: release(),
    OperatingSystem: systemName(),
    OSType: process.platform,
    Architecture: process.arch,
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    Name: hostname(),
    NodeVersion: process.versions.node,
  };
}

async function runtimeText({ runRoot }: Settings): Promise<string> {
  if (process.getuid?.() !== 0) return "unknown without a namespace";
  try {
    const { name, version } = await findRuntime({ runRoot });
    return `${name} ${version}`;
  } catch (error) {
    if (isTareError(error)) return "none";
    throw error;
  }
}

function systemName(): string {
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(readTextIfPresent("/etc/os-release") ?? "")?.[1] ?? process.platform;
}
