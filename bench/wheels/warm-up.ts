// SPDX-License-Identifier: Apache-2.0
/** Fills what counts as warm: cache mounts of engines that have them, and the page cache. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { timed } from "../measure.ts";
import type { Contender } from "./contenders.ts";
import type { Materials } from "./projects.ts";
import type { WheelFacts } from "./wheels.ts";

const FETCH: Readonly<Record<string, string>> = {
  "buildkit-cache":
    "--mount=type=cache,target=/root/.cache/pip for f in *.txt; do pip download -q --no-deps -d /w -r $f && rm -rf /w; done",
  "buildkit-uv":
    "--mount=type=cache,target=/root/.cache/uv for f in *.txt; do UV_LINK_MODE=copy UV_DEFAULT_INDEX=$PIP_INDEX_URL uv pip install -q --no-deps --target /w -r $f && rm -rf /w; done",
};

/** Builds once in a way that downloads every wheel into the contender's cache mount. */
export function warmCacheMount({ base, set }: Materials, contender: Contender, image: string, folder: string): void {
  const fetch = FETCH[contender.id];
  if (fetch === undefined) return;
  mkdirSync(folder, { recursive: true });
  const text = (pins: typeof set.pins): string => pins.map(({ name, version }) => `${name}==${version}\n`).join("");
  writeFileSync(join(folder, "all.txt"), text(set.pins));
  writeFileSync(join(folder, "changed.txt"), text([set.changed]));
  const lines = [`FROM ${base}`, "ARG PIP_INDEX_URL", "WORKDIR /r", "COPY *.txt ./", `RUN ${fetch}`];
  writeFileSync(join(folder, "Dockerfile"), `${lines.join("\n")}\n`);
  timed(contender.build(folder, image));
  rmSync(folder, { recursive: true, force: true });
}

/** Reads all wheels. */
export function warmPages(folder: string, facts: readonly WheelFacts[]): void {
  for (const { fileName } of facts) readFileSync(join(folder, fileName));
}
