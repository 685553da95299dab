// SPDX-License-Identifier: Apache-2.0
/*
 * `RUN pip install …` without running it. When a step does nothing but install distributions, and the installer itself
 * says that it would take wheels only and replace nothing, the wheels become layers directly: the same files (see
 * docs/differences.md), in layers that other images share and that a changed pin leaves alone.
 */
import { isTareError, messageOf } from "../../base/index.ts";
import { normalizeName, readLock, selectFromLock, specialFolder, withLinks } from "../../python/index.ts";
import { TreeView, resolveInTree } from "../../store/index.ts";
import { bringAll } from "../absent-layers.ts";
import { baseLayers, rootfsOf } from "../results.ts";
import { dryRun } from "./dry-run.ts";
import { installFiles, say } from "./install-files.ts";
import { cachedWheel } from "./pip-cache.ts";
import { readReport } from "./pip-report.ts";
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
  const made: DiffId[] = [];
  for (const [index, install] of installs.entries()) {
    const place = onTop(step, made);
    await bringAll(place, place.inputs);
    const result = await accelerateOne(place, op, install);
    if ("layers" in result) {
      made.push(...result.layers);
      continue;
    }
    if (made.length === 0 && index === installs.length - 1) return result;
    say(step, `runs as written: \`${install.text}\`: ${result.reason}`);
    made.push(await runPart(place, { ...op, args: [...shell, install.text], env: [...op.env, ...NO_CACHES] }));
  }
  return { layers: made };
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

async function accelerateOne(step: StepContext, op: RunOp, install: Install): Promise<Accelerated> {
  const { command } = install;
  step.status(`asking ${command.tool} what it would install`, 0, 0);
  const answer = await dryRun(step, op, install);
  if ("reason" in answer) return answer;
  const read = command.tool === "pip" ? readReport(answer.text) : readUvLock(answer);
  const tree = treeOf(step);
  const reading = "reason" in read ? read : withLocalFiles(tree, read.wheels);
  if ("reason" in reading) return reading;
  const reason = whyNotHere(tree, answer, reading.wheels);
  if (reason !== undefined) return { reason };
  const target = { ...answer.target, scheme: withLinks(tree, answer.target.scheme) };
  try {
    const wheels = await withCachedFiles(step, answer.cache, reading.wheels);
    return { layers: await installFiles(step, target, wheels, bytecodeOf(step, command)) };
  } catch (error) {
    if (!isTareError(error) || !FETCH_CODES.has(error.code)) throw error;
    return { reason: messageOf(error) };
  }
}

/** What of the root file system makes layers of wheels another result than the installer's. */
function whyNotHere(tree: TreeView, answer: DryRun, wheels: readonly FileToInstall[]): string | undefined {
  const replaced = wheels.find(({ name }) => answer.installed.has(normalizeName(name)));
  if (replaced) return `it replaces ${replaced.name} ${answer.installed.get(normalizeName(replaced.name)) ?? ""}`;
  if (wheels.length === 0) return "everything it names is there already";
  const special = specialFolder(tree, answer.target.scheme);
  return special === undefined ? undefined : `${special} has a mode or an owner of its own`;
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

/** The container may reach what this process can't: its own settings, secrets or network. */
const FETCH_CODES: ReadonlySet<string> = new Set(["E_HTTP", "E_INDEX_AUTH", "E_WHEEL_MISSING"]);

/** pip compiles unless it is told not to; uv does not unless it is told to. */
function bytecodeOf(step: StepContext, { tool, compile }: InstallerCommand): Bytecode {
  if (compile === false || (tool === "uv" && compile !== true)) return "none";
  return step.resources.python.bytecode;
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

/** uv says in its log what it would install, and in the lock made from that which files those are. */
function readUvLock({ log, text, target }: DryRun): ReportReading {
  if (/^ [-~] /m.test(log)) return { reason: "it replaces what is installed" };
  if (/^ \+ .* \(from /m.test(log)) return { reason: "it installs from a URL or a folder" };
  if (!/^ \+ /m.test(log)) return { wheels: [] };
  const requested = new Set<string>();
  const wheels: ReportedWheel[] = [];
  for (const { name, version, wheel } of selectFromLock(readLock(text, "pylock.toml"), target, {
    extras: [],
    groups: [],
  })) {
    if (!wheel?.url) return { reason: `${name} has no wheel here and is built from its sources` };
    const { fileName, url, digest } = wheel;
    const isRequested = requested.has(name);
    wheels.push({
      name,
      version: version ?? "",
      fileName,
      url,
      isRequested,
      ...(digest === undefined ? {} : { digest }),
    });
  }
  return { wheels };
}
