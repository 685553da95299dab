// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { resolve } from "node:path";
import { TareError } from "../base/index.ts";
import { plannedProcess } from "../containers/index.ts";
import type { ContainerMount } from "../containers/index.ts";
import { watchedRun } from "../develop/index.ts";
import { imageFor } from "./containers.ts";
import { requiredDevices, requireSuitableGpus, withGpusOfVariable } from "./gpu-run.ts";
import type { CreateRequest, ProcessIo } from "./facade-containers.ts";
import type { WatchOptions } from "./facade-develop.ts";
import type { Rooms } from "./rooms.ts";

/** So that output comes as it is written, and no files of the container's user are left in the project. */
const PYTHON_VARIABLES = ["PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"];

/** `run --watch`. */
export async function watch(
  rooms: Rooms,
  wanted: CreateRequest,
  options: WatchOptions,
  io: ProcessIo,
): Promise<number> {
  const request = await withGpusOfVariable(wanted);
  const devices = await requiredDevices(rooms, request);
  const image = await imageFor(rooms, request);
  await requireSuitableGpus(rooms, request, { image, devices });
  const { workdir, env } = plannedProcess(image, request);
  const { root, mount } = sourcesOf(rooms.settings.cwd, request, { place: options.place, workdir });
  const isSet = (entry: string): boolean => env.some((each) => each.startsWith(entry.split("=")[0] ?? ""));
  const asked: CreateRequest = {
    ...request,
    pull: "missing",
    env: [...request.env, ...PYTHON_VARIABLES.filter((entry) => !isSet(entry))],
    mounts: mount ? [...request.mounts, mount] : request.mounts,
  };
  const { onEvent, rebuild, end, kill } = options;
  return await watchedRun(await rooms.containers(), {
    root,
    request: asked,
    image: () => imageFor(rooms, asked),
    io,
    onEvent,
    end,
    kill,
    ...(rebuild === undefined ? {} : { rebuild }),
  });
}

interface Sources {
  /** The folder that is watched. */
  readonly root: string;
  /** Absent when the user mounts it himself. */
  readonly mount?: ContainerMount;
}

function sourcesOf(
  cwd: string,
  { mounts }: CreateRequest,
  { place, workdir }: { readonly place: string | undefined; readonly workdir: string },
): Sources {
  if (place !== undefined) {
    const colon = place.lastIndexOf(":");
    return mounted(resolve(cwd, place.slice(0, colon)), place.slice(colon + 1));
  }
  const own = mounts.find((mount) => mount.type === "bind" && mount.target === workdir);
  if (own?.type === "bind") return { root: existing(own.source) };
  if (workdir !== "/") return mounted(cwd, workdir);
  throw new TareError("E_WORKDIR", "watching the sources: the image has no working directory to mount them at", {
    hint: "say where they belong: `--watch .:/app`, or add WORKDIR to the Dockerfile",
    exitCode: 125,
  });
}

function mounted(source: string, target: string): Sources {
  const root = existing(source);
  return { root, mount: { type: "bind", source: root, target, readonly: false, createSource: false, recursive: true } };
}

function existing(path: string): string {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new TareError("E_MOUNT_SOURCE", `watching \`${path}\`: there is no such folder`, { exitCode: 125 });
}
