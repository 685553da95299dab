// SPDX-License-Identifier: Apache-2.0
/* Volumes to registries and back. */
import { runningVolumeUsers } from "../containers/index.ts";
import { volumeTransfers } from "../volumes/index.ts";
import type { PullVolumeRequest, PulledVolume, PushVolumeRequest, PushedVolume } from "./facade-volumes.ts";
import { openRemotePlace, refusePinned } from "./registry-connection.ts";
import type { RemotePlace } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";
import { withTransfer } from "./transfer-events.ts";
import { quietly, warn } from "./volume-copies.ts";

/** `volume push`. */
export async function push(rooms: Rooms, request: PushVolumeRequest): Promise<PushedVolume> {
  const { name, repository, signal } = request;
  refusePinned(repository);
  const context = await rooms.containers();
  const { pushVolume } = await volumeTransfers();
  const { shown, ...remote } = await placeOf(rooms, request);
  const pushed = await quietly(context, request, name, () =>
    withTransfer(request, `push volume ${name} to ${shown}`, (listener) =>
      pushVolume(context.store, name, remote, { listener, ...(signal === undefined ? {} : { signal }) }),
    ),
  );
  return { repository: shown, ...pushed };
}

/** `volume pull`. */
export async function pull(rooms: Rooms, request: PullVolumeRequest): Promise<PulledVolume> {
  const { name, force, signal } = request;
  const context = await rooms.containers();
  const { pullVolume } = await volumeTransfers();
  const { shown, ...remote } = await placeOf(rooms, request);
  const running = (volume: string): readonly string[] => runningVolumeUsers(context, volume);
  const publication = { replace: force, running, ...(name === undefined ? {} : { name }) };
  const { warnings, ...pulled } = await withTransfer(request, `pull volume ${shown}`, (listener) =>
    pullVolume(context.store, remote, publication, { listener, ...(signal === undefined ? {} : { signal }) }),
  );
  for (const warning of warnings) warn(request, warning);
  return pulled;
}

function placeOf(
  rooms: Rooms,
  { repository, listener }: Pick<PullVolumeRequest, "repository" | "listener">,
): Promise<RemotePlace> {
  return openRemotePlace(rooms.settings, repository, listener === undefined ? {} : { listener });
}
