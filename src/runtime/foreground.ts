// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { TareError, startFailure } from "../base/index.ts";
import { cleanupContainer, forgetContainer, wasOutOfMemory } from "./cleanup.ts";
import { lastLogError, runtimeFailure } from "./failure.ts";
import { spawnWithConsole } from "./host-console.ts";
import { forwardSignals } from "./signals.ts";
import { connectOutput, standardStreams } from "./output.ts";
import type { CollectedOutput, ForegroundStdio } from "./output.ts";
import { requireNetDevices } from "./net-devices.ts";
import { mountFailure } from "./overlay.ts";
import { launchOf, runtimeArguments, runtimeLogPath, startingOf, writeBundle } from "./task.ts";
import type { ContainerTask } from "./task.ts";

/** A container to run to its end. */
export interface ForegroundTask extends ContainerTask {
  readonly stdio: ForegroundStdio;
  readonly signal?: AbortSignal;
  /** Receives the init process's pid; not with `dieWithParent`. */
  readonly pidFile?: string;
  /**
   * For build steps: the kernel kills the container when this process dies in whatever way. The container can't be
   * entered by `execInContainer` then. Without it a container outlives a killed caller, and signals that this process
   * receives are forwarded to it.
   */
  readonly dieWithParent?: boolean;
}

/** How a container ended. */
export interface ForegroundResult {
  /** The program's own, or 128 + signal. */
  readonly exitCode: number;
  /** Known for containers with a memory limit. */
  readonly oomKilled?: boolean;
  /** The last signal that was handed on to it. */
  readonly signal?: NodeJS.Signals;
}

/**
 * Runs a container and waits for its end; nothing of it is left afterwards except what it wrote. Throws `E_EXEC_NOENT`
 * (exit code 127), `E_EXEC_DENIED` and `E_EXEC_FORMAT` (126), `E_CWD`, `E_OVERLAY`, `E_RUNTIME` (125), and `E_ABORTED`
 * after the container has been killed because `signal` fired.
 */
export async function runForeground(task: ForegroundTask): Promise<ForegroundResult> {
  if (task.signal?.aborted) throw aborted(task);
  await requireNetDevices(task);
  writeBundle(task);
  const limited = task.spec.linux.resources.memory?.limit !== undefined;
  const child = start(task, limited);
  const output = connectOutput(child, task.stdio, runtimeLogPath(task), task.spec.process.terminal);
  const ended = await waitForEnd(child, task);
  const clean = ended.signal === null && !task.signal?.aborted && lastLogError(runtimeLogPath(task)) === undefined;
  const oomKilled = limited ? wasOutOfMemory(task.spec.linux.cgroupsPath ?? "") : undefined;
  if (!clean) await cleanupContainer(task.runtime, task.stateRoot, task.id, task.spec.linux.cgroupsPath);
  else if (limited) await forgetContainer(task.stateRoot, task.id, task.spec.linux.cgroupsPath);
  if (task.signal?.aborted) throw aborted(task);
  throwIfNotStarted(task, ended, output);
  return {
    exitCode: ended.code,
    ...(oomKilled === undefined ? {} : { oomKilled }),
    ...(ended.received === undefined ? {} : { signal: ended.received }),
  };
}

interface Ended {
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
  /** What this process received meanwhile. */
  readonly received: NodeJS.Signals | undefined;
}

function start(task: ForegroundTask, keep: boolean): ChildProcess {
  const dieWithParent = task.dieWithParent === true;
  const command = [
    ...runtimeArguments(task.runtime, task.stateRoot, runtimeLogPath(task)),
    "run",
    // crun 1.8 has no such option: there, memory running out is not told from other kills.
    ...(keep && task.runtime.name !== "crun" ? ["--keep"] : []),
    ...(task.pidFile === undefined || dieWithParent ? [] : ["--pid-file", task.pidFile]),
    "--bundle",
    task.bundle,
    task.id,
  ];
  const { program, args, cwd, env } = launchOf(task, command, dieWithParent);
  const { stdio, ownGroup } = standardStreams(task.stdio, task.spec.process.terminal);
  return spawnWithConsole(stdio, task.spec.process.terminal, (streams) =>
    spawn(program, args, { cwd, env, stdio: streams, detached: ownGroup }),
  );
}

function waitForEnd(child: ChildProcess, task: ForegroundTask): Promise<Ended> {
  const forwarding =
    task.dieWithParent === true
      ? undefined
      : forwardSignals(child, standardStreams(task.stdio, task.spec.process.terminal).ownGroup);
  const abort = (): void => {
    // With dieWithParent the kernel ends the whole process tree; otherwise the clean-up kills the container itself,
    // and the runtime ends with it.
    if (task.dieWithParent === true) child.kill("SIGKILL");
    else
      void cleanupContainer(task.runtime, task.stateRoot, task.id, task.spec.linux.cgroupsPath).finally(() =>
        child.kill("SIGKILL"),
      );
  };
  task.signal?.addEventListener("abort", abort, { once: true });
  const done = (): void => {
    forwarding?.stop();
    task.signal?.removeEventListener("abort", abort);
  };
  return new Promise((resolve, reject) => {
    child.on("error", (error) => (done(), reject(startFailure(child.spawnfile, error))));
    child.on("close", (code, signal) => {
      done();
      resolve({ code: code ?? 128, signal, received: forwarding?.last() });
    });
  });
}

function throwIfNotStarted(task: ForegroundTask, ended: Ended, output: CollectedOutput): void {
  const command = task.spec.process.args[0] ?? "";
  const doing = startingOf(task);
  const mount = ended.code === 125 ? mountFailure(output.runtimeErrors()) : undefined;
  if (mount !== undefined) throw new TareError("E_OVERLAY", `${doing}: mounting ${mount}`, { exitCode: 125 });
  const message = lastLogError(runtimeLogPath(task)) ?? output.lateExecFailure(ended.code);
  if (message !== undefined) throw runtimeFailure(doing, message, command);
  if (ended.signal !== null) {
    throw new TareError("E_RUNTIME", `${doing}: the runtime was killed by ${ended.signal}`, { exitCode: 125 });
  }
}

function aborted(task: ForegroundTask): TareError {
  return new TareError("E_ABORTED", `running container \`${task.id}\`: interrupted`, { exitCode: 130 });
}
