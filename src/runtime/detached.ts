// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { TareError, ensureDirectory, execute, startFailure } from "../base/index.ts";
import { cleanupContainer } from "./cleanup.ts";
import { lastLine, lastLogError, logErrors, runtimeFailure } from "./failure.ts";
import { locate } from "./find.ts";
import { openLogPipe } from "./log-pipe.ts";
import type { LogPipe } from "./log-pipe.ts";
import { requireNetDevices } from "./net-devices.ts";
import { launchEnvironment, mountFailure } from "./overlay.ts";
import { launchOf, runtimeArguments, runtimeCommand, runtimeLogPath, startingOf, writeBundle } from "./task.ts";
import type { ContainerTask } from "./task.ts";

/** A container that goes on after this process. */
export interface DetachedTask extends ContainerTask {
  readonly log: DetachedLog;
  /** conmon writes the exit code to `<exitDirectory>/<id>`, by rename. */
  readonly exitDirectory: string;
  readonly pidFile: string;
  readonly conmonPidFile: string;
  /** Called by conmon after the end: program and arguments. */
  readonly exitCommand?: readonly string[];
  /** Keeps standard input open (`-i`); without it, it is /dev/null. */
  readonly stdin?: boolean;
  /** Called when all is ready, before the program starts: the moment to attach. */
  readonly onCreated?: () => Promise<void>;
  /** Default: conmon of the search path. */
  readonly conmonPath?: string;
}

/** Where conmon sends the output. Files are in the k8s-file format: `TIME stdout|stderr F|P TEXT`. */
export type DetachedLog =
  | { readonly kind: "file"; readonly path: string }
  /** Files that are rotated. */
  | { readonly kind: "pipe"; readonly pipe: LogPipe }
  | { readonly kind: "journald"; readonly tag?: string }
  | { readonly kind: "none" };

/** A started detached container. */
export interface DetachedResult {
  /** The container's init process. */
  readonly pid: number;
  readonly conmonPid: number;
}

const SYNC_DESCRIPTOR = 3;
// A sound start takes 0.1 s; a dead disk or a stopped machine should still end in an error.
const LONGEST_START = 60_000;

/**
 * Starts a container under conmon and returns when its program has been started. conmon holds the private mount namespace,
 * the log and the exit code. When the start fails nothing is left and the error is as `runForeground`'s; a program that
 * the kernel refuses to execute late (missing interpreter) shows in the log and exit code instead.
 */
export async function startDetached(task: DetachedTask): Promise<DetachedResult> {
  const conmon = task.conmonPath ?? locate("conmon");
  if (conmon === undefined) throw startFailure("conmon", { code: "ENOENT" });
  await requireNetDevices(task);
  writeBundle(task);
  ensureDirectory(task.exitDirectory);
  const release = task.log.kind === "pipe" ? await openLogPipe(task.log.pipe) : undefined;
  try {
    const pid = await create(task, conmon);
    await task.onCreated?.();
    await begin(task);
    return { pid, conmonPid: Number(readFileSync(task.conmonPidFile, "utf8").trim()) };
  } catch (error) {
    await cleanupContainer(task.runtime, task.stateRoot, task.id, task.spec.linux.cgroupsPath);
    throw error;
  } finally {
    release?.();
  }
}

/** conmon creates the container and reports its pid, or the runtime's complaint, on the sync pipe. */
async function create(task: DetachedTask, conmon: string): Promise<number> {
  const { program, args, cwd, env } = launchOf(task, conmonCommand(task, conmon), false);
  const child = spawn(program, args, {
    cwd,
    env: { ...env, _OCI_SYNCPIPE: String(SYNC_DESCRIPTOR) },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    detached: true,
  });
  const answer = await readAnswer(child);
  if (answer.pid !== undefined && answer.pid > 0) return answer.pid;
  const doing = startingOf(task);
  const mount = mountFailure(answer.stderr);
  if (mount !== undefined) throw new TareError("E_OVERLAY", `${doing}: mounting ${mount}`, { exitCode: 125 });
  const message = lastLogError(runtimeLogPath(task)) ?? answer.message ?? answer.stderr.trim();
  throw runtimeFailure(doing, message, task.spec.process.args[0] ?? "");
}

