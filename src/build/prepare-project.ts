// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_EPOCH, digestOf } from "../base/index.ts";
import { GraphBuilder } from "../graph/index.ts";
import { MAIN_CONTEXT } from "./compile.ts";
import { missingDockerfile } from "./context.ts";
import { compileProject, projectIn } from "./project-build.ts";
import { contextWarnings, projectContext } from "./project-context.ts";
import { unusedOptions } from "./project-request.ts";
import { checkPlatforms, epochOf, platformsOf } from "./request-facts.ts";
import type { LocalSource } from "../solver/index.ts";
import type { Lease } from "../store/index.ts";
import type { BuildRequest, ProjectDecision } from "./request.ts";
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
  const compiled = [];
  for (const platform of platformsOf(request)) compiled.push(await compileProject(build, platform));
  checkPlatforms(graph.build());
  const decisions = compiled[0]?.decisions ?? [];
  tellDecisions(request, project.name, decisions);
  return {
    graph: graph.build(),
    text: "",
    stages: compiled.map(({ stage }) => stage),
    decisions,
    projects: compiled.map(({ prepared }) => prepared),
    locals: new Map([[MAIN_CONTEXT, context]]),
    epoch,
    isEpochChosen: chosen !== undefined,
  };
}

/** The decisions as the first step of the progress. */
function tellDecisions({ listener }: BuildRequest, name: string, decisions: readonly ProjectDecision[]): void {
  if (!listener) return;
  const id = digestOf(`project ${name}`);
  const at = Date.now();
  listener({ kind: "vertex", id, label: `project ${name}`, inputs: [], at });
  listener({ kind: "started", id, at });
  const lines = decisions.map((decision) => `${`${decision.name}:`.padEnd(14)}${decision.text}\n`).join("");
  listener({ kind: "log", id, stream: 1, data: Buffer.from(lines), at });
  listener({ kind: "completed", id, at });
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
