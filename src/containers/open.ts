// SPDX-License-Identifier: Apache-2.0
import type { DevicePlaces } from "../gpu/index.ts";
import type { Store } from "../store/index.ts";
import type { ContainersContext } from "./context.ts";
import type { GpuUsage } from "./gpu-usage.ts";
import { NetworkedRuntime } from "./networked-runtime.ts";
import { linuxProcesses } from "./process-identity.ts";
import { processRestarter } from "./restarter.ts";

/** What a context is made of. */
export interface ContainerContextOptions {
  /** Open; the caller closes it. */
  readonly store: Store;
  /** `runc`, `crun` or an absolute path; default: the first that works here. */
  readonly runtime?: string;
  /**
   * Program (absolute) and arguments that conmon calls when a detached container has ended; the container's id is
   * added. It must end in a call of `cleanupContainer` on the same store.
   */
  readonly exitCommand: readonly string[];
  /**
   * Program (absolute) and arguments that start a container again; its id and the moment are added. It must end in a
   * call of `restartContainerDue` on the same store.
   */
  readonly restartCommand: readonly string[];
  /** Called when a container's health changes: its id and the status are added. */
  readonly healthCommand: readonly string[];
  /** The mount namespace that restarts happen in (`ownMountNamespace`). */
  readonly mountNamespace: string;
  /** Where ports are published that name no address; asked only then. Default: 127.0.0.1. */
  readonly publishAddress?: () => string;
  /** Where devices are looked for that new containers ask for by name; asked only then. Default: where they usually are. */
  readonly devicePlaces?: () => DevicePlaces;
  /** Where `stats` asks for the use of GPUs. */
  readonly gpuUsage?: GpuUsage;
  readonly findImage?: NonNullable<ContainersContext["findImage"]>;
}

/** What all functions of this area take. Cheap: nothing is read before it is needed. */
export function containerContext(options: ContainerContextOptions): ContainersContext {
  const { store, devicePlaces, findImage, healthCommand, mountNamespace, publishAddress, gpuUsage } = options;
  const now = (): number => Date.now();
  const processes = linuxProcesses();
  return {
    store,
    runtime: new NetworkedRuntime(options, processes),
    processes,
    healthCommand,
    restarter: processRestarter(options.restartCommand, { mountNamespace, now }),
    now,
    ...(devicePlaces ? { devicePlaces } : {}),
    ...(publishAddress ? { publishAddress } : {}),
    ...(gpuUsage ? { gpuUsage } : {}),
    ...(findImage ? { findImage } : {}),
  };
}
