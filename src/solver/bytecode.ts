// SPDX-License-Identifier: Apache-2.0
/* Compiles the modules of wheels with the image's own interpreter, or one of the same version: once for each wheel. */
import { execute } from "../base/index.ts";
import { hostPlatform } from "../oci/index.ts";
import { compileJob, findPack, packKey, storePack } from "../python/index.ts";
import { CompileFolder, compileError, compileInContainer, compilerArguments } from "./compile-session.ts";
import type { Digest } from "../base/index.ts";
import type { WheelsOp } from "../graph/index.ts";
import type { Bytecode, BytecodePack, InstallSettings, WheelToInstall } from "../python/index.ts";
import type { Compilation } from "./compile-session.ts";
import type { StepContext } from "./types.ts";

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

async function compileAll(step: StepContext, op: WheelsOp, work: CompileWork): Promise<void> {
  step.status("compiling modules", 0, 0);
  const { store } = step.resources;
  const compilations = work.missing.map(({ wheel, key }) => ({
    file: wheel.file,
    job: (places: Parameters<typeof compileJob>[2]) => compileJob(wheel, work.settings, places),
    keep: async (pack: string) => void (await storePack(store, key, pack)),
  }));
  if (work.compiler.kind === "container") await compileInContainer(step, op, compilations);
  else await compileLocally(step, op, { python: work.compiler.python, compilations });
}

interface CompileWork {
  readonly compiler: Compiler;
  readonly settings: InstallSettings;
  readonly missing: readonly { readonly wheel: WheelToCompile; readonly key: Digest }[];
}

async function compileLocally(
  step: StepContext,
  op: WheelsOp,
  { python, compilations }: { readonly python: string; readonly compilations: readonly Compilation[] },
): Promise<void> {
  const folder = new CompileFolder(step);
  try {
    const numbered = compilations.map((each) => ({ ...each, number: folder.add(each, folder) }));
    folder.end();
    const result = await execute(python, compilerArguments(op, folder.place), { signal: step.signal });
    const [, why] = /^error \d+ (.*)$/m.exec(result.stdout) ?? [];
    if (result.code !== 0 || why !== undefined) throw compileError(why ?? result.stderr);
    for (const { number, keep } of numbered) await keep(folder.pack(number));
  } finally {
    folder.remove();
  }
}
