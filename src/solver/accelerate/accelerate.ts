// SPDX-License-Identifier: Apache-2.0
/*
 * `RUN pip install …` without running it. When a step does nothing but install distributions, and the installer itself
 * says that it would take wheels only and replace nothing, the wheels become layers directly: the same files (see
 * docs/differences.md), in layers that other images share and that a changed pin leaves alone.
 */
import { digestOfValue, isTareError, messageOf } from "../../base/index.ts";
import { planLayers, readLock, selectFromLock } from "../../python/index.ts";
import { TreeView, resolveInTree } from "../../store/index.ts";
import { cachedLayers, rememberLayers } from "../layer-cache.ts";
import { baseLayers } from "../results.ts";
import { wheelsWorker } from "../wheels-step.ts";
import { dryRun } from "./dry-run.ts";
import { clearsCache, readInstaller } from "./installer-command.ts";
import { readReport } from "./pip-report.ts";
import { quote } from "./probe-script.ts";
import { readScript } from "./shell-command.ts";
import type { DiffId } from "../../base/index.ts";
import type { RunOp, WheelsOp } from "../../graph/index.ts";
import type { Bytecode, DistributionFile, PythonTarget, WheelRef } from "../../python/index.ts";
import type { StepContext } from "../types.ts";
import type { DryRun } from "./dry-run.ts";
import type { InstallerCommand } from "./installer-command.ts";
import type { ReportReading, ReportedWheel } from "./pip-report.ts";

/** An installation that may be replaced. */
export interface Candidate {
  readonly command: InstallerCommand;
  /** The command as written, fit to get further words. */
  readonly text: string;
}

/** What a step is to acceleration: a candidate, an installation that is none with the reason, or neither. */
export type Assessment = Candidate | { readonly reason: string } | undefined;

/** Looks at the command alone: cheap, and the same on every machine. */
export function assess(op: RunOp): Assessment {
  const script = scriptOf(op);
  if (script === undefined) return undefined;
  const environment = new Map(op.env.map((entry) => splitPair(entry)));
  const reading = readScript(script, environment);
  if ("reason" in reading) return MENTIONS.test(script) ? { reason: `it has ${reading.reason}` } : undefined;
  const installers = reading.commands.map((command) => ({ command, installer: readInstaller(command) }));
  const [first] = installers.filter(({ installer }) => installer !== undefined);
  if (first?.installer === undefined) return undefined;
  const others = installers.filter((entry) => entry !== first && !clearsCache(entry.command));
  if (others.length > 0) return { reason: "it does more than install" };
  if ("reason" in first.installer) return first.installer;
  const obstacle = obstacleOf(op);
  return obstacle === undefined ? { command: first.installer.command, text: first.command.text } : { reason: obstacle };
}

const MENTIONS = /(?:^|[\s;&|/])(?:pip3?|uv pip)\s+install\s/;

function obstacleOf(op: RunOp): string | undefined {
  if (op.user !== "" && !/^(?:root|0)(?::|$)/.test(op.user)) return "it does not run as root";
  if (op.security === "insecure") return "it has --security=insecure";
  return undefined;
}

/** The step as one shell script. */
function scriptOf({ args }: RunOp): string | undefined {
  const [shell = "", flag = "", script] = args;
  if (/(?:^|\/)(?:ba|da|a)?sh$/.test(shell)) return args.length === 3 && /^-[eux]*c$/.test(flag) ? script : undefined;
  return args.map(quote).join(" ");
}

function splitPair(entry: string): readonly [string, string] {
  const at = entry.indexOf("=");
  return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
}

/** The layers that an installation makes, or why it has to run as written. */
export async function accelerate(
  step: StepContext,
  op: RunOp,
  candidate: Candidate,
): Promise<{ readonly layers: readonly DiffId[] } | { readonly reason: string }> {
  step.status(`asking ${candidate.command.tool} what it would install`, 0, 0);
  const answer = await dryRun(step, op, candidate);
  if ("reason" in answer) return answer;
  const read = candidate.command.tool === "pip" ? readReport(answer.text) : readUvLock(answer);
  const reading = withLocalFiles(step, read);
  if ("reason" in reading) return reading;
  const replaced = reading.wheels.find(({ name }) => answer.installed.has(normalized(name)));
  if (replaced)
    return { reason: `it replaces ${replaced.name} ${answer.installed.get(normalized(replaced.name)) ?? ""}` };
  if (reading.wheels.length === 0) return { reason: "everything it names is there already" };
  try {
    return { layers: await install(step, answer.target, reading.wheels, bytecodeOf(step, candidate.command)) };
  } catch (error) {
    if (!isTareError(error) || !FETCH_CODES.has(error.code)) throw error;
    return { reason: `${messageOf(error)}` };
  }
}

