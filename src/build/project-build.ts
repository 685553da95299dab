// SPDX-License-Identifier: Apache-2.0
/*
 * A Python project without a Dockerfile becomes the same kind of graph: the base, a vertex for each layer of
 * distributions (which do not wait for each other), a user, and the sources on top.
 */
import { basename } from "node:path";
import { TareError } from "../base/index.ts";
import { findCommand, readProject } from "../project/index.ts";
import { describeTarget, findInterpreter } from "../python/index.ts";
import { TreeView, readFileInTree } from "../store/index.ts";
import { chooseBase, resolveBase } from "./project-base.ts";
import { decide } from "./project-decisions.ts";
import { chooseWheels } from "./project-wheels.ts";
import { USER_ID } from "./project-paths.ts";
import { folderReader } from "./project-reader.ts";
import { slimOf } from "./project-slim.ts";
import { projectStage } from "./project-stage.ts";
import type { GraphBuilder } from "../graph/index.ts";
import type { Platform } from "../oci/index.ts";
import type { CommandAnswer, Project } from "../project/index.ts";
import type { PythonTarget, SlimChoice } from "../python/index.ts";
import type { Lease } from "../store/index.ts";
import type { ChosenWheels } from "./project-wheels.ts";
import type { BuildRequest, ProjectDecision } from "./request.ts";
import type { BuildPlace } from "./run-build.ts";
import type { CompiledStage, ResolvedImage } from "./types.ts";

/** What a project is built with. */
export interface ProjectBuild {
  readonly place: BuildPlace;
  readonly lease: Lease;
  readonly request: BuildRequest;
  readonly root: string;
  readonly project: Project;
  readonly graph: GraphBuilder;
  readonly epoch: number;
  readonly signal: AbortSignal;
}

/** A project ready to become stages. */
export interface PreparedProject extends ProjectBuild {
  readonly platform: Platform;
  readonly base: ResolvedImage;
  readonly baseReason: string;
  readonly target: PythonTarget;
  readonly wheels: ChosenWheels;
  readonly command: CommandAnswer;
  readonly users: BaseUsers;
  /** What is left out of the distributions. */
  readonly slim: SlimChoice;
}

/** The base's files of users, and whether one has the number of a project's own. */
export interface BaseUsers {
  readonly passwd: string;
  readonly group: string;
  readonly hasOurs: boolean;
}

/** A compiled project. */
export interface CompiledProject {
  readonly stage: CompiledStage;
  readonly prepared: PreparedProject;
  readonly decisions: readonly ProjectDecision[];
}

/** Looks at a folder; undefined when it is no project. Throws what `readProject` throws. */
export function projectIn(root: string, request: Pick<BuildRequest, "target"> = {}): Project | undefined {
  const name = basename(root) || "app";
  const target = request.target === undefined ? {} : { target: request.target };
  return readProject(folderReader(root), { folder: root, fallbackName: name, ...target });
}

/** Decides everything and adds the project to the graph. Throws what finding a base, locking and fetching throw. */
export async function compileProject(build: ProjectBuild, platform: Platform): Promise<CompiledProject> {
  const { place } = build;
  const chosen = chooseBase(build.project, build.request.python?.version);
  const base = await resolveBase(build, chosen.value, platform);
  const layers = place.store.layers.getAll(base.config.rootfs.diff_ids);
  build.lease.keep(base.config.rootfs.diff_ids);
  const tree = new TreeView(layers);
  const target = findInterpreter(tree, {
    env: base.config.config?.Env ?? [],
    architecture: base.config.architecture,
  });
  checkPython(build.project, target);
  const wheels = await chooseWheels(build, { base, target, platform });
  const installed = new Set(wheels.wheels.map(({ name }) => name));
  const command = findCommand(folderReader(build.root), build.project, (name) => installed.has(name));
  const users = usersOf(tree);
  const slim = slimOf(build, base, wheels);
  const prepared = { ...build, platform, base, baseReason: chosen.reason, target, wheels, command, users, slim };
  return { stage: projectStage(prepared), prepared, decisions: decide(prepared) };
}

function usersOf(tree: TreeView): BaseUsers {
  const text = (path: string): string => readFileInTree(tree, path)?.toString("utf8") ?? "";
  const passwd = text("etc/passwd");
  const hasOurs = new RegExp(`^[^:]+:[^:]*:${USER_ID}:`, "m").test(passwd);
  return { passwd, group: text("etc/group"), hasOurs };
}

function checkPython({ python }: Project, target: PythonTarget): void {
  if (python === undefined || target.version.startsWith(`${python.value}.`)) return;
  throw new TareError(
    "E_PYTHON_NOTFOUND",
    `choosing a Python: ${python.value} is wanted (${python.reason}), the base has ${describeTarget(target)}`,
    {
      hint: "choose another base (`base` in [tool.tare]) or another version",
    },
  );
}