async function begin(task: DetachedTask): Promise<void> {
  const [program = "", ...args] = runtimeCommand(task.runtime, task.stateRoot, runtimeLogPath(task));
  const { code, stderr } = await execute(program, [...args, "start", task.id], { env: launchEnvironment(undefined) });
  if (code === 0) return;
  const message = lastLogError(runtimeLogPath(task)) ?? stderr.trim();
  throw runtimeFailure(startingOf(task), message, task.spec.process.args[0] ?? "");
}

function conmonCommand(task: DetachedTask, conmon: string): string[] {
  const [runtime = "", ...global] = runtimeArguments(task.runtime, task.stateRoot, runtimeLogPath(task));
  const [exitProgram, ...exitArguments] = task.exitCommand ?? [];
  const words: readonly (readonly string[])[] = [
    [conmon, "--api-version", "1", "--cid", task.id, "--cuuid", task.id, "--name", task.id],
    ["--runtime", runtime],
    global.flatMap((word) => ["--runtime-arg", word]),
    ["--bundle", task.bundle, "--full-attach"],
    ["--container-pidfile", task.pidFile, "--conmon-pidfile", task.conmonPidFile],
    ["--exit-dir", task.exitDirectory, "--persist-dir", task.bundle, "--no-sync-log"],
    logArguments(task.log),
    task.spec.process.terminal ? ["--terminal"] : [],
    task.stdin === true ? ["--stdin", "--leave-stdin-open"] : [],
    exitProgram === undefined ? [] : ["--exit-command", exitProgram],
    exitArguments.flatMap((word) => ["--exit-command-arg", word]),
  ];
  return words.flat();
}

function logArguments(log: DetachedLog): readonly string[] {
  switch (log.kind) {
    case "file":
      return ["--log-path", `k8s-file:${log.path}`];
    case "pipe":
      return ["--log-path", `k8s-file:${log.pipe.pipe}`];
    case "journald":
      return ["--log-path", "journald:", ...(log.tag === undefined ? [] : ["--log-tag", log.tag])];
    case "none":
      return ["--log-path", "none:"];
  }
}

interface Answer {
  readonly pid?: number;
  readonly message?: string;
  readonly stderr: string;
}

function readAnswer(child: ChildProcess): Promise<Answer> {
  const sync = child.stdio[SYNC_DESCRIPTOR];
  if (!(sync instanceof Socket)) throw new Error("the sync pipe is not a socket");
  return new Promise((resolve, reject) => {
    let text = "";
    let stderr = "";
    const finish = (): void => {
      clearTimeout(timer);
      sync.destroy();
      child.stderr?.destroy();
      child.unref();
      resolve({ ...parseAnswer(text), stderr });
    };
    const timer = setTimeout(finish, LONGEST_START);
    child.stderr?.on("data", (data: Buffer) => (stderr += data.toString("utf8")));
    sync.on("data", (data: Buffer) => {
      text += data.toString("utf8");
      if (text.includes("\n")) finish();
    });
    sync.on("end", finish);
    sync.on("error", finish);
    child.on("error", (error) => (clearTimeout(timer), reject(startFailure(child.spawnfile, error))));
  });
}

function parseAnswer(text: string): { pid?: number; message?: string } {
  try {
    const value: unknown = JSON.parse(text.split("\n")[0] ?? "");
    if (typeof value !== "object" || value === null) return {};
    const pid = "data" in value && typeof value.data === "number" ? { pid: value.data } : {};
    const message = "message" in value && typeof value.message === "string" ? messageIn(value.message) : undefined;
    return { ...pid, ...(message === undefined ? {} : { message }) };
  } catch {
    return {};
  }
}

/** The error in what the runtime printed: JSON log lines, logrus text (`… msg="…"`), or plain text. */
function messageIn(text: string): string {
  return logErrors(text).at(-1) ?? lastLine(text);
}
