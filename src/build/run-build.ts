// SPDX-License-Identifier: Apache-2.0
/* One `tare build`: open the context, compile for every platform, solve, export. */
import { availableParallelism } from "node:os";
import { DEFAULT_EPOCH, TareError, digestOf, isTareError } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import { parseDockerfile } from "../dockerfile/index.ts";
import { GraphBuilder } from "../graph/index.ts";
import { hostPlatform } from "../oci/index.ts";
import { findRuntime } from "../runtime/index.ts";
import { ForgottenStep, Solver } from "../solver/index.ts";
import { openAgents } from "./agents.ts";
import { MAIN_CONTEXT, compile } from "./compile.ts";
import { openContext } from "./context.ts";
import { exportResult, isCacheOnly } from "./export.ts";
import { requireLock, writeLockFacts } from "./lock-facts.ts";
import { openNamedContexts } from "./named-contexts.ts";
import { checkPlatforms, epochOf, platformsOf } from "./request-facts.ts";
import { openPins } from "./image-pins.ts";
import { resolverOf } from "./pinned-resolver.ts";
import { openSecrets } from "./secrets.ts";
import type { Dockerfile } from "../dockerfile/index.ts";
import type { CdiRegistry } from "../gpu/index.ts";
import type { Graph, VertexId } from "../graph/index.ts";
import type { Platform } from "../oci/index.ts";
import type { WheelLayerFacts, WheelStore } from "../python/index.ts";
import type { AbsentLayer, LocalSource, PythonResources, RootfsResult, SolveResources } from "../solver/index.ts";
import type { Lease, Store } from "../store/index.ts";
import type { BuildFacts } from "../trust/index.ts";
import type { BuiltSteps } from "./built-steps.ts";
import type { ImportedCaches } from "./imported-caches.ts";
import type { BuiltStage } from "./facts.ts";
import type { PlainDockerfile } from "./project-dockerfile.ts";
import type { BuildRequest, BuildResult, ProjectDecision } from "./request.ts";
import type { RemoteBuild } from "./remote-build.ts";
import type { ImagePins } from "./image-pins.ts";
import type { ImagePuller } from "./resolver.ts";
import type { CompileOptions, CompiledStage } from "./types.ts";

/** What a build needs besides the request. */
export interface BuildPlace {
  readonly store: Store;
  readonly runRoot: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Wheels and sdists; opened when something needs them. */
  readonly wheels: () => Promise<WheelStore>;
  /** CDI devices of this host; absent: there are none. */
  readonly devices?: () => Promise<CdiRegistry>;
  /** Fetches base images; absent: only those of the store are used. */
  readonly puller?: ImagePuller;
  /** What names of images are pinned to; opened by `prepareBuild`. */
  readonly pins?: ImagePins;
  /** For a build that is only pushed: what the registry has need not be here. */
  readonly remote?: RemoteBuild;
  /** Build caches that the user named. */
  readonly imported?: ImportedCaches;
  /** Told what the steps made, for a cache that others read. */
  readonly steps?: BuiltSteps;
}

/** A build ready to run: the graph and one compiled target per platform. */
export interface PreparedBuild {
  readonly graph: Graph;
  /** Absent for a project without one. */
  readonly dockerfile?: Dockerfile;
  /** The Dockerfile as written; empty without one. */
  readonly text: string;
  /** Name of a project without a Dockerfile. */
  readonly project?: string;
  /** Where there are some, or some are asked for; new ones are not written yet. */
  readonly pins?: ImagePins;
  /** For a project: what was decided. */
  readonly decisions?: readonly ProjectDecision[];
  /** For a project with a `pylock.toml`: its place. */
  readonly lock?: string;
  /** What a project's lock says of its layers. */
  readonly layerFacts?: ReadonlyMap<Digest, WheelLayerFacts>;
  /** For a project: what it is as a Dockerfile. Throws `E_USAGE` for several platforms, `E_UNSUPPORTED`. */
  readonly plainDockerfile?: () => PlainDockerfile;
  readonly stages: readonly CompiledStage[];
  readonly locals: ReadonlyMap<string, LocalSource>;
  readonly epoch: number;
  readonly isEpochChosen: boolean;
}

