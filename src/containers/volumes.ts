// SPDX-License-Identifier: Apache-2.0
/* What a container does with volumes: finds their places, makes and fills them, takes its anonymous ones along. */
import * as fs from "node:fs";
import { TareError, ensureDirectory, ioError, isTareError, linux } from "../base/index.ts";
import {
  createVolume,
  dataPath,
  fillVolume,
  findVolume,
  placeOf,
  removeVolume,
  volumeBacking,
} from "../volumes/index.ts";
import type { SourceTree } from "../store/index.ts";
import { recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import type { VolumePlace } from "./mounts.ts";
import { imagePath } from "./staged-mounts.ts";
import type { ContainerRecord, MountPoint } from "./types.ts";

type Context = Pick<ContainersContext, "store">;

/** Where a volume lies that a container is to have; `options` are for one that is not there yet. */
export function volumePlace({ store }: Context, name: string, options: Readonly<Record<string, string>>): VolumePlace {
  const backing = volumeBacking(findVolume(store, name)?.options ?? options);
  switch (backing.kind) {
    case "folder":
      return { data: dataPath(store, name), options: [], readOnly: false };
    case "bind":
      return { data: backing.device, options: [], readOnly: backing.readOnly };
    case "tmpfs":
      return { data: undefined, options: backing.options, readOnly: false };
  }
}

/**
 * Makes what a mount's source needs: a missing volume, its files from the image when it is empty, a missing host
 * directory. Throws `E_MOUNT_SOURCE`, `E_NOSPACE`, `E_PERMISSION`, `E_VOLUME_EXISTS`.
 */
export async function prepareMount(context: Context, mount: MountPoint, image: () => SourceTree): Promise<void> {
  if (mount.type === "bind") prepareBind(mount);
  if (mount.type === "image") imagePath(context.store, mount);
  if (mount.type !== "volume" || mount.name === undefined) return;
  const { name, anonymous, labels = {}, driverOptions = {} } = mount;
  const { record } = createVolume(context.store, {
    name,
    anonymous,
    byContainer: true,
    labels,
    options: driverOptions,
  });
  const { data } = placeOf(context.store, record);
  if (data === undefined) return;
  if (!fs.existsSync(data)) throw missingSource(data, "no such folder, which the volume stands for", "make it first");
  if (mount.noCopy !== true) {
    await fillVolume(context.store, { name, data, destination: mount.destination }, image());
  }
  if (mount.subpath !== undefined) checkSubpath(data, mount.subpath);
}

function prepareBind(mount: MountPoint): void {
  if (fs.existsSync(mount.source)) return;
  if (mount.createSource !== true) {
    throw missingSource(
      mount.source,
      "no such file or directory on this machine",
      "make it first, or use `-v`, which makes a missing folder",
    );
  }
  try {
    ensureDirectory(mount.source, 0o755);
  } catch (error) {
    throw ioError(`making the folder \`${mount.source}\` for a bind mount`, error);
  }
}

function missingSource(source: string, why: string, hint: string): TareError {
  return new TareError("E_MOUNT_SOURCE", `mounting \`${source}\`: ${why}`, { hint });
}

/**
 * For a clear error before the start, which looks at the path again. Symbolic links may lead anywhere in the volume.
 * Throws `E_MOUNT_SOURCE`.
 */
function checkSubpath(data: string, subpath: string): void {
  const directory = fs.openSync(data, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    const resolve = linux.RESOLVE_BENEATH | linux.RESOLVE_NO_MAGICLINKS;
    fs.closeSync(linux.openat2(directory, subpath, { flags: linux.O_PATH, resolve }));
  } catch (error) {
    if (!isTareError(error, "E_SYSCALL")) throw error;
    const leadsOut = linux.errnoNameOf(error) === "EXDEV";
    const why = leadsOut ? "the path leads out of the volume" : "the volume has no such file or folder";
    throw missingSource(`${data}/${subpath}`, why, leadsOut ? "give a path in the volume" : "make it first");
  } finally {
    fs.closeSync(directory);
  }
}

/** Removes anonymous volumes of a container that is going away; one that another has too stays. */
export function removeAnonymous(context: ContainersContext, record: ContainerRecord): void {
  for (const { name, anonymous } of record.mounts) {
    if (anonymous !== true || name === undefined) continue;
    try {
      removeVolume(context.store, name, (volume) => volumeUsers(context, volume, record.id));
    } catch (error) {
      if (!isTareError(error, "E_VOLUME_INUSE")) throw error;
    }
  }
}

/** The names of containers that have a volume, in whatever state they are. */
export function volumeUsers(context: ContainersContext, volume: string, except?: string): readonly string[] {
  const records = recordsOf(context).list();
  return records
    .filter(({ id, mounts }) => id !== except && mounts.some(({ name }) => name === volume))
    .map(({ name }) => name)
    .sort();
}
