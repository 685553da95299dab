// SPDX-License-Identifier: Apache-2.0
/*
 * Commands of a project's build in throw-away containers of its base: what builds wheels, and what asks sources for
 * their metadata. They see the folders that they are given, the index by its settings, and nothing else of this host.
 */
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { TareError, isTareError } from "../base/index.ts";
import { GraphBuilder } from "../graph/index.ts";
import { ensureUv } from "../python/index.ts";
import { findRuntime } from "../runtime/index.ts";
import { Solver } from "../solver/index.ts";
import { indexSettings } from "./index-settings.ts";
import type { DiffId } from "../base/index.ts";
import type { CopyOp, RunMount, RunOp, VertexId } from "../graph/index.ts";
import type { Platform } from "../oci/index.ts";
import type { PythonTarget } from "../python/index.ts";
import type { BuildListener, LocalSource } from "../solver/index.ts";
import type { Lease } from "../store/index.ts";
import type { BuildPlace } from "./run-build.ts";
import type { ResolvedImage } from "./types.ts";

/** Where containers are made. */
export interface IsolatedPlace {
  readonly place: BuildPlace;
  readonly lease: Lease;
  readonly base: ResolvedImage;
  readonly target: PythonTarget;
  readonly platform: Platform;
  /** Debian packages that commands may use, and that are in no image. */
  readonly packages: readonly string[];
  /** Indexes of the project besides those of the user's settings; may hold credentials. */
  readonly indexUrls: readonly string[];
  readonly network: RunOp["network"];
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly listener?: BuildListener;
}

/** One command. Its changes below `OUT` are its result. */
export interface IsolatedCommand {
  readonly label: string;
  readonly args: readonly string[];
  readonly env?: readonly string[];
  /** Folders of this host by where their copies are seen; what is written there is thrown away. */
  readonly folders: Readonly<Record<string, LocalSource>>;
}

/** Where a command leaves its result. */
export const OUT = "/run-tare";
/** Where uv's program is for a command. */
export const UV = "/run/tare-uv/uv";

const COPY: Omit<CopyOp, "sources" | "destination"> = { type: "copy", parents: false, link: false, command: "COPY" };

/** Where a command sees the one folder of sources that it is about. */
export const SOURCE = "/run/tare-source";
const LABELS: Readonly<Record<string, string>> = { [dirname(UV)]: "uv", [SOURCE]: "sources" };

/** Why nothing can be run in containers here; undefined when it can. */
export function whyNotIsolated(): string | undefined {
  if (process.platform !== "linux") return "containers need Linux";
  return process.getuid?.() === 0 ? undefined : "containers of builds need root";
}

/**
 * Runs a command for what it leaves in `OUT`: the path of that folder on this host, or undefined when it left nothing.
 * Throws `E_RUN_FAILED` with the output in its details.
 */
export async function runIsolated(place: IsolatedPlace, command: IsolatedCommand): Promise<string | undefined> {
  const uv = await uvFor(place);
  const settings = indexSettings(place.place.env, place.indexUrls);
  const folders = { ...command.folders, ...settings.folders, [dirname(UV)]: { root: dirname(uv) } };
  const graph = new GraphBuilder();
  const locals = new Map<string, LocalSource>();
  const mounts = Object.entries(folders).map(([target, source], index): Mounted => {
    locals.set(target, source);
    return {
      vertex: addFolder(graph, target),
      mount: { ...BIND, target, from: index + 1, writable: target !== dirname(UV) },
    };
  });
  const vertex = addCommand(graph, place, { command, mounts, settings: settings.mounts, env: settings.env });
  const output: Buffer[] = [];
  const solver = new Solver(graph.build(), {
    store: place.place.store,
    lease: place.lease,
    runRoot: place.place.runRoot,
    locals,
    secrets: settings.secrets,
    agents: new Map(),
    allow: new Set(["network.host"]),
    epoch: place.epoch,
    isEpochChosen: false,
    jobs: 2,
    python: { wheels: place.place.wheels, accelerate: false, bytecode: "none" },
    runtime: () => findRuntime({ runRoot: place.place.runRoot }),
    signal: place.signal,
    ...(place.place.remote === undefined ? {} : { remote: place.place.remote }),
    listener: (event) => {
      if (event.kind === "log" && event.id === vertex) output.push(Buffer.from(event.data));
      place.listener?.(event);
    },
  });
  const layers = await withOutput(() => solver.solve([vertex]), output);
  return resultOf(place, layers[0]?.layers.at(-1));
}

/** The layer that a folder's files make: its identity is that of their names, modes and bytes. */
export async function contentOf(place: IsolatedPlace, source: LocalSource): Promise<DiffId | undefined> {
  const graph = new GraphBuilder();
  const vertex = addFolder(graph, "sources");
  const solver = new Solver(graph.build(), {
    store: place.place.store,
    lease: place.lease,
    runRoot: place.place.runRoot,
    locals: new Map([["sources", source]]),
    secrets: new Map(),
    agents: new Map(),
    allow: new Set(),
    epoch: place.epoch,
    isEpochChosen: false,
    jobs: 1,
    python: { wheels: place.place.wheels, accelerate: false, bytecode: "none" },
    runtime: () => findRuntime({ runRoot: place.place.runRoot }),
    signal: place.signal,
  });
  const [result] = await solver.solve([vertex]);
  return result?.layers.at(-1);
}

