// SPDX-License-Identifier: Apache-2.0
/* `build --push`: what the build may leave at the registry, and the push of its result. */
import { TareError } from "../base/index.ts";
import type { ImportedCaches, RemoteBuild } from "../build/index.ts";
import type { RemoteRepository } from "../images/index.ts";
import type { LongCall } from "./facade.ts";
import { requireImage } from "./image-lookup.ts";
import { openRegistry, remoteName } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";
import type { BuildRequest, BuildResult } from "./types.ts";

/** The names of outputs with `push`. Throws `E_OUTPUT` when there is no name to push to. */
export function namesToPush(request: BuildRequest): readonly string[] {
  const outputs = request.outputs.filter((output) => isPush(output));
  if (outputs.length === 0) return [];
  const named = outputs.flatMap(({ attributes }) => attributes["name"]?.split(",").filter(Boolean) ?? request.tags);
  const names = [...new Set(named)];
  if (names.length > 0) return names;
  throw new TareError("E_OUTPUT", "pushing what is built: it has no name", {
    hint: "give it one with `-t registry/name:tag`",
  });
}

function isPush({ type, attributes }: BuildRequest["outputs"][number]): boolean {
  const text = attributes["push"];
  return type === "image" && text !== undefined && text !== "false" && text !== "0";
}

/** What the registry has is left there when the push is all that is wanted, and earlier results count. */
export async function remoteBuildFor(
  rooms: Rooms,
  request: BuildRequest,
  names: readonly string[],
): Promise<RemoteBuild | undefined> {
  const { isUsualForm } = await import("./registry.ts");
  const isOnlyPushed = names.length > 0 && !request.load && request.outputs.every((output) => isPush(output));
  // Facts are of what was made here.
  // A bill of materials looks at all files.
  const needsFiles = request.lockFacts || request.attestations?.sbom !== undefined;
  if (!isOnlyPushed || request.noCache || needsFiles || !isUsualForm(formOf(request))) return undefined;
  const { RemoteBuild: Remote } = await import("../build/index.ts");
  const targets = await targetsOf(rooms, names);
  return new Remote({ store: rooms.writer(), targets, ...callOf(request) });
}

/** `compression=` of the output that is pushed. */
function formOf({ outputs }: BuildRequest): string | undefined {
  return outputs.find((output) => isPush(output))?.attributes["compression"];
}

/** Each repository once, those of one registry by one client. */
async function targetsOf(rooms: Rooms, names: readonly string[]): Promise<readonly RemoteRepository[]> {
  const targets: RemoteRepository[] = [];
  for (const { domain, repository } of names.map(remoteName)) {
    const same = targets.filter(({ client }) => client.domain === domain);
    if (same.some((target) => target.repository === repository)) continue;
    targets.push({ client: same[0]?.client ?? (await openRegistry(rooms.settings, domain)), repository });
  }
  return targets;
}

function callOf({ listener, signal }: BuildRequest): LongCall {
  return { ...(listener === undefined ? {} : { listener }), ...(signal === undefined ? {} : { signal }) };
}

/** Pushes what was built. The digest that others see is that of the pushed manifest, whose layers are compressed. */
export async function pushBuilt(
  rooms: Rooms,
  request: BuildRequest,
  built: {
    readonly result: BuildResult;
    readonly names: readonly string[];
    readonly remote: RemoteBuild | undefined;
    readonly imported?: ImportedCaches | undefined;
  },
): Promise<BuildResult> {
  const { isUsualForm, pushRecord } = await import("./registry.ts");
  const { shareWheels } = await import("./wheel-sharing.ts");
  const { withCaches } = await import("./build-caches.ts");
  const { result, names, remote, imported } = built;
  const call = callOf(request);
  const targets = remote?.targets ?? (await targetsOf(rooms, names));
  const form = formOf(request);
  const compression = form === undefined ? {} : { compression: form };
  const pushed = [];
  const shared = new Set<RemoteRepository>();
  for (const name of names) {
    const { domain, repository } = remoteName(name);
    const target = targets.find((each) => each.client.domain === domain && each.repository === repository);
    if (!target) throw new Error(`no target for ${name}`);
    const record = result.absent ?? requireImage(rooms.writer(), name, "pushing");
    const absent = remote === undefined ? {} : { absent: withCaches(remote.absent(target), imported) };
    const { attestations } = request;
    const documents = attestations === undefined ? {} : { attestations };
    const how = { client: target.client, platforms: [], ...compression, ...absent, ...documents, ...call };
    const done = await pushRecord(rooms, { name, record, ...how });
    pushed.push(done.tag);
    if (!isUsualForm(form) || shared.has(target)) continue;
    shared.add(target);
    const known = remote === undefined ? {} : { memo: await remote.memoOf(target), additions: remote.additions() };
    await shareWheels(rooms, target, { layers: done.image.layers, ...known, ...call });
  }
  const [first] = pushed;
  if (!first) return result;
  const { digest, mediaType, size } = first;
  const facts = { "containerimage.digest": digest, "containerimage.descriptor": { mediaType, digest, size } };
  return { ...result, metadata: { ...result.metadata, ...facts } };
}
