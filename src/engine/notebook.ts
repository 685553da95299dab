// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { TareError } from "../base/index.ts";
import { NOTEBOOK_TARGET, notebookStart } from "../develop/index.ts";
import { imageFor } from "./containers.ts";
import { LOOPBACK, bound, placeOf, plannedStart, reachable, requireNetwork, withCommand } from "./develop-start.ts";
import type { CreateRequest } from "./facade-containers.ts";
import type { NotebookOptions, NotebookPlan } from "./facade-develop.ts";
import { freePort } from "./free-port.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

const NOTEBOOK_PORT = 8888;
/** Where notebooks are in an image without a working directory. */
const WORK = "/work";

/** `run --notebook`. */
export async function notebook(rooms: Rooms, request: CreateRequest, options: NotebookOptions): Promise<NotebookPlan> {
  refuseCommand(request);
  requireNetwork(request, "--notebook");
  const image = await imageFor(rooms, request);
  // What the image starts does not matter; one without a command is as good.
  const start = plannedStart(rooms, image, { ...request, command: ["jupyter"] });
  const port = await freePort(rooms, { host: LOOPBACK, wanted: options.port, usual: NOTEBOOK_PORT });
  const token = randomBytes(24).toString("hex");
  const { signal } = options;
  const { address, published } = reachable(request, port);
  const where = { address, port, token, ...(signal === undefined ? {} : { signal }) };
  const found = await withVertex(options, "look for Jupyter", () =>
    notebookStart(placeOf(rooms, signal), start, where),
  );
  const workdir = start.workdir === "/" ? WORK : start.workdir;
  const isMounted = request.mounts.some(({ target }) => target === workdir);
  const source = rooms.settings.cwd;
  const mounts = [
    ...(isMounted ? [] : [bound(source, workdir, { readonly: false })]),
    ...(found.folder === undefined ? [] : [bound(found.folder, NOTEBOOK_TARGET, { readonly: true })]),
  ];
  const asked = withCommand(published, found.args, mounts);
  return {
    request: { ...asked, workdir, env: [...request.env, ...found.env] },
    url: `http://${LOOPBACK}:${port}${found.page}?token=${token}`,
    workdir,
    ...(isMounted ? {} : { source }),
    ...(found.version === undefined ? {} : { version: found.version }),
  };
}

function refuseCommand({ command, entrypoint }: CreateRequest): void {
  if (command.length === 0 && entrypoint === undefined) return;
  throw new TareError("E_USAGE", "option `--notebook`: it starts Jupyter, and no other command", {
    hint: "leave out the command after the image's name and `--entrypoint`",
    exitCode: 125,
  });
}
