// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TareError, ensureDirectory, removeTree, startFailure } from "../base/index.ts";
import { execCommand } from "./exec-command.ts";
import { lastLogError, runtimeFailure } from "./failure.ts";
import type { OciRuntime } from "./find.ts";
import { launchEnvironment } from "./overlay.ts";
import { spawnWithConsole } from "./host-console.ts";
import { connectOutput, standardStreams } from "./output.ts";
import type { ForegroundStdio } from "./output.ts";
import { forwardSignals } from "./signals.ts";
import type { OciProcess } from "./spec-types.ts";

/** A further process in a running container. */
export interface ExecTask {
  readonly runtime: OciRuntime;
  readonly stateRoot: string;
  readonly id: string;
  /** By `buildProcess`: always handed over as a file, never as flags (CVE-2026-30892). */
  readonly process: OciProcess;
  /** Private directory for files of this call; one folder in it is made and deleted. */
  readonly folder: string;
  readonly stdio: ForegroundStdio;
  /** Returns as soon as the process runs; its streams are /dev/null and it has no terminal. */
  readonly detach?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Runs a process in a container and returns its exit code (128 + signal when killed), 0 at once with `detach`. Throws
 * `E_EXEC_NOENT` (127), `E_EXEC_DENIED`, `E_EXEC_FORMAT` (126), `E_CWD`, `E_RUNTIME` (125); on `signal` the process is
 * killed and `E_ABORTED` thrown.
 */
export async function execInContainer(task: ExecTask): Promise<number> {
  ensureDirectory(task.folder);
  const folder = mkdtempSync(join(task.folder, "exec-"));
  try {
    return await runIn(task, folder);
  } finally {
    removeTree(folder);
  }
}

async function runIn(task: ExecTask, folder: string): Promise<number> {
  const log = join(folder, "log");
  const description = task.detach === true ? { ...task.process, terminal: false } : task.process;
  const options = task.detach === true ? (["--detach"] as const) : [];
  const [program = "", ...args] = execCommand(task, description, folder, options);
  const { stdio, ownGroup } = standardStreams(task.stdio, description.terminal);
  const streams = task.detach === true ? (["ignore", "ignore", "ignore"] as const) : stdio;
  const child = spawnWithConsole(streams, description.terminal, (connected) =>
    spawn(program, args, {
      cwd: folder,
      env: launchEnvironment(undefined),
      stdio: connected,
      detached: ownGroup,
    }),
  );
  const output = connectOutput(child, task.stdio, log, description.terminal);
  const code = await waitForEnd(child, task, { pidFile: join(folder, "pid"), ownGroup });
  const message = lastLogError(log) ?? output.lateExecFailure(code);
  const doing = `running \`${task.process.args[0] ?? ""}\` in container \`${task.id.slice(0, 12)}\``;
  if (message !== undefined) throw runtimeFailure(doing, message, task.process.args[0] ?? "");
  return code;
}

function waitForEnd(
  child: ChildProcess,
  task: ExecTask,
  how: { readonly pidFile: string; readonly ownGroup: boolean },
): Promise<number> {
  const forwarding = forwardSignals(child, how.ownGroup);
  const abort = (): void => {
    killPidOf(how.pidFile);
    child.kill("SIGKILL");
  };
  if (task.signal?.aborted) abort();
  task.signal?.addEventListener("abort", abort, { once: true });
  const done = (): void => {
    forwarding.stop();
    task.signal?.removeEventListener("abort", abort);
  };
  return new Promise((resolve, reject) => {
    child.on("error", (error) => (done(), reject(startFailure(child.spawnfile, error))));
    child.on("close", (code) => {
      done();
      if (!task.signal?.aborted) return resolve(code ?? 137);
      reject(
        new TareError("E_ABORTED", `running a process in container \`${task.id}\`: interrupted`, { exitCode: 130 }),
      );
    });
  });
}

/** The runtime has just written the pid of its own child, so it still is that process. */
function killPidOf(pidFile: string): void {
  try {
    const pid = Number(readFileSync(pidFile, "utf8"));
    if (Number.isInteger(pid) && pid > 1) process.kill(pid, "SIGKILL");
  } catch {
    // Not started yet, or gone.
  }
}
