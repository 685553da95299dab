// SPDX-License-Identifier: Apache-2.0
/* Asks the installer of a RUN step, in the step's own root file system, what it would do. Nothing of that is kept. */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ensureDirectory, removeTree } from "../../base/index.ts";
import { baseLayers } from "../results.ts";
import { runInContainer } from "../run-container.ts";
import { pipSettingsObstacle } from "./installer-settings.ts";
import { FACTS_PY, PROBE, PROBE_CACHE, PROBE_EXIT, probeScript } from "./probe-script.ts";
import type { PythonTarget } from "../../python/index.ts";
import type { RunOp } from "../../graph/index.ts";
import type { StepContext } from "../types.ts";
import type { InstallerCommand } from "./installer-command.ts";

/** An answer of the installer and its interpreter. */
export interface DryRun {
  readonly target: PythonTarget;
  /** pip's report, or uv's lock. */
  readonly text: string;
  /** What the installer printed. */
  readonly log: string;
  /** The folder of the installer's cache. */
  readonly cache: string;
  /** What pip takes out first, by name. */
  readonly replaced: ReadonlyMap<string, ReplacedDistribution>;
  /** uv's files say that modules are to be compiled. */
  readonly compiles: boolean;
}

/** A distribution that another version takes the place of. */
export interface ReplacedDistribution {
  readonly version: string;
  /** Absolute paths that go, a folder with all that is in it; null when it is not told by these alone. */
  readonly paths: readonly string[] | null;
}

const LIMIT = 64 << 20;

/** Runs the probe. The reason says why there is no answer; the step itself will show the error, if it is one. */
export async function dryRun(
  step: StepContext,
  op: RunOp,
  asked: { readonly command: InstallerCommand; readonly text: string },
): Promise<DryRun | { readonly reason: string }> {
  const folder = join(step.resources.lease.folder, `probe-${step.vertex.id.slice(7, 23)}`);
  const upper = { tree: join(folder, "upper"), work: join(folder, "work") };
  const answers = join(folder, "answers");
  const cache = step.resources.store.cacheMounts.path(`tare-dry-run-${asked.command.tool === "pip" ? "pip" : "uv"}`);
  for (const path of [upper.tree, upper.work, answers]) ensureDirectory(path, 0o755);
  try {
    fs.writeFileSync(join(answers, "facts.py"), FACTS_PY);
    const { exitCode } = await runInContainer(step, {
      op: { ...op, args: ["/bin/sh", "-c", probeScript(asked.command, asked.text)] },
      layers: baseLayers(step),
      upper,
      mounts: [
        { destination: PROBE, type: "bind", source: answers, options: ["rw"] },
        { destination: PROBE_CACHE, type: "bind", source: cache, options: ["rw"] },
      ],
      onOutput: () => undefined,
    });
    const log = readAnswer(answers, "log");
    if (exitCode !== 0) return { reason: failureReason(asked.command, exitCode, log) };
    const facts = JSON.parse(readAnswer(answers, "facts.json")) as Facts;
    const text = readAnswer(answers, asked.command.tool === "pip" ? "report.json" : "pylock.toml");
    const reason = obstacleOf(facts, asked.command);
    if (reason !== undefined) return { reason };
    return {
      target: targetOf(facts),
      replaced: new Map(Object.entries(facts.replaced)),
      compiles: fs.existsSync(join(answers, "compiles")),
      text,
      log,
      cache,
    };
  } finally {
    removeTree(folder);
  }
}

interface Facts {
  readonly executable: string;
  readonly version: string;
  readonly implementation: string;
  readonly machine: string;
  readonly libc: readonly [string, string];
  readonly freeThreaded: boolean;
  readonly scheme: PythonTarget["scheme"];
  readonly writable: boolean;
  /** Names of pip's settings in files and variables. */
  readonly settings: readonly string[];
  /** PEP 668: only with `--break-system-packages`. A dry run does not ask. */
  readonly managed: boolean;
  readonly replaced: Readonly<Record<string, ReplacedDistribution>>;
  readonly relocatable: boolean;
}

function obstacleOf(facts: Facts, { tool, breaksSystem }: InstallerCommand): string | undefined {
  if (!facts.writable) return "the installer would write into a home directory";
  if (facts.managed && !breaksSystem) return "its distribution manages this Python, so the installer refuses";
  if (tool === "pip") return pipSettingsObstacle(facts.settings);
  // uv starts scripts otherwise then, and where a `#!` line would not do.
  if (facts.relocatable) return "the environment can be moved elsewhere";
  if (/\s/.test(facts.executable) || facts.executable.length > LONGEST) return "the environment's path is too long";
  return undefined;
}

const LONGEST = 120;

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

function targetOf(facts: Facts): PythonTarget {
  const [kind, version] = facts.libc;
  return {
    implementation: facts.implementation === "pypy" ? "pypy" : "cpython",
    version: facts.version,
    architecture: ARCHITECTURES[facts.machine] ?? facts.machine,
    libc: kind === "glibc" ? { kind, version } : { kind: "musl", version: "1.2" },
    executable: facts.executable,
    scheme: facts.scheme,
    ...(facts.freeThreaded ? { isFreeThreaded: true } : {}),
  };
}

/** A file that the container wrote: an ordinary one, and not endless. */
function readAnswer(folder: string, name: string): string {
  const path = join(folder, name);
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return "";
  if (!stats.isFile() || stats.size > LIMIT) {
    throw new TareError("E_IO", `reading an installer's answer: \`${name}\` is not a file of a usable size`);
  }
  return fs.readFileSync(path, "utf8");
}

function failureReason({ tool }: InstallerCommand, exitCode: number, log: string): string {
  if (exitCode === PROBE_EXIT.noInterpreter) return `the interpreter of ${tool} was not found`;
  if (exitCode === PROBE_EXIT.uvSettings) return "uv has settings of its own here";
  if (exitCode === PROBE_EXIT.staleLock) return "its lock is not up to date";
  if (exitCode === PROBE_EXIT.oldUv) return "this uv does not tell which files it would install";
  if (/no such option: --(?:dry-run|report)/.test(log)) return "this pip is older than 22.2 and has no dry run";
  return `${tool}'s dry run ended with ${exitCode}`;
}
