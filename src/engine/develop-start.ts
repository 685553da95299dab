// SPDX-License-Identifier: Apache-2.0
/* What `run --debug` and `run --notebook` have in common: a start that is looked at before it is made. */
import { TareError } from "../base/index.ts";
import { DEFAULT_NETWORK, plannedProcess, usesHostNetwork } from "../containers/index.ts";
import type { ContainerImage, ContainerMount } from "../containers/index.ts";
import type { PlannedStart, SourceMapping } from "../develop/index.ts";
import { hostPlatform } from "../oci/index.ts";
import { TreeView } from "../store/index.ts";
import type { UvPlace } from "../python/index.ts";
import type { CreateRequest } from "./facade-containers.ts";
import type { Rooms } from "./rooms.ts";

/** What is started for a developer is reached from this machine alone. */
export const LOOPBACK = "127.0.0.1";

/** Throws `E_USAGE` when nothing could be reached. */
export function requireNetwork({ network }: CreateRequest, flag: string): void {
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

/** Where a program must listen to be reached at a port of this machine, and the request with that port published. */
export function reachable(
  request: CreateRequest,
  port: number,
): { readonly address: string; readonly published: CreateRequest } {
  if (usesHostNetwork(request.network)) return { address: LOOPBACK, published: request };
  const { ports = [], ...network } = request.network ?? DEFAULT_NETWORK;
  const own = { hostIp: LOOPBACK, hostPort: { start: port, end: port }, containerPort: port, protocol: "tcp" } as const;
  return { address: "0.0.0.0", published: { ...request, network: { ...network, ports: [...ports, own] } } };
}

/** What a container would start, and what its programs are looked for in. */
export function plannedStart(rooms: Rooms, image: ContainerImage, request: CreateRequest): PlannedStart {
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

/** What resolving and fetching distributions needs. */
export function placeOf(rooms: Rooms, signal: AbortSignal | undefined): UvPlace {
  const { env } = rooms.settings;
  return { store: rooms.writer(), wheels: () => rooms.wheels(), env, ...(signal === undefined ? {} : { signal }) };
}

/** The request with another command and more mounts. The image is here by now, so it is not asked for again. */
export function withCommand(
  request: CreateRequest,
  [entrypoint = "", ...command]: readonly string[],
  mounts: readonly ContainerMount[],
): CreateRequest {
  return { ...request, entrypoint, command, mounts: [...request.mounts, ...mounts], pull: "missing" };
}

/** A folder of this machine in a container. */
export function bound(source: string, target: string, access: { readonly readonly: boolean }): ContainerMount {
  return { type: "bind", source, target, createSource: false, recursive: true, ...access };
}
