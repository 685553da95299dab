// SPDX-License-Identifier: Apache-2.0
/* For tests: a real store in a temporary folder, a runtime and a process table that obey the test. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../base/index.ts";
import { openStore } from "../store/index.ts";
import type { ContainersContext } from "./context.ts";
import { DEFAULT_NETWORK } from "./network-settings.ts";
import { PLAIN_REQUEST } from "./plain-request.ts";
import { linuxProcesses } from "./process-identity.ts";
import type { ProcessTable } from "./process-identity.ts";
import type { CreateRequest } from "./request.ts";
import type { ContainerRuntime } from "./runtime-port.ts";
import type { ContainerImage, ImageDefaults } from "./types.ts";

/** A request with nothing in it but what is given. */
export function createRequest(fields: Partial<CreateRequest> = {}): CreateRequest {
  return {
    image: "busybox",
    network: { ...DEFAULT_NETWORK, mode: "none" },
    ...PLAIN_REQUEST,
    ...fields,
  };
}

/** An image without layers. */
export function emptyImage(defaults: ImageDefaults = { Cmd: ["/bin/true"] }): ContainerImage {
  return { reference: "busybox", id: digestOf("config"), target: digestOf("manifest"), diffIds: [], defaults };
}

/** What `testContext` gives. */
export interface TestContext {
  readonly context: ContainersContext;
  /** Calls of the runtime, in order. */
  readonly calls: string[];
  /** Processes that the table does not show although they may exist. */
  readonly dead: Set<number>;
  /** Who was to be started again, and when; this process stands for each waiter. */
  readonly waiters: readonly { readonly id: string; readonly due: number }[];
  close(): void;
}

/** A context whose runtime does only what `runtime` says; pids in `dead` do not exist. */
export function testContext(runtime: Partial<ContainerRuntime> = {}): TestContext {
  const root = fs.mkdtempSync(join(tmpdir(), "tare-containers-"));
  const store = openStore({ root, sync: "none" });
  const calls: string[] = [];
  const dead = new Set<number>();
  const waiters: { readonly id: string; readonly due: number }[] = [];
  const real = linuxProcesses();
  const processes: ProcessTable = {
    ...real,
    startTime: (pid) => (dead.has(pid) ? undefined : real.startTime(pid)),
  };
  const restarter = { launch: (id: string, due: number): number => (waiters.push({ id, due }), process.pid) };
  const nothing = async (): Promise<never> => Promise.reject(new Error("not expected in this test"));
  const base: ContainerRuntime = {
    runForeground: nothing,
    startDetached: nothing,
    exec: nothing,
    execCommand: nothing,
    runBeside: nothing,
    kill: nothing,
    pause: nothing,
    resume: nothing,
    processes: nothing,
    update: nothing,
    list: async () => Promise.resolve([]),
    discard: nothing,
    cleanup: async ({ record }) => Promise.resolve(void calls.push(`cleanup ${record.name}`)),
  };
  return {
    context: {
      store,
      runtime: { ...base, ...runtime },
      processes,
      restarter,
      healthCommand: [],
      now: () => Date.now(),
    },
    calls,
    dead,
    waiters,
    close: () => {
      store.close();
      fs.rmSync(root, { recursive: true, force: true });
    },
  };
}