/** Builds. Throws what compiling, steps and exporters throw; nothing half-made is visible afterwards. */
export async function runBuild(place: BuildPlace, request: BuildRequest): Promise<BuildResult> {
  const lease = place.store.lease();
  try {
    const prepared = await prepareBuild(place, lease, request);
    prepared.pins?.save();
    tellDecisions(request, prepared);
    const { remote } = place;
    const lock = request.lockFacts ? requireLock(prepared.lock) : undefined;
    const signal = request.signal ?? new AbortController().signal;
    const agents = await openAgents(request.ssh, { cwd: request.cwd, env: place.env, scratch: lease.folder });
    try {
      const resources: SolveResources = {
        store: place.store,
        lease,
        runRoot: place.runRoot,
        locals: prepared.locals,
        secrets: openSecrets(request.secrets, { cwd: request.cwd, env: place.env }),
        agents: agents.sockets,
        allow: new Set(request.allow),
        epoch: prepared.epoch,
        isEpochChosen: prepared.isEpochChosen,
        jobs: request.jobs ?? Math.max(4, availableParallelism()),
        python: pythonResources(place, request, prepared),
        runtime: runtimeOnce(place, request),
        ...(place.devices === undefined ? {} : { devices: place.devices }),
        signal,
        ...(remote === undefined ? {} : { remote }),
        ...importedBy(place),
        ...(request.listener ? { listener: request.listener } : {}),
      };
      const isKept = remote === undefined && !isCacheOnly(request);
      const results = await withSource(prepared, () => solveStages(prepared, resources, { ...place, isKept }));
      const outcomes = prepared.stages.map((stage, index) => ({
        stage,
        layers: results[index]?.layers ?? [],
        absent: results[index]?.absent ?? new Map<DiffId, AbsentLayer>(),
        split: results[index]?.split ?? new Map<VertexId, number>(),
      }));
      for (const { layers, absent } of outcomes) place.steps?.addImage(layers, absent);
      const result = await exportResult({ ...place, request, outcomes, epoch: prepared.epoch });
      const facts = await factsOf(place, request, prepared, { outcomes, images: result.images });
      if (lock !== undefined) await writeLockFacts(place, { lease, graph: prepared.graph, lock, signal });
      if (!prepared.decisions) return { ...result, ...facts };
      const { leftOutOfLayers } = await import("./project-slim.ts");
      const leftOut = leftOutOfLayers(
        place.store,
        outcomes.flatMap(({ layers }) => layers),
      );
      return { ...result, ...facts, decisions: prepared.decisions, ...(leftOut.length > 0 ? { leftOut } : {}) };
    } finally {
      await agents.close();
    }
  } finally {
    lease.release();
  }
}

function importedBy({ imported, steps }: BuildPlace): Pick<SolveResources, "imported" | "onResult"> {
  return {
    ...(imported === undefined ? {} : { imported }),
    ...(steps === undefined ? {} : { onResult: (result) => steps.add(result) }),
  };
}

/**
 * Solves, and brings what the image needs and others have: for a build whose image is not kept what nobody has. A cache
 * that does not keep its word is not asked the same again.
 */
async function solveStages(
  { graph, stages }: PreparedBuild,
  resources: SolveResources,
  { steps, isKept }: Pick<BuildPlace, "steps"> & { readonly isKept: boolean },
): Promise<readonly RootfsResult[]> {
  for (;;) {
    try {
      steps?.clear();
      const results = await new Solver(graph, resources).solve(stages.map((stage) => stage.vertex));
      const absent = results.flatMap((result) => [...result.absent.values()]);
      const lacked = absent.filter(({ diffId }) => !resources.store.layers.facts(diffId));
      const isLeft = ({ blob }: AbsentLayer): boolean => !isKept && blob !== undefined;
      await Promise.all(lacked.map((layer) => (isLeft(layer) ? layer.confirm?.() : layer.bring())));
      return results;
    } catch (error) {
      if (!(error instanceof ForgottenStep)) throw error;
    }
  }
}

