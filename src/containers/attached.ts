// SPDX-License-Identifier: Apache-2.0
/*
 * A session with a container that runs under conmon: its streams are joined to the caller's until the program ends or
 * the user types the detach keys. Containers that have a terminal and input are started in this way from the beginning,
 * so that one can leave them and come back.
 */
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import { TareError, readTextIfPresent } from "../base/index.ts";
import { attachTo, resizeTerminal } from "../runtime/index.ts";
import type { Attachment } from "../runtime/index.ts";
import type { ContainerFiles, ContainersContext } from "./context.ts";
import { filesOf, recordsOf } from "./context.ts";
import { DEFAULT_DETACH_KEYS, DetachKeys } from "./detach-keys.ts";
import { recordContainerEvent } from "./events.ts";
import { viewOf } from "./find.ts";
import { sinkOf } from "./foreground-io.ts";
import { noteStoppedByUser } from "./restart.ts";
import { settled } from "./settle.ts";
import { isMeantToEnd } from "./signals.ts";
import type { ProcessIo } from "./request.ts";
import type { ContainerRecord } from "./types.ts";

const POLL = 10;
/** What the other side has sent before its end is here at once; a broken connection should not make one wait. */
const LONGEST_LOOK = 10_000;

/** A session that has been opened: the streams flow, input is not yet taken. */
export interface Session {
  /** Takes input, and returns the exit code, or `detached` when the user left. Call once. */
  run(): Promise<number | "detached">;
  close(): Promise<void>;
}

/**
 * Joins the container's output to `io` and gives its terminal the size of the user's. Call it when conmon runs: before
 * the program's start, to miss nothing.
 */
export function openSession(context: ContainersContext, record: ContainerRecord, io: ProcessIo): Session {
  const files = filesOf(context, record.id);
  // Removing itself, it leaves a moment to read its exit code.
  if (record.host.autoRemove) fs.writeFileSync(files.waiting, "", { mode: 0o600 });
  const exit = new Exit();
  // When nobody reads any more (`| head`), the user has left.
  const outputs = { 1: sinkOf(io.stdout, exit.take), 2: sinkOf(io.stderr, exit.take) };
  const attachment = attachTo(files.folder, (stream, data) => outputs[stream](data));
  // Before the program's start: what is typed while it starts is for the program too.
  const release = joinTerminal(files.folder, io);
  recordContainerEvent(context, record, "attach");
  return {
    run: () => converse(context, { record, files, io, attachment, exit }),
    close: async () => {
      release();
      await attachment.close();
    },
  };
}

/** conmon takes one change of size at a time. */
const BETWEEN_SIZES = 50;

/** Makes a program draw its screen anew, by another size. Call it before `openSession`. */
export async function askToDraw(context: ContainersContext, { id }: ContainerRecord, io: ProcessIo): Promise<void> {
  if (!io.terminal) return;
  const { rows, columns } = io.terminal.size();
  resizeTerminal(filesOf(context, id).folder, { rows: rows + 1, columns: columns + 1 });
  await sleep(BETWEEN_SIZES);
}

/** The user's way out. */
class Exit {
  readonly taken: Promise<"detached">;
  readonly take: () => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<"detached">();
    this.taken = promise;
    this.take = () => resolve("detached");
  }
}

interface Parts {
  readonly record: ContainerRecord;
  readonly files: ContainerFiles;
  readonly io: ProcessIo;
  readonly attachment: Attachment;
  readonly exit: Exit;
}

async function converse(context: ContainersContext, parts: Parts): Promise<number | "detached"> {
  const { record, files, io, attachment, exit } = parts;
  const signals = io.onSignal?.((name) => {
    if (!record.config.Tty) passSignal(context, record, name);
    else if (ENDING.has(name)) exit.take();
  });
  const stopInput = joinInput(attachment, io, exit);
  try {
    const exitCode = await Promise.race([exit.taken, programEnd(files, attachment)]);
    if (exitCode !== "detached") {
      attachment.finish();
      await attachment.ended;
      await settled(context, record.id);
      return exitCode;
    }
    recordContainerEvent(context, record, "detach");
    return "detached";
  } finally {
    stopInput();
    signals?.();
  }
}

/** Raw mode, and the size as it changes; the result puts back what was. */
function joinTerminal(folder: string, { terminal, stdin }: ProcessIo): () => void {
  if (!terminal) return () => undefined;
  resizeTerminal(folder, terminal.size());
  const stop = terminal.onResize(() => resizeTerminal(folder, terminal.size()));
  if (stdin !== undefined) terminal.setRaw(true);
  return () => {
    stop();
    if (stdin !== undefined) terminal.setRaw(false);
  };
}

/** What ends a client that has a terminal, as Docker's, and not the program: the keys' signals are typed. */
const ENDING: ReadonlySet<string> = new Set(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]);

function joinInput(attachment: Attachment, { stdin, terminal, detachKeys }: ProcessIo, exit: Exit): () => void {
  if (stdin === undefined) return () => undefined;
  const source = inputOf(stdin);
  const keys = new DetachKeys(terminal ? (detachKeys ?? DEFAULT_DETACH_KEYS) : []);
  const take = (chunk: Buffer): void => {
    const { data, isDetached } = keys.feed(chunk);
    source.pause();
    void attachment.write(data).then(() => (isDetached ? exit.take() : source.resume()));
  };
  const end = (): void => void (terminal ?? attachment.endInput());
  source.on("data", take).once("end", end);
  return () => void source.off("data", take).off("end", end).pause();
}

/** A read of a file would go on in Node's pool and keep this process from ending; `process.stdin` is polled. */
function inputOf(stdin: number | Readable): Readable {
  if (typeof stdin !== "number") return stdin;
  return stdin === 0 ? process.stdin : fs.createReadStream("", { fd: stdin, autoClose: false });
}

/** The exit code as conmon writes it. Throws `E_CONTAINER_STATE` when the connection broke and none is written. */
async function programEnd(files: ContainerFiles, attachment: Attachment): Promise<number> {
  let limit = Infinity;
  void attachment.ended.then(() => (limit = Date.now() + LONGEST_LOOK));
  while (Date.now() < limit) {
    const code = Number.parseInt(readTextIfPresent(files.exitFile) ?? "", 10);
    if (!Number.isNaN(code)) return code;
    await sleep(POLL);
  }
  throw new TareError("E_CONTAINER_STATE", "attaching: the connection to the container broke", {
    hint: "`tare ps -a` tells what became of it",
  });
}

function passSignal(context: ContainersContext, record: ContainerRecord, name: NodeJS.Signals): void {
  const current = recordsOf(context).get(record.id);
  const { status, pid } = current ? viewOf(context, current).state : { status: "removing", pid: 0 };
  if (status !== "running" || pid === 0) return;
  if (isMeantToEnd(record.config, name)) noteStoppedByUser(context, record);
  process.kill(pid, name);
}
