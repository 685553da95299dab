// SPDX-License-Identifier: Apache-2.0
/*
 * Cases of buildah's conformance suite with the results that four engines gave: what a build changes against its base,
 * and the image config. A case scores 1 when it is equal to BuildKit master, 0.9 when it is equal to another engine.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TreeView } from "../../src/store/index.ts";
import { fillBusybox, whyNoBusybox } from "../support/bases.ts";
import { addImage, attempt, buildRequest, builtImage, openBuildWorld } from "../support/builds.ts";
import type { BuildWorld } from "../support/builds.ts";
import { compareConfigs } from "../support/config.ts";
import { compareFacts, deltaOf, readTree } from "../support/tree.ts";
import type { TreeDelta, TreeFact, TreeFacts } from "../support/tree.ts";
import { conformanceFolder } from "./table-data.ts";

interface EngineResult {
  readonly ok: boolean;
  readonly sameAs?: string;
  readonly base?: string;
  readonly changed?: Readonly<Record<string, TreeFact>>;
  readonly removed?: readonly string[];
  readonly config?: unknown;
}

interface Golden {
  readonly case: string;
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>> | null;
  readonly engines: Readonly<Record<string, EngineResult>>;
  readonly verdict: string;
}

const data = conformanceFolder();
const golden = join(data, "buildah-golden.jsonl.gz");
const reason = fs.existsSync(golden) ? whyNoBusybox() : `${golden} is absent`;
if (reason !== undefined) console.log(`skipped: buildah cases: ${reason}`);

/** Bases by the names in the cases; which distribution they are does not matter to any case. */
const BASES = {
  busybox: { names: ["mirror.gcr.io/busybox:latest", "docker.io/library/busybox:latest"], command: ["sh"] },
  alpine: { names: ["mirror.gcr.io/alpine:latest"], command: ["/bin/sh"] },
  debian: { names: ["quay.io/libpod/centos:7"], command: ["bash"] },
} as const;

const BASE_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Files whose bytes come from the base or from the machine that made the recording. */
const OWN_BYTES: Readonly<Record<string, readonly string[]>> = {
  "041-stage-container-as-source-plus-hardlinks": ["subdir/passwd", "subdir/passwd2"],
};

/** Cases in which another result than BuildKit master's is meant, with the reason. */
const MEANT: Readonly<Record<string, string>> = {
  "037-ci-pipeline-modified": "the recording has the proxy settings of its machine in the environment",
};

let world: BuildWorld;
let cases: readonly Golden[] = [];
const basis = new Map<string, TreeFacts>([["scratch", new Map()]]);

async function prepare(): Promise<void> {
  world = openBuildWorld("buildah");
  fs.mkdirSync(join(world.folder, "cases"));
  const archive = join(data, "buildah-conformance.tar.gz");
  execFileSync("tar", ["xzf", archive, "--xattrs", "--xattrs-include=*", "-C", join(world.folder, "cases")]);
  cases = gunzipSync(fs.readFileSync(golden))
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Golden);
  for (const [name, { names, command }] of Object.entries(BASES)) {
    await addImage(world.store, names, fillBusybox, { Cmd: command, Env: [BASE_PATH] });
    const record = world.store.images.find(names[0]);
    const { layers } = builtImage(world, { target: record?.target } as never);
    basis.set(name, readTree(new TreeView(layers)));
  }
}

interface Outcome {
  readonly ok: boolean;
  readonly error?: string;
  readonly facts?: TreeFacts;
  readonly config?: unknown;
}

async function build(item: Golden): Promise<Outcome> {
  const context = join(world.folder, "cases", item.case, "context");
  plain(join(context, item.dockerfile || "Dockerfile"));
  const file = ["-f", join(context, item.dockerfile || "Dockerfile")];
  const given = Object.entries(item.buildArgs ?? {}).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  const done = await attempt(world, buildRequest([...file, ...given, context]));
  if (!done.ok) return done;
  const { layers, config } = builtImage(world, done.result);
  return { ok: true, facts: readTree(new TreeView(layers)), config: config.config };
}

