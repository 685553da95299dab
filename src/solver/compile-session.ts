// SPDX-License-Identifier: Apache-2.0
/*
 * One container compiles for all steps that need the same interpreter at the same time: jobs are files that the script
 * in it takes as they come (see `COMPILE_PY`), its output says what is done. It ends with the last job.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { TareError, ensureDirectory, removeTree } from "../base/index.ts";
import { COMPILE_PY } from "../python/index.ts";
import { baseLayers } from "./results.ts";
import { runInContainer } from "./run-container.ts";
import type { RunOp, WheelsOp } from "../graph/index.ts";
import type { CompileJob } from "../python/index.ts";
import type { StepContext } from "./types.ts";

const PLACE = "/run/tare-compile";
const OUT = "/run/tare-packs";
/** What is kept of an interpreter's complaints. */
const MOST_ERRORS = 1 << 16;

/** Makes a job whose wheel and pack are at the given paths. */
export type MakeJob = (places: Pick<CompileJob, "wheel" | "out">) => CompileJob;

/** A wheel to compile, and what to do with its pack (a file that is gone afterwards). */
export interface Compilation {
  /** Absolute path of the wheel. */
  readonly file: string;
  readonly job: MakeJob;
  readonly keep: (pack: string) => Promise<void>;
}

/** The folder that a compiling script works from. */
export class CompileFolder {
  readonly path: string;
  /** What the script reads. */
  readonly place: string;
  readonly packs: string;
  #jobs = 0;

  constructor(step: StepContext) {
    this.path = join(step.resources.lease.folder, `compile-${randomBytes(8).toString("hex")}`);
    this.place = join(this.path, "place");
    this.packs = join(this.path, "packs");
    for (const path of [this.path, this.place, this.packs, join(this.place, "jobs")]) ensureDirectory(path, 0o755);
    fs.writeFileSync(join(this.place, "compile.py"), COMPILE_PY, { mode: 0o644 });
  }

  /** Adds a job, whose script sees the two folders at these paths; its number. */
  add({ file, job }: Compilation, seen: { readonly place: string; readonly packs: string }): number {
    const number = this.#jobs;
    this.#jobs += 1;
    linkOrCopy(file, join(this.place, `${number}.whl`));
    const made = job({ wheel: join(seen.place, `${number}.whl`), out: join(seen.packs, `${number}.zip`) });
    // The script takes what ends in `.json`, whole: it needs no disk for that.
    const path = join(this.place, "jobs", `${number}`);
    fs.writeFileSync(path, JSON.stringify(made), { mode: 0o644 });
    fs.renameSync(path, `${path}.json`);
    return number;
  }

  pack(number: number): string {
    return join(this.packs, `${number}.zip`);
  }

  /** No job will follow. */
  end(): void {
    fs.writeFileSync(join(this.place, "end"), "");
  }

  remove(): void {
    removeTree(this.path);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    fs.linkSync(from, to);
  } catch {
    fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE);
  }
}

/** Arguments of an interpreter that works from a folder. */
export function compilerArguments({ bytecode }: WheelsOp, place: string): readonly string[] {
  return ["-I", "-S", "-B", `${place}/compile.py`, bytecode, String(availableParallelism()), place];
}

/** The container that compiles for some steps. */
class CompileSession {
  readonly #folder: CompileFolder;
  readonly #waiting = new Map<number, { readonly done: () => void; readonly fail: (error: unknown) => void }>();
  readonly #ended: Promise<void>;
  #line = "";
  #errors = "";
  #users = 0;

  constructor(step: StepContext, op: WheelsOp) {
    this.#folder = new CompileFolder(step);
    this.#ended = this.#run(step, op);
    // Who waits for a job hears of it.
    this.#ended.catch(() => undefined);
  }

  /** Compiles; the last of those who use the session at the same time ends it, which `onLast` hears before. */
  async compile(work: readonly Compilation[], onLast: () => void): Promise<void> {
    this.#users += 1;
    try {
      await Promise.all(work.map((each) => this.#one(each)));
    } finally {
      this.#users -= 1;
      if (this.#users === 0) {
        onLast();
        await this.#end();
      }
    }
  }

  async #one(work: Compilation): Promise<void> {
    const number = this.#folder.add(work, { place: PLACE, packs: OUT });
    await new Promise<void>((done, fail) => {
      this.#waiting.set(number, { done, fail });
      this.#ended.then(() => fail(compileError(this.#errors)), fail);
    });
    await work.keep(this.#folder.pack(number));
  }

  async #end(): Promise<void> {
    try {
      this.#folder.end();
      await this.#ended;
    } finally {
      this.#folder.remove();
    }
  }

  async #run(step: StepContext, op: WheelsOp): Promise<void> {
    const { path, place, packs } = this.#folder;
    const upper = { tree: join(path, "upper"), work: join(path, "work") };
    for (const folder of [upper.tree, upper.work]) ensureDirectory(folder, 0o755);
    const { exitCode } = await runInContainer(step, {
      op: command([op.executable, ...compilerArguments(op, PLACE)]),
      layers: baseLayers(step),
      upper,
      mounts: [
        { destination: PLACE, type: "bind", source: place, options: ["ro"] },
        { destination: OUT, type: "bind", source: packs, options: ["rw"] },
      ],
      onOutput: (stream, data) => this.#read(stream, Buffer.from(data).toString("utf8")),
    });
    if (exitCode !== 0) throw compileError(this.#errors);
  }

  #read(stream: 1 | 2, text: string): void {
    if (stream === 2) {
      this.#errors = (this.#errors + text).slice(-MOST_ERRORS);
      return;
    }
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#finish(line);
  }

  #finish(line: string): void {
    const [, what, number, why = ""] = /^(done|error|failed) (\d+)(?: (.*))?$/.exec(line) ?? [];
    const waiting = this.#waiting.get(Number(number));
    if (what === "done") waiting?.done();
    else waiting?.fail(compileError(why));
  }
}

const sessions = new WeakMap<StepContext["resources"], Map<string, CompileSession>>();

/** Compiles with the interpreter of the step's image. Throws `E_BYTECODE`, and what containers throw. */
export async function compileInContainer(step: StepContext, op: WheelsOp, work: readonly Compilation[]): Promise<void> {
  const open = sessions.get(step.resources) ?? new Map<string, CompileSession>();
  sessions.set(step.resources, open);
  const key = [op.executable, op.bytecode, ...baseLayers(step)].join(" ");
  const session = open.get(key) ?? new CompileSession(step, op);
  open.set(key, session);
  await session.compile(work, () => open.delete(key));
}

/** A command as root, without network and with nothing mounted. */
function command(args: readonly string[]): RunOp {
  const env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
  return {
    type: "run",
    args,
    env,
    cwd: "/",
    user: "0:0",
    mounts: [],
    network: "none",
    security: "sandbox",
    devices: [],
  };
}

/** What the interpreter said last. */
export function compileError(output: string): TareError {
  const last = output.trim().split("\n").at(-1) ?? "";
  return new TareError("E_BYTECODE", `compiling Python modules: ${last === "" ? "the interpreter failed" : last}`, {
    hint: "`--bytecode none` builds without compiled modules",
    details: { output },
  });
}
