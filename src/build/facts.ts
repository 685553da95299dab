// SPDX-License-Identifier: Apache-2.0
/* What a build was made from, for its provenance. */
import { digestOf } from "../base/index.ts";
import { reachable } from "../graph/index.ts";
import { formatPlatform } from "../oci/index.ts";
import { originOf, wheelLayer } from "../python/index.ts";
import { contextDigest } from "../solver/index.ts";
import type { DiffId } from "../base/index.ts";
import type { Op } from "../graph/index.ts";
import type { BuildFacts } from "../trust/index.ts";
import { contextKey } from "./resolver.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildPlace, PreparedBuild } from "./run-build.ts";
import type { CompiledStage } from "./types.ts";

/** One platform's part of a build. */
export interface BuiltStage {
  readonly stage: CompiledStage;
  readonly layers: readonly DiffId[];
}

/** What went into a stage: steps of others that it does not use are not in it. Throws `E_IO`, `E_ABORTED`. */
export async function buildFacts(
  place: Pick<BuildPlace, "store">,
  request: BuildRequest,
  prepared: PreparedBuild,
  { stage, layers }: BuiltStage,
): Promise<BuildFacts> {
  const vertices = reachable(prepared.graph, [stage.vertex]);
  const ops = vertices.map(({ op }) => op);
  const { dockerfile, text, locals } = prepared;
  const named = ops.flatMap((op) => (op.type === "local" ? [op.name] : []));
  const digests = await Promise.all(
    [...new Set(named)].toSorted().flatMap((name) => {
      const source = locals.get(name);
      return source ? [contextDigest(place.store, source, request.signal).then((digest) => ({ name, digest }))] : [];
    }),
  );
  return {
    frontend: dockerfile ? "dockerfile" : "project",
    ...(dockerfile ? { dockerfile: { name: dockerfile.fileName, digest: digestOf(text), text } } : {}),
    ...(request.target === undefined ? {} : { target: request.target }),
    platform: formatPlatform(stage.platform),
    buildArgs: request.buildArgs,
    labels: request.labels,
    secrets: request.secrets.map(({ id }) => id),
    ssh: Object.keys(request.ssh),
    locals: digests,
    images: vertices.flatMap(({ op, platform = formatPlatform(stage.platform) }) => {
      return op.type === "image" ? [{ name: contextKey(op.reference), manifest: op.manifest, platform }] : [];
    }),
    ...fetched(ops),
    wheels: wheelsOf(place, ops, layers),
  };
}

function fetched(ops: readonly Op[]): Pick<BuildFacts, "downloads" | "repositories"> {
  const checksum = (text: string | undefined): object => (text === undefined ? {} : { checksum: text });
  return {
    downloads: ops.flatMap((op) => (op.type === "http" ? [{ url: op.url, ...checksum(op.checksum) }] : [])),
    repositories: ops.flatMap((op) => {
      if (op.type !== "git") return [];
      return [{ url: op.remote, ...(op.ref === undefined ? {} : { ref: op.ref }), ...checksum(op.checksum) }];
    }),
  };
}

/** Those of the graph's own steps, and those that `RUN pip install` was turned into. */
function wheelsOf(
  { store }: Pick<BuildPlace, "store">,
  ops: readonly Op[],
  layers: readonly DiffId[],
): BuildFacts["wheels"] {
  const planned = ops.flatMap((op) => (op.type === "wheels" ? op.wheels : []));
  const installed = layers.flatMap((layer) => wheelLayer(store, layer)?.wheels ?? []);
  const all = new Map([...planned, ...installed].map((wheel) => [wheel.digest, wheel]));
  return [...all.values()].map(({ name, version, fileName, digest }) => {
    const url = originOf(store, digest);
    return { name, version, fileName, digest, ...(url === undefined ? {} : { url }) };
  });
}
