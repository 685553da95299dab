// SPDX-License-Identifier: Apache-2.0
/* Compiles the modules of installed wheels with the image's own interpreter, or one of the same version. */
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { TareError, ensureDirectory, execute, removeTree } from "../base/index.ts";
import { COMPILE_PY } from "../python/index.ts";
import { baseLayers } from "./results.ts";
import { runInContainer } from "./run-container.ts";
import type { RunOp, WheelsOp } from "../graph/index.ts";
import type { Bytecode } from "../python/index.ts";
import type { StepContext } from "./types.ts";

const SCRIPT = "/run/tare-compile";
const TREE = "/run/tare-wheels";

/** How modules can be compiled here. */
type Compiler = { readonly kind: "container" } | { readonly kind: "local"; readonly python: string };

const compilers = new WeakMap<StepContext["resources"], Map<string, Promise<Compiler | undefined>>>();

/** The bytecode that this host can make of what the step asks for: all of it, or `none` with one warning. */
export async function bytecodeFor(step: StepContext, op: WheelsOp): Promise<Bytecode> {
  if (op.bytecode === "none") return "none";
  return (await compilerFor(step, op)) ? op.bytecode : "none";
}

function compilerFor(step: StepContext, op: WheelsOp): Promise<Compiler | undefined> {
  const known = compilers.get(step.resources) ?? new Map<string, Promise<Compiler | undefined>>();
  compilers.set(step.resources, known);
  const isOwn = step.inputs.length > 0 && process.platform === "linux" && process.getuid?.() === 0;
  const key = `${isOwn} ${op.python}`;
  const found =
    known.get(key) ?? (isOwn ? Promise.resolve({ kind: "container" } as const) : findLocal(step, op.python));
  known.set(key, found);
  return found;
}

/** A Python of this host whose bytecode the image's can read: that of the same minor version. */
async function findLocal(step: StepContext, version: string): Promise<Compiler | undefined> {
  const minor = version.split(".").slice(0, 2).join(".");
  const ask = "import sys; print(sys.implementation.cache_tag, sys.version_info.releaselevel)";
  const wanted = `cpython-${minor.replace(".", "")} final`;
  for (const name of [`python${minor}`, "python3"]) {
    const result = await execute(name, ["-I", "-S", "-c", ask], { signal: step.signal }).catch(() => undefined);
    if (result?.code === 0 && result.stdout.trim() === wanted) return { kind: "local", python: name };
  }
  const message = `no root and no Python ${minor} here to compile with: modules are compiled when they are first imported`;
  step.resources.listener?.({ kind: "warning", rule: "NoBytecode", message, at: Date.now() });
  return undefined;
}

/** Writes the `.pyc` files of the tree's distributions. Throws `E_BYTECODE`, and what containers throw. */
export async function compileModules(step: StepContext, op: WheelsOp, tree: string): Promise<void> {
  const infos = distInfos(tree, op);
  if (infos.length === 0) return;
  const compiler = await compilerFor(step, op);
  step.status("compiling modules", 0, 0);
  const folder = join(step.resources.lease.folder, `compile-${step.vertex.id.slice(7, 23)}`);
  ensureDirectory(folder, 0o755);
  try {
    const script = join(folder, "compile.py");
    fs.writeFileSync(script, COMPILE_PY, { mode: 0o644 });
    const args = [op.bytecode, String(availableParallelism())];
    if (compiler?.kind === "local") await compileLocally(step, [compiler.python, script, ...args, tree, ...infos]);
    else await compileInContainer(step, op, { folder, tree, args: [...args, TREE, ...infos] });
  } finally {
    removeTree(folder);
  }
}

function distInfos(tree: string, op: WheelsOp): readonly string[] {
  const libraries = [...new Set([op.scheme.purelib, op.scheme.platlib])];
  return libraries.flatMap((library) => {
    const folder = join(tree, library);
    const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    return names.filter((name) => name.endsWith(".dist-info")).map((name) => `${library}/${name}`);
  });
}

async function compileLocally(
  step: StepContext,
  [python = "", script = "", ...args]: readonly string[],
): Promise<void> {
  const result = await execute(python, ["-I", "-S", "-B", script, ...args], { signal: step.signal });
  if (result.code !== 0) throw compileError(result.stderr);
}

async function compileInContainer(
  step: StepContext,
  op: WheelsOp,
  place: { readonly folder: string; readonly tree: string; readonly args: readonly string[] },
): Promise<void> {
  const upper = { tree: join(place.folder, "upper"), work: join(place.folder, "work") };
  for (const path of [upper.tree, upper.work]) ensureDirectory(path, 0o755);
  const errors: Buffer[] = [];
  const { exitCode } = await runInContainer(step, {
    op: command([op.executable, "-I", "-S", "-B", `${SCRIPT}/compile.py`, ...place.args]),
    layers: baseLayers(step),
    upper,
    mounts: [
      { destination: SCRIPT, type: "bind", source: place.folder, options: ["ro"] },
      { destination: TREE, type: "bind", source: place.tree, options: ["rw"] },
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
