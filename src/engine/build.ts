// SPDX-License-Identifier: Apache-2.0
import { Once, TareError } from "../base/index.ts";
import type { BuildPlace, ImagePuller, PlainDockerfile, PreparedBuild } from "../build/index.ts";
import { formatPlatform } from "../oci/index.ts";
import type { ImageRecord } from "../store/index.ts";
import type { BuildFinding, BuildPlan, PlanRequest } from "./facade.ts";
import { fullName, shortName } from "./image-lookup.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";
import type { BuildRequest, BuildResult } from "./types.ts";

/** `build`. */
export async function build(rooms: Rooms, request: BuildRequest): Promise<BuildResult> {
  checkNames(request);
  await checkForms(request);
  const pushed = namesToPush(request);
  const { runBuild } = await import("../build/index.ts");
  await clearKilledBuilds(rooms);
  const result = await runBuild(placeOf(rooms, request), withEpoch(rooms, request));
  if (request.load && result.target !== undefined) await loadIntoEngine(rooms, request, result.target);
  return pushed.length > 0 ? await pushResult(rooms, request, { result, names: pushed }) : result;
}

/** Before anything is built. Throws `E_USAGE` for a compression that is unknown. */
async function checkForms({ outputs }: BuildRequest): Promise<void> {
  const forms = outputs.flatMap(({ attributes }) => attributes["compression"] ?? []);
  if (forms.length === 0) return;
  const { parseLayerForm } = await import("../images/index.ts");
  for (const form of forms) parseLayerForm(form);
}

/** The names of outputs with `push`. Throws `E_OUTPUT` when there is no name to push to. */
function namesToPush(request: BuildRequest): readonly string[] {
  const outputs = request.outputs.filter(({ type, attributes }) => type === "image" && isOn(attributes["push"]));
  if (outputs.length === 0) return [];
  const named = outputs.flatMap(({ attributes }) => attributes["name"]?.split(",").filter(Boolean) ?? request.tags);
  const names = [...new Set(named)];
  if (names.length > 0) return names;
  throw new TareError("E_OUTPUT", "pushing what is built: it has no name", {
    hint: "give it one with `-t registry/name:tag`",
  });
}

function isOn(text: string | undefined): boolean {
  return text !== undefined && text !== "false" && text !== "0";
}

/** The digest that others see is that of the pushed manifest, whose layers are compressed. */
async function pushResult(
  rooms: Rooms,
  request: BuildRequest,
  { result, names }: { readonly result: BuildResult; readonly names: readonly string[] },
): Promise<BuildResult> {
  const { push } = await import("./registry.ts");
  const call = {
    ...(request.listener === undefined ? {} : { listener: request.listener }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  };
  const pushed = [];
  const form = request.outputs.find(({ attributes }) => isOn(attributes["push"]))?.attributes["compression"];
  const compression = form === undefined ? {} : { compression: form };
  for (const name of names) {
    pushed.push(...(await push(rooms, { name, all: false, platforms: [], ...compression, ...call })));
  }
  const [first] = pushed;
  if (!first) return result;
  const { digest, mediaType, size } = first;
  const facts = { "containerimage.digest": digest, "containerimage.descriptor": { mediaType, digest, size } };
  return { ...result, metadata: { ...result.metadata, ...facts } };
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
  return { store: rooms.writer(), runRoot, env, wheels: () => rooms.wheels(), puller: pullerOf(rooms, request) };
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
  return {
    isForced: pull,
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
