// SPDX-License-Identifier: Apache-2.0
/* From what the user and the image ask for to the list of mounts of a container: nothing on disk is touched here. */
import { posix } from "node:path";
import { TareError } from "../base/index.ts";
import { newContainerId } from "./names.ts";
import type { ContainerMount } from "./request.ts";
import type { ImageDefaults, MountPoint } from "./types.ts";

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;
const RESERVED = ["/proc", "/sys"];

/**
 * The mounts of a container, parents before children: those of the request, then an anonymous volume for every
 * volume of the image whose place is free. `volumePath` says where a volume's data lies.
 * Throws `E_MOUNT_RESERVED`, `E_MOUNT_DUPLICATE`, `E_VOLUME_NAME`.
 */
export function resolveMounts(
  requested: readonly ContainerMount[],
  image: ImageDefaults,
  volumePath: (name: string) => string,
): readonly MountPoint[] {
  const points = requested.map((mount) => mountPoint(mount, volumePath));
  const taken = new Set<string>();
  for (const { destination } of points) {
    if (taken.has(destination)) throw duplicate(destination);
    taken.add(destination);
  }
  for (const path of Object.keys(image.Volumes ?? {})) {
    const target = cleanTarget(path);
    if (taken.has(target)) continue;
    taken.add(target);
    points.push(mountPoint({ type: "volume", target, readonly: false, noCopy: false }, volumePath));
  }
  return points.sort((a, b) => depth(a.destination) - depth(b.destination));
}

function mountPoint(mount: ContainerMount, volumePath: (name: string) => string): MountPoint {
  const base = { destination: cleanTarget(mount.target), readOnly: mount.readonly, options: [] };
  switch (mount.type) {
    case "bind": {
      const { source, recursive, createSource } = mount;
      const propagation = mount.propagation ?? "rprivate";
      return { ...base, type: "bind", source: posix.normalize(source), propagation, recursive, createSource };
    }
    case "volume": {
      const name = mount.source === undefined ? newContainerId() : checkVolumeName(mount.source);
      const anonymous = mount.source === undefined;
      const source = within(volumePath(name), mount.subpath);
      const { noCopy } = mount;
      return { ...base, type: "volume", name, anonymous, source, propagation: "", recursive: true, noCopy };
    }
    case "tmpfs":
      return { ...base, type: "tmpfs", source: "", propagation: "", recursive: false, options: tmpfsOptions(mount) };
  }
}

/** An absolute path without `.`, `..`, double or trailing slashes. Throws for the root, /proc and /sys. */
function cleanTarget(target: string): string {
  const clean = posix.normalize(target).replace(/(.)\/+$/, "$1");
  if (!clean.startsWith("/") || target.includes("\0")) {
    throw new TareError("E_MOUNT_RESERVED", `mounting at \`${target}\`: not an absolute path`, { exitCode: 125 });
  }
  const covered = clean === "/" ? "/" : RESERVED.find((path) => clean === path || clean.startsWith(`${path}/`));
  if (covered === undefined) return clean;
  throw new TareError(
    "E_MOUNT_RESERVED",
    `mounting at \`${target}\`: ${covered} is reserved for the container itself`,
    {
      hint: "mount it at another path",
      exitCode: 125,
    },
  );
}

/** Checks a volume's name. Throws `E_VOLUME_NAME`. */
function checkVolumeName(name: string): string {
  if (VOLUME_NAME.test(name)) return name;
  throw new TareError("E_VOLUME_NAME", `naming the volume \`${name.slice(0, 260)}\`: not a valid name`, {
    hint: "use letters, digits, `_`, `.` and `-`; for a folder of this machine write an absolute path",
    exitCode: 125,
  });
}

function within(folder: string, subpath: string | undefined): string {
  if (subpath === undefined || subpath === "") return folder;
  const clean = posix.normalize(`/${subpath}`);
  if (!subpath.startsWith("/") && !subpath.split("/").includes("..")) return `${folder}${clean}`.replace(/\/+$/, "");
  throw new TareError("E_MOUNT_SOURCE", `mounting \`${subpath}\` of a volume: the path leads out of the volume`, {
    exitCode: 125,
  });
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
  return new TareError("E_MOUNT_DUPLICATE", `mounting at \`${destination}\`: two mounts have this destination`, {
    exitCode: 125,
  });
}

function depth(path: string): number {
  return path.split("/").length;
}
