// SPDX-License-Identifier: Apache-2.0
import { commitContainer } from "../containers/index.ts";
import type { CommitRequest } from "./facade-containers.ts";
import { fullName, shortName } from "./image-lookup.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

/** `commit`. Throws `E_REF` for a bad name before anything is done. */
export async function commit(
  rooms: Rooms,
  request: CommitRequest,
): Promise<{ readonly id: string; readonly name?: string }> {
  const { name, listener: _, ...options } = request;
  const names = name === undefined ? [] : [fullName(name)];
  const { epoch } = rooms.settings;
  const created = new Date(epoch === undefined ? Date.now() : epoch * 1000);
  const context = await rooms.containers();
  const { id } = await withVertex(request, `commit ${request.container}`, () =>
    commitContainer(context, { ...options, names, created }),
  );
  const [given] = names;
  return { id, ...(given === undefined ? {} : { name: shortName(given) }) };
}
