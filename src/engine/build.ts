// SPDX-License-Identifier: Apache-2.0
import { Once, TareError } from "../base/index.ts";
import type { CdiRegistry } from "../gpu/index.ts";
import type {
  BuildPlace,
  BuiltSteps,
  ImagePuller,
  ImportedCaches,
  RemoteBuild,
  PlainDockerfile,
  PreparedBuild,
  RemoteBase,
} from "../build/index.ts";
import { formatPlatform } from "../oci/index.ts";
import type { ImageRecord } from "../store/index.ts";
import type { BuildFinding, BuildPlan, PlanRequest } from "./facade.ts";
import { requireImageTrees } from "./deferred.ts";
import { fullName, shortName } from "./image-lookup.ts";
import { withVertex } from "./listener.ts";
import { namesToPush, pushBuilt, remoteBuildFor } from "./push-build.ts";
import type { Rooms } from "./rooms.ts";
import type { BuildRequest, BuildResult } from "./types.ts";

/** `build`. */
export async function build(rooms: Rooms, request: BuildRequest): Promise<BuildResult> {
  checkNames(request);
  await checkForms(request);
  const names = namesToPush(request);
  refuseIdleDocuments(request, names);
  await clearKilledBuilds(rooms);
  const remote = await remoteBuildFor(rooms, request, names);
  try {
    return await buildWithCaches(rooms, request, { names, remote });
  } finally {
    remote?.close();
  }
}

async function buildWithCaches(
  rooms: Rooms,
  request: BuildRequest,
  { names, remote }: { readonly names: readonly string[]; readonly remote: RemoteBuild | undefined },
): Promise<BuildResult> {
  const { cacheFrom = [], cacheTo = [] } = request;
  if (cacheFrom.length + cacheTo.length === 0) return buildAndPush(rooms, request, { names, remote });
  const { checkCaches, exportCaches, importCaches } = await import("./build-caches.ts");
  checkCaches(request, names);
  const { BuiltSteps } = await import("../build/index.ts");
  const imported = await importCaches(rooms, request);
  const steps = new BuiltSteps();
  try {
    const result = await buildAndPush(rooms, request, { names, remote, imported, steps });
    await exportCaches(rooms, request, { steps, imported, remote });
    return result;
  } finally {
    imported?.close();
  }
}

interface Building {
  readonly names: readonly string[];
  readonly remote: RemoteBuild | undefined;
  readonly imported?: ImportedCaches | undefined;
  readonly steps?: BuiltSteps;
}

async function buildAndPush(
  rooms: Rooms,
  request: BuildRequest,
  { names, remote, imported, steps }: Building,
): Promise<BuildResult> {
  const { runBuild } = await import("../build/index.ts");
  const place = {
    ...placeOf(rooms, request),
    ...(remote === undefined ? {} : { remote }),
    ...(imported === undefined ? {} : { imported }),
    ...(steps === undefined ? {} : { steps }),
  };
  const { facts, ...result } = await runBuild(place, withEpoch(rooms, request));
  if (facts) (await import("./attestations.ts")).rememberFacts(rooms, facts);
  await (await import("./gpu-built.ts")).checkBuiltImages(rooms, request, result);
  if (request.load && result.target !== undefined) await loadIntoEngine(rooms, request, result.target);
  return names.length === 0 ? result : pushBuilt(rooms, request, { result, names, remote, imported });
}

/** Documents and signatures need a place beside the image. Throws `E_USAGE`. */
function refuseIdleDocuments({ attestations }: BuildRequest, names: readonly string[]): void {
  if (names.length > 0) return;
  if (attestations?.sbom !== undefined) {
    throw new TareError("E_USAGE", "attaching a bill of materials: the image is not pushed", {
      hint: "add `--push`, or write it with `tare sbom IMAGE` after the build",
    });
  }
  if (attestations?.signing !== undefined) {
    throw new TareError("E_USAGE", "signing what is built: it is not pushed", {
      hint: "add `--push`: signatures are of images at registries",
    });
  }
}

/** Before anything is built. Throws `E_USAGE` for a compression that is unknown. */
async function checkForms({ outputs }: BuildRequest): Promise<void> {
  const forms = outputs.flatMap(({ attributes }) => attributes["compression"] ?? []);
  if (forms.length === 0) return;
  const { parseLayerForm } = await import("../images/index.ts");
  for (const form of forms) parseLayerForm(form);
}

/** Before anything is built, and before a name that can't be written again gets into the store. Throws `E_REF`. */
function checkNames(request: BuildRequest): void {
  const named = request.outputs.flatMap(({ attributes }) => attributes["name"]?.split(",") ?? []);
  for (const name of [...request.tags, ...named.filter(Boolean)]) fullName(name);
}

/** Secrets of a killed build's RUN step must not lie about any longer than needed. */
export async function clearKilledBuilds(rooms: Rooms): Promise<readonly string[]> {
  const { removeStaleRuns } = await import("../solver/index.ts");
  const { findRuntime } = await import("../runtime/index.ts");
  const { runRoot } = rooms.settings;
  const store = rooms.writer();
  store.recover();
  return removeStaleRuns(store, runRoot, () => findRuntime({ runRoot }));
}

