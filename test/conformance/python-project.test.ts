// SPDX-License-Identifier: Apache-2.0
/*
 * A project with real requirements (numpy, scikit-learn; no GPU) on a base that Tare assembles, built by Tare and by a
 * real Docker Engine: the same packages, the same score, the same config. Needs the network for the base and the wheels.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assembleBase } from "../../src/bases/index.ts";
import { messageOf } from "../../src/base/index.ts";
import { imageDetails, loadImages, saveImagesToFile } from "../../src/images/index.ts";
import { hostPlatform } from "../../src/oci/index.ts";
import { TreeView } from "../../src/store/index.ts";
import type { ImageRecord } from "../../src/store/index.ts";
import { whyNoBusybox } from "../support/bases.ts";
import { attempt, buildRequest, openBuildWorld } from "../support/builds.ts";
import type { BuildWorld } from "../support/builds.ts";
import { compareConfigs } from "../support/config.ts";
import { startDocker, whyNoDocker } from "../support/dockerd.ts";
import type { DockerPeer } from "../support/dockerd.ts";
import { compareFacts, readTree } from "../support/tree.ts";
import { fetchWheels, whyNoWheels } from "../support/wheels.ts";

const project = join(import.meta.dirname, "dockerfiles/ai");
const reason = whyNoBusybox() ?? whyNoDocker() ?? whyNoWheels();
if (reason !== undefined) console.log(`skipped: a Python project: ${reason}`);

let world: BuildWorld;
let folder = "";
let peer: DockerPeer | undefined;
let missing: string | undefined;

/** numpy, scikit-learn and what they need. */
const WHEELS = ["numpy", "scikit-learn", "scipy", "joblib", "cloudpickle", "threadpoolctl", "narwhals"];

/** Wheels for the base's Python; undefined when they came. */
async function bringWheels(target: string): Promise<string | undefined> {
  fs.mkdirSync(target, { recursive: true });
  try {
    for (const path of await fetchWheels(WHEELS)) fs.copyFileSync(path, join(target, basename(path)));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function prepare(): Promise<void> {
  world = openBuildWorld("python");
  folder = fs.mkdtempSync(join(tmpdir(), "python-"));
  const context = join(folder, "context");
  fs.cpSync(project, context, { recursive: true });
  missing = await bringWheels(join(context, "wheels"));
  if (missing === undefined) {
    const request = { recipe: "python:3.11-slim", packages: [], tags: [], force: false, env: process.env };
    await assembleBase(world.store, request).catch((error: unknown) => (missing = messageOf(error)));
  }
  if (missing !== undefined) return console.log(`skipped: a Python project: ${missing}`);
  peer = await startDocker(join(folder, "docker"));
  const items = world.store.images.list().map((record) => ({ record, names: record.names }));
  await saveImagesToFile(world.store, items, join(folder, "base.tar"), { format: "docker" });
  peer.docker(["load", "-i", join(folder, "base.tar")]);
}

function read(record: ImageRecord | undefined): Pick<ReturnType<typeof imageDetails>, "layers" | "config"> {
  if (!record) throw new Error("no image was built");
  return imageDetails(world.store, record);
}

describe.skipIf(reason !== undefined)("a Python project with real requirements", () => {
  beforeAll(prepare, 600_000);
  afterAll(async () => {
    await peer?.stop();
    world.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it("is the same by Tare and by a Docker Engine", async (test) => {
    if (!peer) return test.skip(missing);
    const context = join(folder, "context");
    const done = await attempt(world, buildRequest(["."], { cwd: context }));
    if (!done.ok) throw new Error(done.error);
    const ours = read(done.result.target && world.store.images.find(done.result.target));
    peer.docker(["build", "-q", "--network", "none", "-t", "project", "."], context);
    peer.docker(["save", "-o", join(folder, "project.tar"), "project"]);
    const [record] = await loadImages(world.store, join(folder, "project.tar"), { host: hostPlatform(process.arch) });
    const theirs = read(record);
    const facts = readTree(new TreeView(ours.layers));
    expect([...facts.keys()].filter((path) => path.startsWith("packages/")).length).toBeGreaterThan(2000);
    expect(compareFacts(readTree(new TreeView(theirs.layers)), facts)).toEqual([]);
    expect(compareConfigs(theirs.config.config, ours.config.config)).toEqual([]);
    const score = new TreeView(ours.layers).lookup("score")?.hostPath;
    expect(score && fs.readFileSync(score, "utf8")).toMatch(/^score 0\.9\d+\n$/);
  });
});