/** The container may reach what this process can't: its own settings, secrets or network. */
const FETCH_CODES: ReadonlySet<string> = new Set(["E_HTTP", "E_INDEX_AUTH", "E_WHEEL_MISSING"]);

/** pip compiles unless it is told not to; uv does not unless it is told to. */
function bytecodeOf(step: StepContext, { tool, compile }: InstallerCommand): Bytecode {
  if (compile === false || (tool === "uv" && compile !== true)) return "none";
  return step.resources.python.bytecode;
}

async function install(
  step: StepContext,
  target: PythonTarget,
  wheels: readonly FileToInstall[],
  bytecode: Bytecode,
): Promise<readonly DiffId[]> {
  const store = await step.resources.python.wheels();
  const total = wheels.length;
  const stored = await store.fetch(
    wheels.map(({ file }) => file),
    { signal: step.signal, onProgress: (current, size) => step.status(`fetching ${total} wheels`, current, size) },
  );
  const refs = wheels.map(({ name, version, isRequested, direct }, index): WheelRef => {
    const { fileName = "", digest, size = 0 } = stored[index] ?? {};
    if (digest === undefined) throw new Error("a fetched wheel has a digest");
    return { name: normalized(name), version, fileName, digest, size, isRequested, ...(direct ? { direct } : {}) };
  });
  const { layers: budget } = step.resources.python;
  const groups = planLayers(refs, budget === undefined ? {} : { layers: budget });
  const layers = await Promise.all(groups.map((group) => groupLayers(step, wheelsOp(target, group, bytecode))));
  const size = refs.reduce((sum, ref) => sum + ref.size, 0);
  say(step, `installed ${total} wheels (${megabytes(size)}) as ${groups.length} layers; nothing was run`);
  return layers.flat();
}

function wheelsOp(target: PythonTarget, wheels: readonly WheelRef[], bytecode: Bytecode): WheelsOp {
  return {
    type: "wheels",
    wheels: wheels.map(({ size: _size, ...wheel }) => wheel),
    scheme: target.scheme,
    executable: target.executable,
    python: target.version,
    bytecode,
  };
}

/** The layer of one group: known, or made as by a step of the graph. */
async function groupLayers(step: StepContext, op: WheelsOp): Promise<readonly DiffId[]> {
  const { platform, label } = step.vertex;
  const vertex = {
    id: digestOfValue(op),
    op,
    inputs: step.vertex.inputs.slice(0, 1),
    label,
    ignoreCache: false,
    ...(platform === undefined ? {} : { platform }),
  };
  const part: StepContext = { ...step, vertex, inputs: step.inputs.slice(0, 1) };
  const key = await wheelsWorker.key(part);
  const { store } = step.resources;
  const known = key && cachedLayers(store, key);
  const layers = known ?? (await wheelsWorker.run(part));
  if (key && !known) rememberLayers(store, key, layers);
  step.resources.lease.keep(layers);
  return layers;
}

/** A line in the step's own output. */
export function say(step: StepContext, text: string): void {
  step.log(1, Buffer.from(`tare: ${text}\n`));
}

function megabytes(size: number): string {
  return size < 1e6 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(size < 1e7 ? 1 : 0)} MB`;
}

/** PEP 503. */
function normalized(name: string): string {
  return name.replaceAll(/[-_.]+/g, "-").toLowerCase();
}

interface FileToInstall extends Pick<ReportedWheel, "name" | "version" | "isRequested" | "direct"> {
  readonly file: DistributionFile;
}

/** Files that the root file system holds are taken from its tree. */
function withLocalFiles(
  step: StepContext,
  reading: ReportReading,
): { readonly wheels: readonly FileToInstall[] } | { readonly reason: string } {
  if ("reason" in reading) return reading;
  const wheels: FileToInstall[] = [];
  let tree: TreeView | undefined;
  for (const wheel of reading.wheels) {
    const { fileName, url, digest } = wheel;
    const known = digest === undefined ? {} : { digest };
    if (!url.startsWith("file:")) {
      wheels.push({ ...wheel, file: { fileName, url, ...known } });
      continue;
    }
    tree ??= new TreeView(step.resources.store.layers.getAll(baseLayers(step)));
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