/** `plan`, `build --plan`. */
export async function plan(rooms: Rooms, request: PlanRequest): Promise<BuildPlan> {
  const prepared = await prepare(rooms, request);
  const { describeGraph, printGraph } = await import("../graph/index.ts");
  const targets = prepared.stages.map((stage) => stage.vertex);
  const { decisions } = prepared;
  return {
    text: printGraph(prepared.graph, targets),
    vertices: describeGraph(prepared.graph, targets),
    ...(decisions === undefined ? {} : { decisions }),
    ...(request.dockerfile === true ? { dockerfile: dockerfileOf(prepared, request) } : {}),
  };
}

/** A project as a plain Dockerfile. Throws `E_USAGE` where there is one already. */
function dockerfileOf({ plainDockerfile }: PreparedBuild, { context }: PlanRequest): PlainDockerfile {
  if (plainDockerfile) return plainDockerfile();
  throw new TareError("E_USAGE", `writing the Dockerfile of \`${context}\`: the folder has one`, {
    hint: "it is the plan already; `tare plan` prints its steps",
  });
}

/** `build --check`. */
export async function check(rooms: Rooms, request: BuildRequest): Promise<readonly BuildFinding[]> {
  const { dockerfile } = await prepare(rooms, request);
  if (!dockerfile) return [];
  return dockerfile.warnings.map(({ rule, detail, line }) => ({
    rule,
    message: detail,
    file: dockerfile.fileName,
    line,
    endLine: line,
  }));
}

async function prepare(rooms: Rooms, request: BuildRequest): Promise<PreparedBuild> {
  const { prepareBuild } = await import("../build/index.ts");
  const place = placeOf(rooms, request);
  const lease = place.store.lease();
  try {
    return await prepareBuild(place, lease, withEpoch(rooms, request));
  } finally {
    lease.release();
  }
}

function placeOf(rooms: Rooms, request: BuildRequest): BuildPlace {
  const { runRoot, env } = rooms.settings;
  return {
    store: rooms.writer(),
    runRoot,
    env,
    wheels: () => rooms.wheels(),
    puller: pullerOf(rooms, request),
    devices: devicesOnce(rooms),
  };
}

function devicesOnce({ settings }: Rooms): NonNullable<BuildPlace["devices"]> {
  const once = new Once<CdiRegistry>();
  return () => once.run("", async () => (await import("./devices.ts")).cdiRegistry(settings));
}

/** Several stages from one image ask the registry once. */
function pullerOf(rooms: Rooms, { pull, listener, signal }: BuildRequest): ImagePuller {
  const once = new Once<ImageRecord>();
  const call = signal === undefined ? {} : { signal };
  const fetch = async (reference: string, platform: string, own = listener): Promise<ImageRecord> => {
    const { pullNeeded } = await import("./registry.ts");
    const heard = own === undefined ? call : { ...call, listener: own };
    return pullNeeded(rooms, reference, { ...heard, platform, isForced: pull, doing: "looking up the base image" });
  };
  const looked = new Once<Omit<RemoteBase, "pull">>();
  const look = async (reference: string, platform: string): Promise<Omit<RemoteBase, "pull">> => {
    const { peekNeeded } = await import("./registry.ts");
    return peekNeeded(rooms, reference, { ...call, platform, isForced: pull, doing: "looking up the base image" });
  };
  return {
    isForced: pull,
    peek: (reference, platform) => {
      const wanted = formatPlatform(platform);
      return looked.run(`${reference} ${wanted}`, () => look(reference, wanted));
    },
    pull: (reference, platform, own) => {
      const wanted = formatPlatform(platform);
      return once.run(`${reference} ${wanted}`, () => fetch(reference, wanted, own));
    },
  };
}

function withEpoch(rooms: Rooms, request: BuildRequest): BuildRequest {
  const { epoch } = rooms.settings;
  if (request.sourceDateEpoch !== undefined || epoch === undefined) return request;
  return { ...request, sourceDateEpoch: epoch };
}

/** `--load`. */
async function loadIntoEngine(rooms: Rooms, request: BuildRequest, target: string): Promise<void> {
  const store = rooms.writer();
  const record = store.images.find(target);
  if (!record) return;
  await requireImageTrees(rooms, record, request);
  const { loadIntoDocker } = await import("../images/index.ts");
  const names = request.tags.length > 0 ? record.names.filter((name) => isTag(request.tags, name)) : [];
  const host = rooms.settings.dockerHost;
  await withVertex(request, `load into Docker at ${host}`, (log) =>
    loadIntoDocker(store, [{ record, names }], {
      host,
      onMessage: log,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    }),
  );
}

function isTag(tags: readonly string[], name: string): boolean {
  const short = shortName(name);
  return tags.some((tag) => tag === name || tag === short || `${tag}:latest` === short || `${tag}:latest` === name);
}
