// SPDX-License-Identifier: Apache-2.0
/* What a request says for Dockerfiles and projects alike. */
import { TareError } from "../base/index.ts";
import { hostPlatform, parsePlatform } from "../oci/index.ts";
import type { Graph } from "../graph/index.ts";
import type { Platform } from "../oci/index.ts";
import type { BuildRequest } from "./request.ts";

/** The platforms to build for. */
export function platformsOf({ platforms }: BuildRequest): readonly Platform[] {
  const host = hostPlatform(process.arch);
  return platforms.length > 0 ? platforms.map((text) => parsePlatform(text, host)) : [host];
}

/** RUN works for this machine's platform only; say so before anything is built. */
export function checkPlatforms(graph: Graph): void {
  const host = hostPlatform(process.arch);
  const own = `${host.os}/${host.architecture}`;
  for (const vertex of graph.vertices.values()) {
    if (vertex.op.type !== "run" || vertex.platform === undefined || vertex.platform === own) continue;
    throw new TareError("E_PLATFORM", `building \`${vertex.label}\`: RUN for ${vertex.platform} cannot run on ${own}`, {
      hint: "build on such a machine, or keep RUN in stages with `FROM --platform=$BUILDPLATFORM`",
      details: { ...vertex.source },
    });
  }
}

/** `SOURCE_DATE_EPOCH` as a number; undefined when nothing sets it. Throws `E_USAGE`. */
export function epochOf(request: BuildRequest, fallback: string | undefined): number | undefined {
  const attribute = request.outputs.find((output) => "source-date-epoch" in output.attributes)?.attributes[
    "source-date-epoch"
  ];
  const text = attribute ?? request.buildArgs["SOURCE_DATE_EPOCH"] ?? fallback;
  if (text === undefined) return request.sourceDateEpoch;
  if (text === "" || text === "context") return undefined;
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new TareError("E_USAGE", `invalid SOURCE_DATE_EPOCH: ${text}`, {
    hint: "seconds since 1970 as a whole number",
  });
}
