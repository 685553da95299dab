// SPDX-License-Identifier: Apache-2.0
/*
 * `RUN pip install …` without running it. When a step does nothing but install distributions, and the installer itself
 * says that it would take wheels only and replace nothing, the wheels become layers directly: the same files (see
 * docs/differences.md), in layers that other images share and that a changed pin leaves alone.
 */
import { isTareError, messageOf } from "../../base/index.ts";
import { specialFolder, withLinks } from "../../python/index.ts";
import { TreeView, resolveInTree } from "../../store/index.ts";
import { bringAll } from "../absent-layers.ts";
import { baseLayers, rootfsOf } from "../results.ts";
import { planBefore, removeReplaced } from "./before-wheels.ts";
import { dryRun } from "./dry-run.ts";
import { fetchFiles, installFiles, say } from "./install-files.ts";
import { cachedWheel } from "./pip-cache.ts";
import { readReport } from "./pip-report.ts";
import { readUvLock, readUvSync } from "./uv-answers.ts";
import type { DiffId } from "../../base/index.ts";
import type { RunOp } from "../../graph/index.ts";
import type { Bytecode } from "../../python/index.ts";
import type { StepContext } from "../types.ts";
import type { Candidate, Install } from "./assess.ts";
import type { DryRun } from "./dry-run.ts";
import type { FileToInstall } from "./install-files.ts";
import type { InstallerCommand } from "./installer-command.ts";
import type { ReportReading, ReportedWheel } from "./pip-report.ts";

/** Runs a command of the step as written, on top of the step's root file system: its layer. */
export type RunPart = (step: StepContext, op: RunOp) => Promise<DiffId>;

type Accelerated = { readonly layers: readonly DiffId[] } | { readonly reason: string };

/**
 * The layers that a step's installations make, or why it has to run as written. Of several, those that can't be
 * replaced (`pip install --upgrade pip`) run as written between the others.
 */
export async function accelerate(
  step: StepContext,
  op: RunOp,
  { candidate, runPart }: { readonly candidate: Candidate; readonly runPart: RunPart },
): Promise<Accelerated> {
  const { installs, clears, shell } = candidate;
  const tree = treeOf(step);
  const cleared = clears.find((path) => tree.lookup(resolveInTree(tree, path.slice(1))) !== undefined);
  if (cleared !== undefined) return { reason: `it removes ${cleared}, which is there already` };
  const env = clears.length === 0 ? op.env : [...op.env, ...NO_CACHES];
  const made: DiffId[] = [];
  for (const [index, install] of installs.entries()) {
    const place = onTop(step, made);
    await bringAll(place, place.inputs);
    const run = (text: string): Promise<DiffId> => runPart(place, { ...op, args: [...wordsOf(shell), text], env });
    const result = await accelerateOne({ step: place, op, install, run });
    if ("layers" in result) {
      made.push(...result.layers);
      continue;
    }
    if (made.length === 0 && index === installs.length - 1) return result;
    say(step, `runs as written: \`${install.text}\`: ${result.reason}`);
    made.push(await runPart(place, { ...op, args: [...wordsOf(shell), install.text], env: [...op.env, ...NO_CACHES] }));
  }
  return { layers: made };
}

/** A step in exec form has no shell, but its words are quoted for one. */
function wordsOf(shell: readonly string[]): readonly string[] {
  return shell.length === 0 ? ["/bin/sh", "-c"] : shell;
}

/** What a step of several commands would clear at its end is not written at all. */
const NO_CACHES: readonly string[] = ["PIP_NO_CACHE_DIR=1", "UV_NO_CACHE=1"];

function treeOf(step: StepContext): TreeView {
  return new TreeView(step.resources.store.layers.getAll(baseLayers(step)));
}

/** The step as if its input had these layers too. */
function onTop(step: StepContext, layers: readonly DiffId[]): StepContext {
  const [input, ...others] = step.inputs;
  if (input === undefined || layers.length === 0) return step;
  const base = rootfsOf(input);
  return { ...step, inputs: [{ ...base, layers: [...base.layers, ...layers] }, ...others] };
}

/** The installation, with what runs of it as written where the rest is made of wheels. */
interface Asked {
  readonly step: StepContext;
  readonly op: RunOp;
  readonly install: Install;
  /** Runs another command in its place. */
  readonly run: (text: string) => Promise<DiffId>;
}