/** As for the recording: no front end image, and a base by digest is the one of that name. */
function plain(file: string): void {
  if (!fs.existsSync(file)) return;
  const text = fs.readFileSync(file, "utf8");
  const changed = text.replace(/^# syntax=.*/, "#").replace(/busybox@sha256:[0-9a-f]{64}/g, "busybox");
  if (changed !== text) fs.writeFileSync(file, changed);
}

/** What differs between our result and an engine's; empty when they are equal. */
function differences(item: Golden, engine: EngineResult, ours: Outcome): readonly string[] {
  if (engine.ok !== ours.ok) return [`ok: ${String(engine.ok)} != ${String(ours.ok)} ${ours.error ?? ""}`];
  if (!engine.ok) return [];
  const base = basis.get(engine.base ?? "");
  if (!base || !ours.facts) throw new Error(`base ${engine.base ?? ""}`);
  const delta = deltaOf(base, ours.facts);
  const wanted = Object.entries(engine.changed ?? {}).map(([path, fact]) => [path, plainFact(fact)] as const);
  const lines = compareFacts(own(item, new Map(wanted)), own(item, delta.changed), isPlaceholder);
  return [...lines, ...removedLines(engine, delta), ...compareConfigs(engine.config, ours.config)];
}

function plainFact(fact: TreeFact & { readonly mtime?: number }): TreeFact {
  const { mtime: _mtime, ...rest } = fact;
  return rest;
}

function own(item: Golden, facts: TreeFacts): TreeFacts {
  const names = OWN_BYTES[item.case] ?? [];
  const blank = (fact: TreeFact): TreeFact => ({ ...fact, size: 0, sha256: "" });
  return new Map([...facts].map(([path, fact]) => [path, names.includes(path) ? blank(fact) : fact]));
}

/** Mount points that some engines leave in a layer. */
function isPlaceholder(path: string): boolean {
  return ["dev", "proc", "sys", "etc"].includes(path);
}

function removedLines(engine: EngineResult, delta: TreeDelta): readonly string[] {
  const [left, right] = [JSON.stringify(engine.removed ?? []), JSON.stringify(delta.removed)];
  return left === right ? [] : [`removed: ${left} != ${right}`];
}

interface Scored {
  readonly item: Golden;
  readonly score: number;
  readonly against: readonly string[];
}

async function score(item: Golden): Promise<Scored> {
  const ours = await build(item);
  const { bkmaster, ...others } = item.engines;
  const against = bkmaster ? differences(item, bkmaster, ours) : ["no recording"];
  if (against.length === 0) return { item, score: 1, against };
  const isLikeAnother = Object.values(others).some((engine) => {
    if (engine.sameAs === "bkmaster") return false;
    const shown = engine.sameAs === undefined ? engine : item.engines[engine.sameAs];
    return shown !== undefined && (shown.changed || !shown.ok) && differences(item, shown, ours).length === 0;
  });
  return { item, score: isLikeAnother ? 0.9 : 0, against };
}

describe.skipIf(reason !== undefined)("buildah's cases", () => {
  const scored: Scored[] = [];
  beforeAll(async () => {
    await prepare();
    for (const item of cases) {
      if (process.env["TARE_CASE"] && !item.case.startsWith(process.env["TARE_CASE"])) continue;
      scored.push(await score(item));
    }
    for (const { item, score: points, against } of scored.filter((one) => one.score < 1)) {
      console.log(`${item.case} (${item.verdict}): ${points}\n  ${against.slice(0, 8).join("\n  ")}`);
    }
    const sum = scored.reduce((all, one) => all + one.score, 0);
    console.log(
      `buildah cases: ${sum.toFixed(1)} of ${scored.length}; equal: ${scored.filter((one) => one.score === 1).length}`,
    );
  });
  afterAll(() => world.close());

  it("are all equal where the engines agree", () => {
    const agreed = scored.filter(({ item }) => item.verdict === "agree");
    expect(agreed.filter((one) => one.score < 1).map(({ item }) => item.case)).toEqual([]);
  });

  it("are equal to BuildKit master in 95 of 100 of the rest", () => {
    const rest = scored.filter(({ item }) => item.verdict !== "agree" && !(item.case in MEANT));
    expect(rest.filter((one) => one.score === 1).length).toBeGreaterThanOrEqual(Math.ceil(rest.length * 0.95));
  });
});
