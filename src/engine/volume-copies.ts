// SPDX-License-Identifier: Apache-2.0
/* Backups, restores and clones of volumes, with who uses them and how far they are. */
import { resolve } from "node:path";
import { TareError, digestOf, fileChunks, ioError, isTareError } from "../base/index.ts";
import { runningVolumeUsers, whilePaused } from "../containers/index.ts";
import type { ContainersContext } from "../containers/index.ts";
import { volumeTransfers } from "../volumes/index.ts";
import type { BackupContents, CopyCall } from "../volumes/index.ts";
import type { ByteSource, LongCall } from "./facade.ts";
import type {
  BackupVolumeRequest,
  CloneVolumeRequest,
  RestoreVolumeRequest,
  VerifiedBackup,
  VolumeBackup,
} from "./facade-volumes.ts";
import { writeTo } from "./byte-streams.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

/** `volume backup`. */
export async function backup(rooms: Rooms, request: BackupVolumeRequest): Promise<VolumeBackup> {
  const context = await rooms.containers();
  const { backupVolume, measureVolume, readableVolume } = await volumeTransfers();
  const { name, compression, since } = request;
  const { data } = readableVolume(context.store, name, "backing up the volume");
  const older = since === undefined ? {} : { since: bytesOf(rooms, since) };
  const total = request.listener ? measureVolume(data) : 0;
  return quietly(context, request, name, () =>
    asStep(request, { label: `back up volume ${name}`, total }, (call) =>
      writeTo(rooms.settings.cwd, request.output, (sink) =>
        backupVolume(context.store, name, sink, { compression, ...older, ...call }),
      ),
    ),
  );
}

/** `volume backup --verify`. */
export async function verify(
  rooms: Rooms,
  request: { readonly input: ByteSource } & LongCall,
): Promise<VerifiedBackup> {
  const { verifyBackup } = await volumeTransfers();
  const store = rooms.writer();
  const { signal, input } = request;
  return verified(await verifyBackup(store, bytesOf(rooms, input), signal === undefined ? {} : { signal }));
}

/** `volume restore`. */
export async function restore(rooms: Rooms, request: RestoreVolumeRequest): Promise<VerifiedBackup> {
  const context = await rooms.containers();
  const { restoreVolume } = await volumeTransfers();
  const { name, force, inputs } = request;
  const running = (volume: string): readonly string[] => runningVolumeUsers(context, volume);
  const publication = { name, labels: {}, replace: force, running };
  const sources = inputs.map((input) => bytesOf(rooms, input));
  const restored = await asStep(request, { label: `restore volume ${name}`, total: 0 }, (call) =>
    restoreVolume(context.store, sources, publication, call),
  );
  for (const warning of restored.warnings) warn(request, warning);
  return verified(restored);
}

/** `volume clone`. */
export async function clone(rooms: Rooms, request: CloneVolumeRequest): Promise<void> {
  const context = await rooms.containers();
  const { cloneVolume, measureVolume, readableVolume } = await volumeTransfers();
  const { from, to } = request;
  const { data } = readableVolume(context.store, from, "cloning the volume");
  const running = (volume: string): readonly string[] => runningVolumeUsers(context, volume);
  const total = request.listener ? measureVolume(data) : 0;
  await quietly(context, request, from, () =>
    asStep(request, { label: `clone volume ${from} to ${to}`, total }, (call) =>
      cloneVolume(context.store, from, { name: to, replace: false, running }, call),
    ),
  );
}

/** With `pause`, who may write stands still; without it, the user learns who may. */
export async function quietly<T>(
  context: ContainersContext,
  request: LongCall & { readonly pause: boolean },
  volume: string,
  work: () => Promise<T>,
): Promise<T> {
  const running = runningVolumeUsers(context, volume);
  if (request.pause) return whilePaused(context, running, work);
  if (running.length === 0) return work();
  const who = running.map((name) => `\`${name}\``).join(", ");
  const verb = running.length === 1 ? "runs" : "run";
  warn(
    request,
    `${who} ${verb} with the volume: each file is copied whole, but not all at one moment; \`--pause\` does that`,
  );
  try {
    return await work();
  } catch (error) {
    if (!isTareError(error, "E_VOLUME_CHANGED")) throw error;
    const hint = `stop ${who}, or give \`--pause\``;
    throw new TareError(error.code, error.message, { hint, cause: error });
  }
}

/** Tells something that ought to be known. */
export function warn({ listener }: LongCall, message: string): void {
  listener?.({ kind: "warning", rule: "Volume", message, at: Date.now() });
}

function verified(contents: Omit<BackupContents, "manifest">): VerifiedBackup {
  const { header, end, stored } = contents;
  return {
    id: header.id,
    name: header.volume.name,
    createdAt: header.createdAt,
    ...(header.parent === null ? {} : { parent: header.parent.id }),
    entries: end.entries,
    bytes: end.bytes,
    stored,
  };
}

const TELL_MS = 100;

/** Shows work on many files as one step that counts their bytes. */
async function asStep<T>(
  request: LongCall,
  shown: { readonly label: string; readonly total: number },
  work: (call: CopyCall) => Promise<T>,
): Promise<T> {
  const { listener, signal } = request;
  const { label, total } = shown;
  const id = digestOf(label);
  let current = 0;
  let told = Date.now();
  const onFile = (_path: string, size: number): void => {
    current += size;
    if (Date.now() - told < TELL_MS) return;
    told = Date.now();
    listener?.({ kind: "status", id, name: "files", current, total: Math.max(total, current), at: told });
  };
  return withVertex(request, label, () => work({ onFile, ...(signal === undefined ? {} : { signal }) }));
}

function bytesOf(rooms: Rooms, source: ByteSource): AsyncIterable<Uint8Array> {
  return typeof source === "string" ? bytesAt(rooms.settings.cwd, source) : source;
}

/** Opened when its turn comes. Throws `E_IO`, `E_PERMISSION`. */
async function* bytesAt(cwd: string, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* fileChunks(resolve(cwd, path));
  } catch (error) {
    throw isTareError(error) ? error : ioError(`reading \`${path}\``, error);
  }
}
