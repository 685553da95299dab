// SPDX-License-Identifier: Apache-2.0
/* Volumes to registries and back. */
import { TareError } from "../base/index.ts";
import { runningVolumeUsers } from "../containers/index.ts";
import { pullVolume, pushVolume } from "../volumes/index.ts";
import type { RemoteVolume } from "../volumes/index.ts";
import type { PullVolumeRequest, PulledVolume, PushVolumeRequest, PushedVolume } from "./facade-volumes.ts";
import { shortName } from "./image-lookup.ts";
import { openRegistry, remoteName } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";
import { withTransfer } from "./transfer-events.ts";
import { quietly, warn } from "./volume-copies.ts";

/** `volume push`. */
export async function push(rooms: Rooms, request: PushVolumeRequest): Promise<PushedVolume> {
  const { name, repository, signal } = request;
  if (remoteName(repository).isPinned) {
    throw new TareError("E_REF", `pushing to \`${repository}\`: a digest can't be pushed to`, {
      hint: "give a tag instead",
    });
  }
  const context = await rooms.containers();
  const { shown, ...remote } = await remoteOf(rooms, request);
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
  const { shown, ...remote } = await remoteOf(rooms, request);
  const running = (volume: string): readonly string[] => runningVolumeUsers(context, volume);
  const publication = { replace: force, running, ...(name === undefined ? {} : { name }) };
  const { warnings, ...pulled } = await withTransfer(request, `pull volume ${shown}`, (listener) =>
    pullVolume(context.store, remote, publication, { listener, ...(signal === undefined ? {} : { signal }) }),
  );
  for (const warning of warnings) warn(request, warning);
  return pulled;
}

async function remoteOf(
  rooms: Rooms,
  { repository, listener }: Pick<PullVolumeRequest, "repository" | "listener">,
): Promise<RemoteVolume & { readonly shown: string }> {
  const name = remoteName(repository);
  const client = await openRegistry(rooms.settings, name.domain, listener === undefined ? {} : { listener });
  return { client, repository: name.repository, tag: name.tag, shown: shortName(name.full) };
}
