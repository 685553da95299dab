// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError } from "../base/index.ts";
import { debugContainer, inspectContainer } from "../containers/index.ts";
import type { ContainerImage, DebugToolbox, ProcessIo } from "../containers/index.ts";
import { busyboxTools } from "../develop/index.ts";
import { imageFor } from "./containers.ts";
import type { DebugShellRequest } from "./facade-develop.ts";
import { lookUpImage } from "./image-lookup.ts";
import { debugImage } from "./user-settings.ts";
import type { Rooms } from "./rooms.ts";

/** `debug`. */
export async function debugShell(rooms: Rooms, request: DebugShellRequest, io: ProcessIo): Promise<number> {
  const { subject, command, tty, user, privileged } = request;
  const image = request.image ?? debugImage(rooms.settings);
  const context = await rooms.containers();
  const found = await subjectOf(rooms, subject, request);
  const toolbox: DebugToolbox =
    image === undefined
      ? { kind: "folder", folder: await busyboxTools(rooms.writer()) }
      : { kind: "image", image: await imageNamed(rooms, image, request) };
  return await debugContainer(context, { subject: found, toolbox, command, tty, user, privileged }, io);
}

/** A container of that name, else an image that is here. */
async function subjectOf(rooms: Rooms, name: string, request: DebugShellRequest): Promise<string | ContainerImage> {
  try {
    inspectContainer(await rooms.containersToRead(), name);
    return name;
  } catch (error) {
    if (!isTareError(error, "E_CONTAINER_NOTFOUND")) throw error;
    if (!lookUpImage(rooms.reader(), name)) throw neither(name, error.hint);
    return await imageNamed(rooms, name, request);
  }
}

function neither(name: string, hint: string | undefined): TareError {
  const near = hint?.startsWith("did you mean") === true ? hint : undefined;
  return new TareError("E_CONTAINER_NOTFOUND", `looking into \`${name}\`: no such container, and no such image here`, {
    hint: near ?? "`tare ps -a` and `tare images` list what there is",
  });
}

function imageNamed(rooms: Rooms, image: string, { listener, signal }: DebugShellRequest): Promise<ContainerImage> {
  const call = { ...(listener === undefined ? {} : { listener }), ...(signal === undefined ? {} : { signal }) };
  return imageFor(rooms, { image, pull: "missing", ...call });
}
