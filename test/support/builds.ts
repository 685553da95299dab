// SPDX-License-Identifier: Apache-2.0
/* Builds in this process, from options written as on the command line. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packTree } from "../../src/archive/index.ts";
import { messageOf } from "../../src/base/index.ts";
import { runBuild } from "../../src/build/index.ts";
import type { BuildPlace, BuildRequest, BuildResult, SecretSource } from "../../src/build/index.ts";
import { imageDetails, writeImage } from "../../src/images/index.ts";
import type { ImageDetails } from "../../src/images/index.ts";
import { hostPlatform } from "../../src/oci/index.ts";
import type { ContainerConfig } from "../../src/oci/index.ts";
import {
  parseBuildContext,
  parseBuildSecret,
  parseBuildSsh,
  parseOutput,
  parseUlimit,
} from "../../src/options/index.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";

const host = hostPlatform(process.arch);

/** A store of a test. */
export interface BuildWorld {
  readonly folder: string;
  readonly store: Store;
  /** Set by tests that install Python distributions. */
  wheels?: BuildPlace["wheels"];
  /** Set by tests of build caches. */
  caches?: Pick<BuildPlace, "imported" | "steps">;
  close(): void;
}

/** Opens an empty store in a folder of its own. */
export function openBuildWorld(name: string): BuildWorld {
  const folder = fs.mkdtempSync(join(tmpdir(), `tare-${name}-`));
  const store = openStore({ root: join(folder, "store"), sync: "none" });
  const close = (): void => {
    store.close();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  return { folder, store, close };
}

/** Puts an image of one layer into the store. */
export async function addImage(
  store: Store,
  names: readonly string[],
  fill: (tree: string) => void,
  config: ContainerConfig,
): Promise<void> {
  const staging = store.layers.stage();
  fill(staging.tree);
  const packed = await packTree(staging.tree, undefined, { clamp: { after: 0, to: 981_173_106 } });
  const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs } = packed;
  const layer = staging.commit({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs });
  const created = "2001-02-03T04:05:06Z";
  const history = [{ created, created_by: "base" }];
  const document = { created, architecture: host.architecture, os: host.os, config, history };
  const image = writeImage(store, { config: document, layers: [layer.diffId] });
  store.images.put({ target: image.manifest, mediaType: image.mediaType, id: image.config }, names);
}

type Draft = { -readonly [Key in keyof BuildRequest]: BuildRequest[Key] };

const EMPTY: BuildRequest = {
  cwd: "/",
  context: "",
  tags: [],
  buildArgs: {},
  buildContexts: {},
  labels: {},
  secrets: [],
  ssh: {},
  platforms: [],
  noCache: false,
  noCacheFilter: [],
  pull: false,
  addHosts: [],
  ulimits: [],
  allow: [],
  outputs: [],
  load: false,
};

const VALUES: Readonly<Record<string, (draft: Draft, value: string) => void>> = {
  "-f": (draft, value) => (draft.file = value),
  "-t": (draft, value) => (draft.tags = [...draft.tags, value]),
  "--target": (draft, value) => (draft.target = value),
  "--build-arg": (draft, value) => (draft.buildArgs = { ...draft.buildArgs, ...pair(value) }),
  "--label": (draft, value) => (draft.labels = { ...draft.labels, ...pair(value) }),
  "--build-context": (draft, value) =>
    (draft.buildContexts = { ...draft.buildContexts, ...Object.fromEntries([parseBuildContext(value)]) }),
  "--output": (draft, value) => {
    const { type, ...rest } = parseOutput(value);
    if (type === "registry") throw new Error("registry outputs are not built here");
    draft.outputs = [...draft.outputs, { type, ...rest }];
  },
  "--platform": (draft, value) => (draft.platforms = value.split(",")),
  "--ulimit": (draft, value) => (draft.ulimits = [...draft.ulimits, parseUlimit(value)]),
  "--allow": (draft, value) => (draft.allow = [...draft.allow, value]),
  "--network": (draft, value) => (draft.network = value as "none"),
  "--add-host": (draft, value) => (draft.addHosts = [...draft.addHosts, value]),
  "--shm-size": (draft, value) => (draft.shmSize = Number(value)),
  "--no-cache-filter": (draft, value) => (draft.noCacheFilter = value.split(",")),
  "--secret": (draft, value) => (draft.secrets = [...draft.secrets, secret(value)]),
  "--ssh": (draft, value) => {
    const { id, paths } = parseBuildSsh(value);
    draft.ssh = { ...draft.ssh, [id]: paths };
  },
};

function pair(text: string): Record<string, string> {
  const at = text.indexOf("=");
  return at < 0 ? {} : { [text.slice(0, at)]: text.slice(at + 1) };
}

function secret(text: string): SecretSource {
  const { id, source } = parseBuildSecret(text);
  if (source.kind === "file") return { id, file: source.path };
  return source.kind === "env" ? { id, env: source.name } : { id };
}

/** A request from options as `docker buildx build` takes them; `-o` is written `--output`. */
export function buildRequest(args: readonly string[], more: Partial<BuildRequest> = {}): BuildRequest {
  const draft: Draft = { ...EMPTY, ...more };
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    const take = VALUES[word];
    if (take) take(draft, args[(at += 1)] ?? "");
    else if (word === "--no-cache") draft.noCache = true;
    else if (word.startsWith("-")) throw new Error(`unknown build option ${word}`);
    else if (word !== "" && word !== "build") draft.context = word;
  }
  return draft;
}

/** How a build ended. */
export type Attempt =
  | { readonly ok: true; readonly result: BuildResult; readonly log: string }
  | { readonly ok: false; readonly error: string; readonly log: string };

/** Builds and never throws. */
export async function attempt(
  world: BuildWorld,
  request: BuildRequest,
  env: Record<string, string> = {},
): Promise<Attempt> {
  let log = "";
  const listener: BuildRequest["listener"] = (event) => {
    if (event.kind === "log") log += Buffer.from(event.data).toString();
  };
  try {
    const none = (): Promise<never> => Promise.reject(new Error("no wheels in this test"));
    const wheels = world.wheels ?? none;
    const place = { store: world.store, runRoot: join(world.folder, "run"), env, wheels, ...world.caches };
    const result = await runBuild(place, { ...request, listener });
    return { ok: true, result, log };
  } catch (error) {
    return { ok: false, error: `${messageOf(error)}\n${log}`, log };
  }
}

/** The image that a build put into the store. */
export function builtImage(world: BuildWorld, result: BuildResult): ImageDetails {
  const record = result.target && world.store.images.find(result.target);
  if (!record) throw new Error("the build stored no image");
  return imageDetails(world.store, record);
}
