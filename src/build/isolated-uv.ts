// SPDX-License-Identifier: Apache-2.0
/* Resolving where sources can be built: uv asks them what they need in a container of the base. */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { TareError, isTareError } from "../base/index.ts";
import { createIgnore } from "../dockerfile/index.ts";
import { explainFailure } from "../python/index.ts";
import { buildHint } from "./build-wheel-hint.ts";
import { OUT, UV, runIsolated, whyNotIsolated } from "./isolated.ts";
import { NO_SOURCES } from "./wheel-sources.ts";
import type { IsolatedUv, ResolveRequest } from "../python/index.ts";
import type { LocalSource } from "../solver/index.ts";
import type { IsolatedPlace } from "./isolated.ts";

/** What the container runs: gives uv the lock that it may keep versions of, and starts it in the project's folder. */
const RESOLVE_PY = `import os, sys
uv, folder, out, previous, *args = sys.argv[1:]
os.makedirs(out)
if previous:
    with open(out + "/pylock.toml", "w") as lock:
        lock.write(previous)
os.chdir(folder)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
os.execv(uv, [uv, *args, "--python=" + sys.executable, "--output-file=" + out + "/pylock.toml"])
`;

/** A way to resolve with builds; undefined where containers can't be made. */
export function isolatedUv(place: IsolatedPlace): IsolatedUv | undefined {
  if (whyNotIsolated() !== undefined) return undefined;
  return async ({ args, files, request }) => {
    const command = {
      label: "ask sources what they need",
      args: [place.target.executable, "-I", "-c", RESOLVE_PY, UV, request.folder, OUT, request.previous ?? "", ...args],
      folders: foldersOf(request.folder, files),
    };
    const folder = await run(place, command, request);
    const path = join(folder ?? "", "pylock.toml");
    if (folder === undefined || !fs.existsSync(path)) throw new Error("uv wrote no lock");
    return { pylock: fs.readFileSync(path, "utf8"), folder: OUT };
  };
}

/** At their own paths, so that relative ones lead to the same places. */
function foldersOf(folder: string, files: readonly string[]): Readonly<Record<string, LocalSource>> {
  const outside = files.map((file) => dirname(file)).filter((place) => !`${place}/`.startsWith(`${folder}/`));
  const filter = createIgnore(NO_SOURCES);
  return Object.fromEntries([...new Set([folder, ...outside])].map((root) => [root, { root, filter }]));
}

async function run(
  place: IsolatedPlace,
  command: Parameters<typeof runIsolated>[1],
  request: ResolveRequest,
): Promise<string | undefined> {
  try {
    return await runIsolated(place, command);
  } catch (error) {
    if (!isTareError(error, "E_RUN_FAILED")) throw error;
    const output = String(error.details["output"] ?? "");
    if (/No solution found/.test(output)) throw explainFailure(output, request);
    const [, what] = /Failed to (?:build|download and build) [`']?([^`'\n]+)[`']?/.exec(output) ?? [];
    const { reason, hint } = buildHint(output, place.packages);
    throw new TareError(
      "E_BUILD_WHEEL",
      `resolving: building ${what === undefined ? "a package" : `\`${what}\``} to know what it needs: ${reason}`,
      { hint, details: { output }, cause: error },
    );
  }
}
