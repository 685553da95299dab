// SPDX-License-Identifier: Apache-2.0
/*
 * A Python project without a Dockerfile becomes the same kind of graph: the base, a vertex for each layer of
 * distributions (which do not wait for each other), a user, and the sources on top.
 */
import { basename } from "node:path";
import { TareError } from "../base/index.ts";
import { findCommand, readProject } from "../project/index.ts";
import { describeTarget, knownBase, noteBase } from "../python/index.ts";
import { chooseBase, resolveBase } from "./project-base.ts";
import { decide } from "./project-decisions.ts";
import { chooseWheels } from "./project-wheels.ts";
import { USER_ID } from "./project-paths.ts";
import { folderReader } from "./project-reader.ts";
import { slimOf } from "./project-slim.ts";
import { projectStage } from "./project-stage.ts";
import { baseFactsOf, bringBase } from "./remote-build.ts";
import type { GraphBuilder } from "../graph/index.ts";
import type { Platform } from "../oci/index.ts";
import type { CommandAnswer, Project } from "../project/index.ts";
import type { BaseFacts, PythonTarget, SlimChoice } from "../python/index.ts";
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
  readonly baseFacts: BaseFacts;
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
  build.lease.keep([base.manifest, base.id, ...base.config.rootfs.diff_ids]);
  const baseFacts = await factsOf(build, base);
  const { target } = baseFacts;
  place.remote?.useBase({ id: base.id, facts: baseFacts });
  checkPython(build.project, target);
  const wheels = await chooseWheels(build, { base, target, platform });
  const installed = new Set(wheels.wheels.map(({ name }) => name));
  const command = findCommand(folderReader(build.root), build.project, (name) => installed.has(name));
  const users = usersOf(baseFacts);
  const slim = await slimOf(build, base, wheels);
  const baseReason = chosen.reason;
  const prepared = { ...build, platform, base, baseFacts, baseReason, target, wheels, command, users, slim };
  return { stage: projectStage(prepared), prepared, decisions: decide(prepared) };
}

function usersOf({ passwd, group }: BaseFacts): BaseUsers {
  return { passwd, group, hasOurs: new RegExp(`^[^:]+:[^:]*:${USER_ID}:`, "m").test(passwd) };
}

/** What is to be known of a base's files: looked up once, or, where they are not here, what the registry's memo says. */
async function factsOf({ place }: ProjectBuild, base: ResolvedImage): Promise<BaseFacts> {
  const { store, remote } = place;
  const known = knownBase(store, base.id);
  if (known) return known;
  const isHere = base.config.rootfs.diff_ids.every((diffId) => store.layers.facts(diffId) !== undefined);
  const claimed = isHere ? undefined : await remote?.base(base);
  if (claimed) return claimed;
  await bringBase(place, base);
  const facts = baseFactsOf(store, base);
  noteBase(store, base.id, facts);
  return facts;
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
