// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { chooseWheels, pullWheels, pushWheels } from "../images/index.ts";
import { formatPlatform, hostPlatform } from "../oci/index.ts";
import { builtWheels, forgetWheel, storedWheels } from "../python/index.ts";
import type { StoredWheel } from "../python/index.ts";
import type {
  PullWheelsRequest,
  PulledWheelSet,
  PushedWheelSet,
  ShareWheelsRequest,
  WheelsApi,
} from "./facade-wheels.ts";
import { platformOf } from "./image-lookup.ts";
import { openRemotePlace, refusePinned } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";
import { withTransfer } from "./transfer-events.ts";

/** The wheels of an engine's store. */
export function wheelsApi(rooms: Rooms): WheelsApi {
  return {
    list: async () => storedWheels(rooms.reader()),
    remove: async (names) => remove(rooms, names),
    push: (request) => push(rooms, request),
    pull: (request) => pull(rooms, request),
  };
}

/** `wheels rm`. */
function remove(
  rooms: Rooms,
  names: readonly string[],
): { readonly wheels: readonly StoredWheel[]; readonly reclaimed: number } {
  const store = rooms.writer();
  const wheels = chooseWheels(storedWheels(store), names, "the store");
  const used = wheels.find(({ layers }) => layers > 0);
  if (used) {
    throw new TareError("E_WHEEL_INUSE", `removing \`${used.fileName}\`: ${layersText(used.layers)} made of it`, {
      hint: "remove the images that have them first; a push needs the wheel",
    });
  }
  store.makeRoom();
  for (const wheel of wheels) forgetWheel(store, wheel);
  return { wheels, reclaimed: store.prune().freed };
}

function layersText(count: number): string {
  return count === 1 ? "a layer is" : `${count} layers are`;
}

/** `wheels push`. */
async function push(rooms: Rooms, request: ShareWheelsRequest): Promise<PushedWheelSet> {
  const store = rooms.writer();
  const { signal, names, repository } = request;
  refusePinned(repository);
  const built = builtWheels(store)
    .list()
    .filter(({ digest }) => store.blobs.has(digest));
  const wheels = chooseWheels(built, names, "what was built here");
  if (wheels.length === 0) {
    throw new TareError("E_WHEEL_MISSING", `pushing wheels to \`${repository}\`: none were built here`, {
      hint: "a build makes them of packages that have no wheel; `tare wheels ls` lists them",
    });
  }
  const lease = store.lease();
  try {
    lease.keep(wheels.map(({ digest }) => digest));
    const { shown, ...remote } = await openRemotePlace(rooms.settings, repository);
    const pushed = await withTransfer(request, `push wheels to ${shown}`, (listener) =>
      pushWheels(store, wheels, remote, { listener, ...(signal === undefined ? {} : { signal }) }),
    );
    const { digest, total, wasThere } = pushed;
    return { repository: shown, digest, wheels: pushed.wheels, total, existed: wasThere };
  } finally {
    lease.release();
  }
}

/** `wheels pull`. */
async function pull(rooms: Rooms, request: PullWheelsRequest): Promise<PulledWheelSet> {
  const { signal, names, platform } = request;
  const { shown, ...remote } = await openRemotePlace(rooms.settings, request.repository);
  const wanted =
    platform === undefined ? hostPlatform(process.arch) : platform === "all" ? undefined : platformOf(platform);
  const wheels = await rooms.wheels();
  return withTransfer(request, `pull wheels of ${shown}`, (listener) =>
    pullWheels(rooms.writer(), remote, {
      listener,
      wheels,
      names,
      ...(wanted === undefined
        ? {}
        : { platform: formatPlatform({ os: wanted.os, architecture: wanted.architecture }) }),
      ...(signal === undefined ? {} : { signal }),
    }),
  );
}
