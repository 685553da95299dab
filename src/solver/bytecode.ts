// SPDX-License-Identifier: Apache-2.0
/* Compiles the modules of wheels with the image's own interpreter, or one of the same version: once for each wheel. */
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { TareError, ensureDirectory, execute, removeTree } from "../base/index.ts";
import { hostPlatform } from "../oci/index.ts";
import { COMPILE_PY, compileJob, findPack, packKey, storePack } from "../python/index.ts";
import { baseLayers } from "./results.ts";
import { runInContainer } from "./run-container.ts";
import type { Digest } from "../base/index.ts";
import type { RunOp, WheelsOp } from "../graph/index.ts";
import type { Bytecode, BytecodePack, InstallSettings, WheelToInstall } from "../python/index.ts";
import type { StepContext } from "./types.ts";

const PLACE = "/run/tare-compile";
const OUT = "/run/tare-packs";

/** How modules can be compiled here; `name` counts in what is made. */
type Compiler =
  | { readonly kind: "container"; readonly name: "image" }
  | { readonly kind: "local"; readonly name: string; readonly python: string };

const IN_CONTAINER: Compiler = { kind: "container", name: "image" };
const compilers = new WeakMap<StepContext["resources"], Map<string, Promise<Compiler | undefined>>>();

/** The bytecode that this host can make of what a step asks for. */
export interface PossibleBytecode {
  /** What is asked for, or `none` with one warning. */
  readonly policy: Bytecode;
  /** Who compiles: `image`, or a version of this host's Python. */
  readonly compiler: string;
}

/** Looks for a compiler. */
export async function bytecodeFor(step: StepContext, op: WheelsOp): Promise<PossibleBytecode> {
  if (op.bytecode === "none") return { policy: "none", compiler: "" };
  const compiler = await compilerFor(step, op);
  return compiler ? { policy: op.bytecode, compiler: compiler.name } : { policy: "none", compiler: "" };
}

function compilerFor(step: StepContext, op: WheelsOp): Promise<Compiler | undefined> {
  const known = compilers.get(step.resources) ?? new Map<string, Promise<Compiler | undefined>>();
  compilers.set(step.resources, known);
  const canRun = process.platform === "linux" && process.getuid?.() === 0 && isHost(step.vertex.platform);
  const isOwn = step.inputs.length > 0 && canRun;
  const key = `${isOwn} ${op.python}`;
  const found = known.get(key) ?? (isOwn ? Promise.resolve(IN_CONTAINER) : findLocal(step, op.python));
  known.set(key, found);
  return found;
}

/** Only images of this machine's kind can be run here. */
function isHost(platform: string | undefined): boolean {
  const { os, architecture } = hostPlatform(process.arch);
  return platform === undefined || platform === `${os}/${architecture}`;
}

/** A Python of this host whose bytecode the image's can read: that of the same minor version. */
async function findLocal(step: StepContext, version: string): Promise<Compiler | undefined> {
  const minor = version.split(".").slice(0, 2).join(".");
  const ask =
    "import sys; print(sys.implementation.cache_tag, sys.version_info.releaselevel, '.'.join(map(str, sys.version_info[:3])))";
  const wanted = `cpython-${minor.replace(".", "")} final `;
  for (const name of [`python${minor}`, "python3"]) {
    const result = await execute(name, ["-I", "-S", "-c", ask], { signal: step.signal }).catch(() => undefined);
    const answer = result?.code === 0 ? result.stdout.trim() : "";
    if (answer.startsWith(wanted)) return { kind: "local", name: answer.slice(wanted.length), python: name };
  }
  const why = isHost(step.vertex.platform) ? "no root" : "this machine can't run the image's Python,";
  const message = `${why} and no Python ${minor} here to compile with: modules are compiled when they are first imported`;
  step.resources.listener?.({ kind: "warning", rule: "NoBytecode", message, at: Date.now() });
  return undefined;
}

/** A wheel of a step whose modules are compiled. */
export interface WheelToCompile extends WheelToInstall {
  readonly digest: Digest;
}

