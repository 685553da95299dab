// SPDX-License-Identifier: Apache-2.0
/* `run --debug`: a container's Python program under debugpy, which is mounted beside the image. */
import { posix } from "node:path";
import { findInterpreter, installedDistributions } from "../python/index.ts";
import type { ImageFacts, PythonTarget, UvPlace } from "../python/index.ts";
import { injectedFolder } from "./inject.ts";
import { programLookUp } from "./program-files.ts";
import type { ProgramPlace } from "./program-files.ts";
import { rewritePython } from "./python-command.ts";

/** Where the debugger appears in a container. */
export const DEBUGPY_TARGET = "/.tare/debugpy";

/** A process of a container as it would start. */
export interface PlannedStart extends ProgramPlace, ImageFacts {
  readonly args: readonly string[];
}

/** Where debugpy listens, and when the program begins. */
export interface DebuggerPlace {
  readonly address: string;
  readonly port: number;
  /** Waits for an editor before the program's first line. */
  readonly wait: boolean;
  readonly signal?: AbortSignal;
}

/** A start under the debugger. */
export interface DebuggedStart {
  readonly args: readonly string[];
  /** To be mounted read-only at `DEBUGPY_TARGET`; absent when the image has debugpy. */
  readonly folder?: string;
  readonly version: string;
  readonly target: PythonTarget;
}

/**
 * The command under debugpy. Throws `E_NOT_PYTHON`, `E_PYTHON_NOTFOUND`, and what resolving and fetching debugpy for the
 * image's Python throws.
 */
export async function debuggedStart(place: UvPlace, start: PlannedStart, where: DebuggerPlace): Promise<DebuggedStart> {
  const look = programLookUp(start);
  let python = "python3";
  // Once to know whose Python it is, before anything is fetched.
  rewritePython(start.args, look, (found) => [(python = found.python)]);
  const target = interpreterOf(start, python);
  const own = installedDistributions(start.tree, target).find(({ name }) => name === "debugpy");
  const call = where.signal === undefined ? {} : { signal: where.signal };
  const request = { requirements: ["debugpy"], constraints: [], present: new Set<string>(), target, ...call };
  const injected = own ? undefined : await injectedFolder(place, request);
  const program = own ? ["-m", "debugpy"] : [`${DEBUGPY_TARGET}/debugpy`];
  const listen = ["--listen", `${where.address}:${where.port}`, ...(where.wait ? ["--wait-for-client"] : [])];
  const args = rewritePython(start.args, look, (found) => [
    found.python,
    ...found.options,
    // The debugger can't stop in modules that are frozen into the interpreter, and would warn of that.
    "-X",
    "frozen_modules=off",
    ...program,
    ...listen,
    ...found.program,
  ]);
  const version = own?.version ?? injected?.versions.get("debugpy") ?? "";
  return { args, version, target, ...(injected === undefined ? {} : { folder: posix.join(injected.folder, "site") }) };
}

/** The Python that the command names; others of the image are not asked. */
function interpreterOf(start: PlannedStart, python: string): PythonTarget {
  const folder = python.includes("/") ? `${posix.dirname(posix.resolve(start.workdir, python))}:` : "";
  return findInterpreter(start.tree, { architecture: start.architecture, env: [`PATH=${folder}${start.path}`] });
}
