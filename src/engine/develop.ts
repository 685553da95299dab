// SPDX-License-Identifier: Apache-2.0
import { DEBUGPY_TARGET, debuggedStart, launchEntry } from "../develop/index.ts";
import { imageFor } from "./containers.ts";
import { LOOPBACK, bound, placeOf, plannedStart, reachable, requireNetwork, withCommand } from "./develop-start.ts";
import type { CreateRequest } from "./facade-containers.ts";
import { notebook } from "./notebook.ts";
import { watch } from "./watch.ts";
import { debugShell } from "./debug-shell.ts";
import type { DebugOptions, DebugPlan, DevelopApi } from "./facade-develop.ts";
import { freePort } from "./free-port.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

const DEBUG_PORT = 5678;

/** Containers under development. */
export function developApi(rooms: Rooms): DevelopApi {
  return {
    debug: (request, options) => debug(rooms, request, options),
    notebook: (request, options) => notebook(rooms, request, options),
    watch: (request, options, io) => watch(rooms, request, options, io),
    shell: (request, io) => debugShell(rooms, request, io),
  };
}

async function debug(rooms: Rooms, request: CreateRequest, options: DebugOptions): Promise<DebugPlan> {
  requireNetwork(request, "--debug");
  const image = await imageFor(rooms, request);
  const start = plannedStart(rooms, image, request);
  const port = await freePort(rooms, { host: LOOPBACK, wanted: options.port, usual: DEBUG_PORT });
  const { signal, wait } = options;
  const { address, published } = reachable(request, port);
  const where = { address, port, wait, ...(signal === undefined ? {} : { signal }) };
  const place = placeOf(rooms, options.signal);
  const { args, folder, version, target } = await withVertex(options, "fetch debugpy", () =>
    debuggedStart(place, start, where),
  );
  const name = `Tare: attach to ${request.name ?? request.image}`;
  const { cwd } = rooms.settings;
  const { mounts, workdir } = start;
  return {
    request: withCommand(
      published,
      args,
      folder === undefined ? [] : [bound(folder, DEBUGPY_TARGET, { readonly: true })],
    ),
    host: LOOPBACK,
    port,
    version,
    python: target.version,
    entry: launchEntry({ name, host: LOOPBACK, port, workspace: cwd, workdir, mounts }),
  };
}