interface Mounted {
  readonly vertex: VertexId;
  readonly mount: RunMount;
}

/** Backends write beside their sources; what they write is thrown away. */
const BIND = { type: "bind", source: "/" } as const;
const CACHE: RunMount = {
  type: "cache",
  target: "/run/tare-uv-cache",
  id: "tare-uv-build",
  sharing: "shared",
  source: "/",
  readonly: false,
  mode: 0o755,
  uid: 0,
  gid: 0,
};

/** uv for the C library of the base: the one for musl is linked statically. */
async function uvFor({ place, target, signal }: IsolatedPlace): Promise<string> {
  const own = target.libc.kind === "musl" && process.arch === "x64" ? ["linux-x64-musl"] : [];
  return ensureUv({ store: place.store, wheels: place.wheels, env: place.env, signal }, ...own);
}

function addFolder(graph: GraphBuilder, name: string): VertexId {
  const local = graph.add({ type: "local", name }, [], { label: name });
  const empty = graph.add({ type: "scratch" }, [], { label: "scratch" });
  const op: CopyOp = { ...COPY, sources: [{ from: 1, paths: ["."] }], destination: "/" };
  return graph.add(op, [empty, local], { label: LABELS[name] ?? `files of ${basename(name)}` });
}

function addCommand(
  graph: GraphBuilder,
  place: IsolatedPlace,
  parts: {
    readonly command: IsolatedCommand;
    readonly mounts: readonly Mounted[];
    readonly settings: readonly RunMount[];
    readonly env: readonly string[];
  },
): VertexId {
  const { command, mounts } = parts;
  const platform = `${place.platform.os}/${place.platform.architecture}`;
  const op: RunOp = {
    ...runOp(place, command.args),
    env: [...baseEnvironment(place), ...UV_ENVIRONMENT, ...parts.env, ...(command.env ?? [])],
    mounts: [...mounts.map(({ mount }) => mount), CACHE, ...parts.settings],
  };
  const inputs = [addBase(graph, place), ...mounts.map(({ vertex }) => vertex)];
  return graph.add(op, inputs, { label: command.label, platform, ignoreCache: true });
}

const UV_ENVIRONMENT: readonly string[] = [
  "UV_CACHE_DIR=/run/tare-uv-cache",
  "UV_PYTHON_DOWNLOADS=never",
  "UV_NO_PROGRESS=1",
  "UV_LINK_MODE=copy",
  "PYTHONHASHSEED=0",
  "SOURCE_DATE_EPOCH=315532800",
];

function baseEnvironment({ base }: IsolatedPlace): readonly string[] {
  return base.config.config?.Env ?? [];
}

function runOp(place: IsolatedPlace, args: readonly string[]): RunOp {
  const env = baseEnvironment(place);
  const { network } = place;
  return { type: "run", args, env, cwd: "/", user: "0", mounts: [], network, security: "sandbox", devices: [] };
}

/** The base, with the packages that commands may use. */
function addBase(graph: GraphBuilder, place: IsolatedPlace): VertexId {
  const { base, packages } = place;
  const layers = base.config.rootfs.diff_ids;
  const image = { type: "image", reference: base.name, manifest: base.manifest, layers } as const;
  const vertex = graph.add(image, [], { label: `base ${base.name}` });
  if (packages.length === 0) return vertex;
  const script = aptScript(packages);
  return graph.add(runOp(place, ["/bin/sh", "-c", script]), [vertex], {
    label: `to build with: ${packages.join(" ")}`,
  });
}

/** Installs Debian packages and leaves no lists behind. */
export function aptScript(packages: readonly string[]): string {
  const install = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  return `apt-get update && DEBIAN_FRONTEND=noninteractive ${install} && rm -rf /var/lib/apt/lists/*`;
}

const LONGEST_OUTPUT = 1 << 20;

async function withOutput<T>(solve: () => Promise<T>, output: readonly Buffer[]): Promise<T> {
  try {
    return await solve();
  } catch (error) {
    if (!isTareError(error, "E_RUN_FAILED")) throw error;
    const text = Buffer.concat(output).subarray(-LONGEST_OUTPUT).toString("utf8");
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new TareError(error.code, error.message, {
      ...hint,
      cause: error,
      details: { ...error.details, output: text },
    });
  }
}

function resultOf({ place }: IsolatedPlace, layer: DiffId | undefined): string | undefined {
  const tree = layer === undefined ? undefined : place.store.layers.get(layer)?.tree;
  const folder = `${tree ?? ""}${OUT}`;
  return tree !== undefined && existsSync(folder) ? folder : undefined;
}
