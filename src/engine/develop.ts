// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { DEFAULT_NETWORK, plannedProcess, usesHostNetwork } from "../containers/index.ts";
import type { ContainerImage, ContainerMount } from "../containers/index.ts";
import { DEBUGPY_TARGET, debuggedStart, launchEntry } from "../develop/index.ts";
import type { PlannedStart, SourceMapping } from "../develop/index.ts";
import { hostPlatform } from "../oci/index.ts";
import { TreeView } from "../store/index.ts";
import type { UvPlace } from "../python/index.ts";
import { imageFor } from "./containers.ts";
import type { CreateRequest } from "./facade-containers.ts";
import { watch } from "./watch.ts";
import { debugShell } from "./debug-shell.ts";
import type { DebugOptions, DebugPlan, DevelopApi } from "./facade-develop.ts";
import { freePort } from "./free-port.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

const LOOPBACK = "127.0.0.1";
const DEBUG_PORT = 5678;

/** Containers under development. */
export function developApi(rooms: Rooms): DevelopApi {
  return {
    debug: (request, options) => debug(rooms, request, options),
    watch: (request, options, io) => watch(rooms, request, options, io),
    shell: (request, io) => debugShell(rooms, request, io),
  };
}

async function debug(rooms: Rooms, request: CreateRequest, options: DebugOptions): Promise<DebugPlan> {
  requireNetwork(request, "--debug");
  const image = await imageFor(rooms, request);
  const start = plannedStart(rooms, image, request);
  const port = await freePort(LOOPBACK, options.port, DEBUG_PORT);
  const { signal, wait } = options;
  const published = usesHostNetwork(request.network) ? request : withPort(request, port);
  const address = published === request ? LOOPBACK : "0.0.0.0";
  const where = { address, port, wait, ...(signal === undefined ? {} : { signal }) };
  const place = placeOf(rooms, options.signal);
  const { args, folder, version, target } = await withVertex(options, "fetch debugpy", () =>
    debuggedStart(place, start, where),
  );
  const name = `Tare: attach to ${request.name ?? request.image}`;
  const { cwd } = rooms.settings;
  const { mounts, workdir } = start;
  return {
    request: withCommand(published, args, folder === undefined ? [] : [readOnly(folder, DEBUGPY_TARGET)]),
    host: LOOPBACK,
    port,
    version,
    python: target.version,
    entry: launchEntry({ name, host: LOOPBACK, port, workspace: cwd, workdir, mounts }),
  };
}

/** In a network of its own the debugger is reached by a published port. */
function withPort(request: CreateRequest, port: number): CreateRequest {
  const { ports = [], ...network } = request.network ?? DEFAULT_NETWORK;
  const own = { hostIp: LOOPBACK, hostPort: { start: port, end: port }, containerPort: port, protocol: "tcp" } as const;
  return { ...request, network: { ...network, ports: [...ports, own] } };
}

function requireNetwork({ network }: CreateRequest, flag: string): void {
  if (network?.mode !== "none" && !network?.mode.startsWith("container:")) return;
  throw new TareError(
    "E_USAGE",
    `option \`${flag}\`: nobody can reach a container with \`--network ${network.mode}\``,
    {
      hint: "leave out `--network`",
      exitCode: 125,
    },
  );
}

function plannedStart(rooms: Rooms, image: ContainerImage, request: CreateRequest): PlannedStart {
  const { args, env, workdir } = plannedProcess(image, request);
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? "";
  return {
    args,
    env,
    path,
    workdir,
    mounts: boundFolders(request.mounts),
    tree: new TreeView(rooms.reader().layers.getAll(image.diffIds)),
    architecture: hostPlatform(process.arch).architecture,
  };
}

function boundFolders(mounts: readonly ContainerMount[]): readonly SourceMapping[] {
  return mounts.flatMap((mount) => (mount.type === "bind" ? [{ source: mount.source, target: mount.target }] : []));
}

function placeOf(rooms: Rooms, signal: AbortSignal | undefined): UvPlace {
  const { env } = rooms.settings;
  return { store: rooms.writer(), wheels: () => rooms.wheels(), env, ...(signal === undefined ? {} : { signal }) };
}

/** The image is here by now, so it is not asked for again. */
function withCommand(
  request: CreateRequest,
  [entrypoint = "", ...command]: readonly string[],
  mounts: readonly ContainerMount[],
): CreateRequest {
  return { ...request, entrypoint, command, mounts: [...request.mounts, ...mounts], pull: "missing" };
}

function readOnly(source: string, target: string): ContainerMount {
  return { type: "bind", source, target, readonly: true, createSource: false, recursive: true };
}