/** What each image was made from, when its provenance is asked for. */
async function factsOf(
  place: BuildPlace,
  request: BuildRequest,
  prepared: PreparedBuild,
  { outcomes, images }: { readonly outcomes: readonly BuiltStage[]; readonly images: BuildResult["images"] },
): Promise<Pick<BuildResult, "facts">> {
  if (request.attestations?.provenance === undefined) return {};
  const { buildFacts } = await import("./facts.ts");
  const facts = new Map<Digest, BuildFacts>();
  for (const [index, outcome] of outcomes.entries()) {
    const id = images[index]?.id;
    if (id !== undefined) facts.set(id, await buildFacts(place, request, prepared, outcome));
  }
  return { facts };
}

/** The decisions as the first step of the progress. */
function tellDecisions({ listener }: BuildRequest, { project, decisions = [] }: PreparedBuild): void {
  if (!listener || project === undefined) return;
  const id = digestOf(`project ${project}`);
  const at = Date.now();
  listener({ kind: "vertex", id, label: `project ${project}`, inputs: [], at });
  listener({ kind: "started", id, at });
  const lines = decisions.map((decision) => `${`${decision.name}:`.padEnd(14)}${decision.text}\n`).join("");
  listener({ kind: "log", id, stream: 1, data: Buffer.from(lines), at });
  listener({ kind: "completed", id, at });
}

/** Adds the Dockerfile to the error of a failed step, so that its lines can be shown. */
async function withSource<T>(prepared: PreparedBuild, solve: () => Promise<T>): Promise<T> {
  try {
    return await solve();
  } catch (error) {
    if (!isTareError(error)) throw error;
    if (typeof error.details["line"] !== "number" || "text" in error.details) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new TareError(error.code, error.message, {
      ...hint,
      cause: error.cause,
      exitCode: error.exitCode,
      details: { ...error.details, source: prepared.text },
    });
  }
}

/** A later RUN of a Dockerfile may bring a compiler, so nothing is proven there. Throws `E_UNSUPPORTED`. */
function refuseSlim({ python }: BuildRequest): void {
  if ((python?.slim ?? []).length === 0) return;
  throw new TareError("E_UNSUPPORTED", "building with --slim: it is for projects without a Dockerfile", {
    hint: "leave out `--slim`, or remove files in the RUN step that installs them",
  });
}

/** Opens the context and compiles, without running anything. */
export async function prepareBuild(outer: BuildPlace, lease: Lease, request: BuildRequest): Promise<PreparedBuild> {
  const signal = request.signal ?? new AbortController().signal;
  if (request.file !== undefined) (await import("./project-request.ts")).refuseProjectFile(request.file);
  const context = await openContext({
    cwd: request.cwd,
    context: request.context,
    scratch: lease.folder,
    signal,
    ...(request.file === undefined ? {} : { file: request.file }),
    ...(request.stdin ? { stdin: request.stdin } : {}),
  });
  const pins = openPins(request, context.source.root);
  const pinned = pins === undefined ? {} : { pins };
  const place = { ...outer, ...pinned };
  if (!context.dockerfile) {
    const { prepareProject } = await import("./prepare-project.ts");
    return { ...(await prepareProject(place, lease, request, { root: context.source.root, signal })), ...pinned };
  }
  refuseSlim(request);
  const dockerfile = parseDockerfile(context.dockerfile.text, { fileName: context.dockerfile.name });
  warn(dockerfile, request);
  const locals = new Map<string, LocalSource>([[MAIN_CONTEXT, context.source]]);
  const graph = new GraphBuilder();
  const chosen = chosenEpoch(dockerfile, request);
  const host = hostPlatform(process.arch);
  const platforms = platformsOf(request);
  const stages: CompiledStage[] = [];
  for (const platform of platforms) {
    const contexts = await openNamedContexts(request.buildContexts, {
      store: place.store,
      cwd: request.cwd,
      scratch: lease.folder,
      signal,
      locals,
      platform,
      resolve: (reference) => resolverOf(place, request, new Map()).image(reference, platform),
    });
    const resolver = resolverOf(place, request, contexts);
    const options = compileOptions(request, {
      platform,
      host,
      count: platforms.length,
      epoch: chosen ?? DEFAULT_EPOCH,
    });
    stages.push(await compile({ dockerfile, options, resolver, graph }));
  }
  checkPlatforms(graph.build());
  return {
    graph: graph.build(),
    dockerfile,
    text: context.dockerfile.text,
    stages,
    locals,
    ...pinned,
    epoch: chosen ?? DEFAULT_EPOCH,
    isEpochChosen: chosen !== undefined,
  };
}