async function accelerateOne(asked: Asked): Promise<Accelerated> {
  const { step, op, install } = asked;
  const { command } = install;
  step.status(`asking ${command.tool} what it would install`, 0, 0);
  const answer = await dryRun(step, op, install);
  if ("reason" in answer) return answer;
  const tree = treeOf(step);
  try {
    const reading = read(command, answer);
    const local = "reason" in reading ? reading : withLocalFiles(tree, reading.wheels);
    if ("reason" in local) return local;
    const { wheels } = local;
    if (wheels.length === 0) return { reason: "everything it names is there already" };
    const special = specialFolder(tree, answer.target.scheme);
    if (special !== undefined) return { reason: `${special} has a mode or an owner of its own` };
    const files = await withCachedFiles(step, answer.cache, wheels);
    return await installWheels(asked, answer, files);
  } catch (error) {
    if (!isTareError(error) || !LEFT_TO_THE_STEP.has(error.code)) throw error;
    return { reason: messageOf(error) };
  }
}

async function installWheels(asked: Asked, answer: DryRun, files: readonly FileToInstall[]): Promise<Accelerated> {
  const { step, install } = asked;
  const { command } = install;
  const plan = planBefore(install, answer, files);
  if ("reason" in plan) return plan;
  const running = Promise.all(plan.runs.map((text) => asked.run(text)));
  const [ran, fetched] = await Promise.allSettled([running, fetchFiles(step, files)]);
  if (ran.status === "rejected") throw ran.reason;
  if (fetched.status === "rejected") throw fetched.reason;
  const refs = fetched.value;
  const { target } = answer;
  const removed = await removeReplaced(step, { target, refs, replaced: answer.replaced });
  if ("reason" in removed) return removed;
  const first = [...ran.value, ...removed.layers];
  const place = onTop(step, first);
  const layers = await installFiles(place, refs, {
    target: { ...target, scheme: withLinks(treeOf(place), target.scheme) },
    bytecode: bytecodeOf(step, command, answer),
    installer: command.tool === "pip" ? undefined : "uv",
    note: plan.runs.length === 0 ? "nothing was run" : "uv did the rest",
  });
  return { layers: [...first, ...layers] };
}

function read(command: InstallerCommand, answer: DryRun): ReportReading {
  switch (command.tool) {
    case "pip":
      return readReport(answer.text);
    case "uv":
      return readUvLock(answer);
    case "uv sync":
      return readUvSync(answer);
  }
}
/** What the dry run has downloaded already is not fetched again. */
async function withCachedFiles(
  step: StepContext,
  cache: string,
  wheels: readonly FileToInstall[],
): Promise<readonly FileToInstall[]> {
  const { lease, python } = step.resources;
  const store = await python.wheels();
  return wheels.map((wheel) => {
    const { digest } = wheel.file;
    if (digest === undefined || store.find(digest)) return wheel;
    const path = cachedWheel(cache, wheel.file, lease.folder);
    return path === undefined ? wheel : { ...wheel, file: { ...wheel.file, path } };
  });
}

/**
 * The container may reach what this process can't: its own settings, secrets or network. And an installer may know
 * what to do with a lock of its own that Tare does not.
 */
const LEFT_TO_THE_STEP: ReadonlySet<string> = new Set([
  "E_HTTP",
  "E_INDEX_AUTH",
  "E_WHEEL_MISSING",
  "E_LOCK",
  "E_LOCK_HASH",
  "E_LOCK_VERSION",
  "E_NO_WHEEL",
]);

/** pip compiles unless it is told not to; uv does not unless it is told to. */
function bytecodeOf(step: StepContext, { tool, compile }: InstallerCommand, { compiles }: DryRun): Bytecode {
  const isWanted = compile ?? (tool === "pip" || compiles);
  return isWanted ? step.resources.python.bytecode : "none";
}

/** Files that the root file system holds are taken from its tree. */
function withLocalFiles(
  tree: TreeView,
  reported: readonly ReportedWheel[],
): { readonly wheels: readonly FileToInstall[] } | { readonly reason: string } {
  const wheels: FileToInstall[] = [];
  for (const wheel of reported) {
    const { fileName, url, digest } = wheel;
    const known = digest === undefined ? {} : { digest };
    if (!url.startsWith("file:")) {
      wheels.push({ ...wheel, file: { fileName, url, ...known } });
      continue;
    }
    const entry = tree.lookup(resolveInTree(tree, decodeURIComponent(new URL(url).pathname).replace(/^\/+/, "")));
    if (!entry?.stats.isFile()) return { reason: `${fileName} is in a mount of the step` };
    wheels.push({ ...wheel, file: { fileName, path: entry.hostPath, ...known } });
  }
  return { wheels };
}
