// SPDX-License-Identifier: Apache-2.0
/*
 * What has to happen to a root file system before wheels are put into it: uv makes its environment and installs what is
 * no wheel of an index; another version of a distribution is taken out, by uv itself, or as pip said that it would.
 */
import { pathsOfWheel, normalizeName } from "../../python/index.ts";
import { deletionLayer } from "../uninstall-step.ts";
import { quote } from "./probe-script.ts";
import { replacedByUv } from "./uv-answers.ts";
import type { DiffId } from "../../base/index.ts";
import type { PythonTarget, WheelRef } from "../../python/index.ts";
import type { StepContext } from "../types.ts";
import type { Install } from "./assess.ts";
import type { DryRun, ReplacedDistribution } from "./dry-run.ts";
import type { FileToInstall } from "./install-files.ts";

/** Commands to run, or why wheels alone do not do it. */
export function planBefore(
  { command, text }: Install,
  { log }: DryRun,
  files: readonly FileToInstall[],
): { readonly runs: readonly string[] } | { readonly reason: string } {
  const replaced = command.tool === "pip" ? [] : replacedByUv(log);
  const names = files.map(({ name }) => normalizeName(name));
  switch (command.tool) {
    case "pip":
      return { runs: [] };
    case "uv": {
      if (replaced.length === 0) return { runs: [] };
      // Variables before the command may name another environment.
      if (/(?:^|&& )\w+=/.test(text)) return { reason: `it replaces ${replaced.join(", ")}` };
      const options = [
        ...(command.isSystem ? ["--system"] : []),
        ...(command.breaksSystem ? ["--break-system-packages"] : []),
      ];
      return { runs: [[...command.program, "pip", "uninstall", ...options, ...replaced].map(quote).join(" ")] };
    }
    case "uv sync": {
      const kept = / --inexact(?: |$)/.test(text) ? replaced.find((name) => names.includes(name)) : undefined;
      if (kept !== undefined) return { reason: `it replaces ${kept}` };
      return { runs: [[text, ...names.map((name) => `--no-install-package ${quote(name)}`)].join(" ")] };
    }
  }
}

/** A layer without what pip replaces; none where it replaces nothing. */
export async function removeReplaced(
  step: StepContext,
  install: {
    readonly target: PythonTarget;
    readonly refs: readonly WheelRef[];
    readonly replaced: ReadonlyMap<string, ReplacedDistribution>;
  },
): Promise<{ readonly layers: readonly DiffId[] } | { readonly reason: string }> {
  const { replaced } = install;
  if (replaced.size === 0) return { layers: [] };
  for (const [name, { version, paths }] of replaced) {
    if (paths === null) return { reason: `it replaces ${name} ${version}, which is more than its own files` };
  }
  const lost = await lostAgain(step, install);
  if (lost !== undefined) return { reason: lost };
  const paths = new Set([...replaced.values()].flatMap(pathsOf));
  if (paths.size === 0) return { layers: [] };
  return {
    layers: [
      await deletionLayer(step, (base) => [...paths].filter((path) => isOutermost(path, paths) && base.lookup(path))),
    ],
  };
}

/** What goes, as paths in the image without slashes around them. */
function pathsOf({ paths }: ReplacedDistribution): readonly string[] {
  return (paths ?? []).map((path) => path.replace(/^\/|\/$/g, ""));
}

function isOutermost(path: string, paths: ReadonlySet<string>): boolean {
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    if (paths.has(path.slice(0, at))) return false;
  }
  return true;
}

/** pip replaces one distribution after the other: what a later one takes out with its old files may be new. */
async function lostAgain(
  step: StepContext,
  { target, refs, replaced }: Parameters<typeof removeReplaced>[1],
): Promise<string | undefined> {
  const store = await step.resources.python.wheels();
  const written = new Map<string, string>();
  for (const ref of refs) {
    const old = replaced.get(ref.name);
    const gone = new Set(old && pathsOf(old));
    const lost = [...written].find(([path]) => gone.has(path) || !isOutermost(path, gone));
    if (lost !== undefined) return `replacing ${ref.name} takes out files of ${lost[1]}`;
    const file = store.find(ref.digest);
    if (!file) throw new Error(`${ref.fileName} was fetched`);
    const wheel = { ...ref, file: file.path };
    const { executable, version: python, scheme } = target;
    for (const path of pathsOfWheel(wheel, { executable, python, scheme, slim: [] })) written.set(path, ref.name);
  }
  return undefined;
}
