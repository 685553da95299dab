// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { DEFAULT_EPOCH, TareError } from "../base/index.ts";
import { GraphBuilder } from "../graph/index.ts";
import { MAIN_CONTEXT } from "./compile.ts";
import { missingDockerfile } from "./context.ts";
import { compileProject, projectIn } from "./project-build.ts";
import { contextWarnings, projectContext } from "./project-context.ts";
import { plainDockerfile } from "./project-dockerfile.ts";
import { unusedOptions } from "./project-request.ts";
import { checkPlatforms, epochOf, platformsOf } from "./request-facts.ts";
import type { Project } from "../project/index.ts";
import type { LocalSource } from "../solver/index.ts";
import type { Lease } from "../store/index.ts";
import type { CompiledProject } from "./project-build.ts";
import type { PlainDockerfile } from "./project-dockerfile.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildPlace, PreparedBuild } from "./run-build.ts";

/** A folder without a Dockerfile: a project, or an error that says what was looked for. */
export async function prepareProject(
  place: BuildPlace,
  lease: Lease,
  request: BuildRequest,
  { root, signal }: { readonly root: string; readonly signal: AbortSignal },
): Promise<PreparedBuild> {
  const project = projectIn(root, request);
  if (!project) {
    throw missingDockerfile(
      root,
      undefined,
      "; a Python project needs none: pyproject.toml, requirements.txt, a lock, main.py or app.py was looked for",
    );
  }
  const graph = new GraphBuilder();
  const chosen = epochOf(request, undefined);
  const epoch = chosen ?? DEFAULT_EPOCH;
  const build = { place, lease, request, root, project, graph, epoch, signal };
  const context = projectContext(root, project);
  warn(request, context);
  const compiled: CompiledProject[] = [];
  for (const platform of platformsOf(request)) compiled.push(await compileProject(build, platform));
  checkPlatforms(graph.build());
  const decisions = compiled[0]?.decisions ?? [];
  return {
    graph: graph.build(),
    text: "",
    project: project.name,
    stages: compiled.map(({ stage }) => stage),
    decisions,
    ...lockOf(root, project),
    layerFacts: new Map(compiled.flatMap(({ prepared }) => [...prepared.wheels.layerFacts])),
    plainDockerfile: () => dockerfileOf(compiled),
    locals: new Map([[MAIN_CONTEXT, context]]),
    epoch,
    isEpochChosen: chosen !== undefined,
  };
}

/** Only a `pylock.toml` can hold what Tare adds. */
function lockOf(root: string, { dependencies: { kind, files } }: Project): Pick<PreparedBuild, "lock"> {
  const [file] = files;
  return kind === "lock" && file !== undefined && /^pylock\b.*\.toml$/.test(file) ? { lock: join(root, file) } : {};
}

function dockerfileOf([only, ...others]: readonly CompiledProject[]): PlainDockerfile {
  if (only && others.length === 0) return plainDockerfile(only.prepared);
  throw new TareError("E_USAGE", "writing a Dockerfile: it is for one platform, and several are asked for", {
    hint: "give one `--platform`",
  });
}

/** What the user should know before anything is built. */
function warn(request: BuildRequest, context: LocalSource): void {
  const at = Date.now();
  for (const what of unusedOptions(request)) {
    const message = `${what} means nothing here: there is no Dockerfile that uses it`;
    request.listener?.({ kind: "warning", rule: "UnusedOption", message, at });
  }
  if (!request.listener) return;
  for (const warning of contextWarnings(context)) request.listener({ kind: "warning", ...warning, at });
}
