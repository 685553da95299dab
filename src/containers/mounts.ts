// SPDX-License-Identifier: Apache-2.0
/* From what the user and the image ask for to the list of mounts of a container: nothing on disk is touched here. */
import { posix } from "node:path";
import { TareError } from "../base/index.ts";
import { anonymousName, checkVolumeName } from "../volumes/index.ts";
import type { ContainerMount } from "./request.ts";
import type { ImageDefaults, MountPoint } from "./types.ts";

const RESERVED = ["/proc", "/sys"];

/** Where a volume's files are: the folder that containers see, or their memory. */
export interface VolumePlace {
  readonly data: string | undefined;
  /** Options of what is mounted there. */
  readonly options: readonly string[];
  readonly readOnly: boolean;
}

/** What the mounts of a container are put together from. */
export interface MountParts {
  readonly requested: readonly ContainerMount[];
  /** Those of other containers (`--volumes-from`). */
  readonly inherited: readonly MountPoint[];
  readonly image: ImageDefaults;
  /** Where a volume lies; `options` are for one that is not there yet. Throws what its options are wrong with. */
  readonly placeOf: (name: string, options: Readonly<Record<string, string>>) => VolumePlace;
}

/**
 * The mounts of a container, parents before children: those of the request, those of other containers whose place is
 * free, then an anonymous volume for every volume of the image whose place is free.
 * Throws `E_MOUNT_RESERVED`, `E_MOUNT_DUPLICATE`, `E_VOLUME_NAME`.
 */
export function resolveMounts(parts: MountParts): readonly MountPoint[] {
  const points = parts.requested.map((mount) => mountPoint(mount, parts.placeOf));
  const taken = new Set<string>();
  for (const { destination } of points) {
    if (taken.has(destination)) throw duplicate(destination);
    taken.add(destination);
  }
  const free = new Map(parts.inherited.map((point) => [point.destination, point]));
  for (const point of free.values()) {
    if (taken.has(point.destination)) continue;
    taken.add(point.destination);
    points.push(point);
  }
  for (const path of Object.keys(parts.image.Volumes ?? {})) {
    const target = cleanTarget(path);
    if (taken.has(target)) continue;
    taken.add(target);
    points.push(mountPoint({ type: "volume", target, readonly: false, noCopy: false }, parts.placeOf));
  }
  return points.sort((a, b) => depth(a.destination) - depth(b.destination));
}

function mountPoint(mount: ContainerMount, placeOf: MountParts["placeOf"]): MountPoint {
  const base = { destination: cleanTarget(mount.target), readOnly: mount.readonly, options: [] };
  switch (mount.type) {
    case "bind": {
      const { source, recursive, recursiveReadOnly, createSource } = mount;
      const propagation = mount.propagation ?? "rprivate";
      const shown = posix.normalize(source);
      return { ...base, type: "bind", source: shown, propagation, recursive, recursiveReadOnly, createSource };
    }
    case "volume":
      return volumePoint(mount, base, placeOf);
    case "tmpfs":
      return { ...base, type: "tmpfs", source: "", propagation: "", recursive: false, options: tmpfsOptions(mount) };
    case "image":
      return imagePoint(mount, base);
  }
}

type Base = Pick<MountPoint, "destination" | "readOnly" | "options">;

function volumePoint(
  mount: Extract<ContainerMount, { type: "volume" }>,
  base: Base,
  placeOf: MountParts["placeOf"],
): MountPoint {
  const name = mount.source === undefined ? anonymousName() : checkVolumeName(mount.source);
  const subpath = checkSubpath(mount.subpath);
  const { noCopy, labels, driverOptions } = mount;
  const { data, options, readOnly } = placeOf(name, driverOptions ?? {});
  return {
    ...base,
    type: "volume",
    name,
    anonymous: mount.source === undefined,
    source: data === undefined ? "" : within(data, subpath),
    readOnly: base.readOnly || readOnly,
    propagation: "",
    recursive: true,
    noCopy,
    options,
    labels,
    driverOptions,
    ...(subpath === undefined ? {} : { subpath }),
    ...(data === undefined ? { inMemory: true } : {}),
  };
}

function imagePoint({ source, image, ...mount }: Extract<ContainerMount, { type: "image" }>, base: Base): MountPoint {
  if (image === undefined) throw new Error(`bug: nobody looked up the image ${source}`);
  const subpath = checkSubpath(mount.subpath);
  const facts = { id: image.id, target: image.target, layers: image.diffIds };
  const how = { propagation: "", recursive: true };
  return { ...base, type: "image", source, ...how, image: facts, ...(subpath === undefined ? {} : { subpath }) };
}

/** An absolute path without `.`, `..`, double or trailing slashes. Throws for the root, /proc and /sys. */
function cleanTarget(target: string): string {
  const clean = posix.normalize(target).replace(/(.)\/+$/, "$1");
  if (!clean.startsWith("/") || target.includes("\0")) {
    throw new TareError("E_MOUNT_RESERVED", `mounting at \`${target}\`: not an absolute path`);
  }
  const covered = clean === "/" ? "/" : RESERVED.find((path) => clean === path || clean.startsWith(`${path}/`));
  if (covered === undefined) return clean;
  throw new TareError(
    "E_MOUNT_RESERVED",
    `mounting at \`${target}\`: ${covered} is reserved for the container itself`,
    {
      hint: "mount it at another path",
    },
  );
}

/** A relative path that leads nowhere up; undefined for the whole. Symbolic links in it are looked at by the start. */
function checkSubpath(subpath: string | undefined): string | undefined {
  if (subpath === undefined || subpath === "") return undefined;
  const isSafe = !subpath.startsWith("/") && !subpath.split("/").includes("..") && !subpath.includes("\0");
  const clean = posix.normalize(`/${subpath}`).slice(1).replace(/\/+$/, "");
  if (isSafe) return clean === "" ? undefined : clean;
  throw new TareError("E_MOUNT_SOURCE", `mounting \`${subpath}\` of a volume: the path leads out of the volume`, {
    hint: "give a path in the volume, without `..` and without a slash at its start",
  });
}

function within(folder: string, subpath: string | undefined): string {
  return subpath === undefined ? folder : `${folder}/${subpath}`;
}

/** The runtime adds nosuid, nodev and noexec, where the user does not say otherwise. */
function tmpfsOptions(mount: Extract<ContainerMount, { type: "tmpfs" }>): readonly string[] {
  return [
    ...(mount.size === undefined ? [] : [`size=${mount.size}`]),
    ...(mount.mode === undefined ? [] : [`mode=${mount.mode.toString(8)}`]),
    ...mount.options,
  ];
}

function duplicate(destination: string): TareError {
  return new TareError("E_MOUNT_DUPLICATE", `mounting at \`${destination}\`: two mounts have this destination`);
}

function depth(path: string): number {
  return path.split("/").length;
}