/** Packs of compiled modules in the order of the wheels. Throws `E_BYTECODE`, and what containers throw. */
export async function bytecodePacks(
  step: StepContext,
  op: WheelsOp,
  { wheels, settings }: { readonly wheels: readonly WheelToCompile[]; readonly settings: InstallSettings },
): Promise<readonly BytecodePack[]> {
  const compiler = await compilerFor(step, op);
  const { bytecode: policy } = op;
  if (!compiler || policy === "none") throw new Error("there is nothing to compile with");
  const { store } = step.resources;
  const keyed = wheels.map((wheel) => ({
    wheel,
    key: packKey({ wheel: wheel.digest, settings, policy, compiler: compiler.name }),
  }));
  const missing = keyed.filter(({ key }) => findPack(store, key) === undefined);
  if (missing.length > 0) await compileAll(step, op, { compiler, settings, missing });
  return keyed.map(({ key, wheel }) => {
    const pack = findPack(store, key);
    if (!pack) throw compileError(`nothing was made of ${wheel.fileName}`);
    step.resources.lease.keep([pack.digest]);
    return pack;
  });
}

interface Compilation {
  readonly compiler: Compiler;
  readonly settings: InstallSettings;
  readonly missing: readonly { readonly wheel: WheelToCompile; readonly key: Digest }[];
}

async function compileAll(step: StepContext, op: WheelsOp, work: Compilation): Promise<void> {
  step.status("compiling modules", 0, 0);
  const folder = join(step.resources.lease.folder, `compile-${step.vertex.id.slice(7, 23)}`);
  const out = join(folder, "packs");
  for (const path of [folder, join(folder, "place"), out]) ensureDirectory(path, 0o755);
  try {
    prepare(join(folder, "place"), out, work);
    if (work.compiler.kind === "local") await compileLocally(step, op, { folder, python: work.compiler.python });
    else await compileInContainer(step, op, folder);
    for (const [index, { key }] of work.missing.entries())
      await storePack(step.resources.store, key, join(out, `${index}.zip`));
  } finally {
    removeTree(folder);
  }
}

/** The script, what it has to do, and the wheels by numbers. */
function prepare(place: string, out: string, { compiler, settings, missing }: Compilation): void {
  const isLocal = compiler.kind === "local";
  const jobs = missing.map(({ wheel }, index) => {
    const file = join(place, `${index}.whl`);
    linkOrCopy(wheel.file, file);
    return compileJob(wheel, settings, {
      wheel: isLocal ? file : `${PLACE}/${index}.whl`,
      out: isLocal ? join(out, `${index}.zip`) : `${OUT}/${index}.zip`,
    });
  });
  fs.writeFileSync(join(place, "compile.py"), COMPILE_PY, { mode: 0o644 });
  fs.writeFileSync(join(place, "jobs.json"), JSON.stringify(jobs), { mode: 0o644 });
}

function linkOrCopy(from: string, to: string): void {
  try {
    fs.linkSync(from, to);
  } catch {
    fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE);
  }
}

function argumentsFor(op: WheelsOp, place: string): readonly string[] {
  const script = `${place}/compile.py`;
  return ["-I", "-S", "-B", script, op.bytecode, String(availableParallelism()), `${place}/jobs.json`];
}

async function compileLocally(
  step: StepContext,
  op: WheelsOp,
  { folder, python }: { readonly folder: string; readonly python: string },
): Promise<void> {
  const result = await execute(python, argumentsFor(op, join(folder, "place")), { signal: step.signal });
  if (result.code !== 0) throw compileError(result.stderr);
}

async function compileInContainer(step: StepContext, op: WheelsOp, folder: string): Promise<void> {
  const upper = { tree: join(folder, "upper"), work: join(folder, "work") };
  for (const path of [upper.tree, upper.work]) ensureDirectory(path, 0o755);
  const errors: Buffer[] = [];
  const { exitCode } = await runInContainer(step, {
    op: command([op.executable, ...argumentsFor(op, PLACE)]),
    layers: baseLayers(step),
    upper,
    mounts: [
      { destination: PLACE, type: "bind", source: join(folder, "place"), options: ["ro"] },
      { destination: OUT, type: "bind", source: join(folder, "packs"), options: ["rw"] },
    ],
    onOutput: (_stream, data) => void errors.push(Buffer.from(data)),
  });
  if (exitCode !== 0) throw compileError(Buffer.concat(errors).toString("utf8"));
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

function compileError(output: string): TareError {
  const last = output.trim().split("\n").at(-1) ?? "";
  return new TareError("E_BYTECODE", `compiling Python modules: ${last === "" ? "the interpreter failed" : last}`, {
    hint: "`--bytecode none` builds without compiled modules",
    details: { output },
  });
}