function pythonResources(
  place: BuildPlace,
  request: BuildRequest,
  { layerFacts }: Pick<PreparedBuild, "layerFacts">,
): PythonResources {
  const { layers, bytecode = "imported" } = request.python ?? {};
  const budget = layers === undefined ? {} : { layers };
  // Facts that are about to be written are of what is made here.
  const facts = layerFacts === undefined || request.lockFacts ? {} : { layerFacts };
  return { wheels: place.wheels, accelerate: request.accelerate ?? true, bytecode, ...budget, ...facts };
}

function runtimeOnce(place: BuildPlace, request: BuildRequest): () => ReturnType<typeof findRuntime> {
  let found: ReturnType<typeof findRuntime> | undefined;
  const name = request.runtime === undefined ? {} : { name: request.runtime };
  return () => (found ??= findRuntime({ runRoot: place.runRoot, ...name }));
}

function warn(dockerfile: Dockerfile, request: BuildRequest): void {
  const at = Date.now();
  const file = dockerfile.fileName;
  for (const { rule, detail, line } of dockerfile.warnings)
    request.listener?.({ kind: "warning", rule, message: detail, file, line, at });
  if (dockerfile.syntax === undefined || /^(docker\.io\/)?docker\/dockerfile([:@]|$)/.test(dockerfile.syntax)) return;
  const message = `front end image \`${dockerfile.syntax}\` is not run; the built-in parser reads the file`;
  request.listener?.({ kind: "warning", rule: "ForeignSyntax", message, file, line: 1, at });
}

/** `SOURCE_DATE_EPOCH`: the build argument wins over the environment; empty means not set. */
function chosenEpoch(dockerfile: Dockerfile, request: BuildRequest): number | undefined {
  const fallback = dockerfile.metaArgs
    .flatMap((line) => line.definitions)
    .find(({ key }) => key === "SOURCE_DATE_EPOCH")?.value;
  return epochOf(request, fallback);
}

function compileOptions(
  request: BuildRequest,
  facts: { readonly platform: Platform; readonly host: Platform; readonly count: number; readonly epoch: number },
): CompileOptions {
  return {
    buildArgs: request.buildArgs,
    labels: request.labels,
    platform: facts.platform,
    buildPlatform: facts.host,
    isPlatformExplicit: request.platforms.length > 0,
    isMultiPlatform: facts.count > 1,
    noCache: request.noCache,
    noCacheFilter: request.noCacheFilter,
    network: request.network ?? "default",
    extraHosts: request.addHosts,
    ulimits: request.ulimits,
    epoch: facts.epoch,
    ...(request.target === undefined ? {} : { target: request.target }),
    ...(request.shmSize === undefined ? {} : { shmSize: request.shmSize }),
    ...(request.cgroupParent === undefined ? {} : { cgroupParent: request.cgroupParent }),
  };
}
