// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { resolveMounts } from "./mounts.ts";
import type { ContainerMount } from "./request.ts";
import type { ImageDefaults, MountPoint } from "./types.ts";

const bind = (target: string, extra: object = {}): ContainerMount => ({
  type: "bind",
  source: "/src",
  target,
  readonly: false,
  createSource: false,
  recursive: true,
  ...extra,
});
const volume = (target: string, extra: object = {}): ContainerMount => ({
  type: "volume",
  target,
  readonly: false,
  noCopy: false,
  ...extra,
});

function resolve(
  mounts: readonly ContainerMount[],
  image: ImageDefaults = {},
  inherited: readonly MountPoint[] = [],
): readonly MountPoint[] {
  return resolveMounts({
    requested: mounts,
    inherited,
    image,
    placeOf: (name) => ({ data: `/volumes/${name}/data`, options: [], readOnly: false }),
  });
}

describe("mounts of a container", () => {
  it("puts parents before children and cleans targets", () => {
    const points = resolve([bind("/a//b/./c/"), bind("/a"), bind("/a/x/../b")]);
    expect(points.map((point) => point.destination)).toEqual(["/a", "/a/b", "/a/b/c"]);
  });

  it("makes an anonymous volume for a volume of the image whose place is free", () => {
    const points = resolve([bind("/data")], { Volumes: { "/data": {}, "/cache/": {} } });
    expect(points.map(({ type, destination, anonymous }) => ({ type, destination, anonymous }))).toEqual([
      { type: "bind", destination: "/data", anonymous: undefined },
      { type: "volume", destination: "/cache", anonymous: true },
    ]);
    expect(points[1]?.name).toMatch(/^[0-9a-f]{64}$/);
  });

  it("finds a named volume and a folder in it", () => {
    const [point] = resolve([volume("/v", { source: "models", subpath: "a/b", readonly: true })]);
    expect(point).toMatchObject({
      name: "models",
      source: "/volumes/models/data/a/b",
      readOnly: true,
      anonymous: false,
    });
  });

  it("takes the mounts of other containers where the request has none, before those of the image", () => {
    const [own, other, both] = resolve([bind("/own"), volume("/other", { source: "theirs" }), bind("/both")]);
    const inherited = [own, other, both].flatMap((point) => (point ? [{ ...point, readOnly: true }] : []));
    const points = resolve([bind("/own")], { Volumes: { "/other": {}, "/new": {} } }, inherited);
    expect(points.map(({ destination, readOnly, name }) => [destination, readOnly, name?.slice(0, 6)])).toEqual([
      ["/own", false, undefined],
      ["/other", true, "theirs"],
      ["/both", true, undefined],
      ["/new", false, points[3]?.name?.slice(0, 6)],
    ]);
  });

  it("spells tmpfs options", () => {
    const [point] = resolve([
      { type: "tmpfs", target: "/t", readonly: false, size: 1024, mode: 0o1777, options: ["exec"] },
    ]);
    expect(point?.options).toEqual(["size=1024", "mode=1777", "exec"]);
  });

  it.each([
    ["E_MOUNT_RESERVED", bind("/proc")],
    ["E_MOUNT_RESERVED", bind("/proc/self/fd")],
    ["E_MOUNT_RESERVED", bind("/x/../sys/kernel")],
    ["E_MOUNT_RESERVED", bind("/")],
    ["E_MOUNT_RESERVED", bind("/..")],
    ["E_MOUNT_RESERVED", bind("relative")],
    ["E_VOLUME_NAME", volume("/v", { source: "../x" })],
    ["E_VOLUME_NAME", volume("/v", { source: "a/b" })],
    ["E_MOUNT_SOURCE", volume("/v", { source: "a", subpath: "../b" })],
    ["E_MOUNT_SOURCE", volume("/v", { source: "a", subpath: "/etc" })],
  ])("throws %s for %j", (code, mount) => {
    expect(() => resolve([mount])).toThrow(expect.objectContaining({ code }));
  });

  it("refuses a volume of the image below /proc, and two mounts at one place", () => {
    expect(() => resolve([], { Volumes: { "/proc": {} } })).toThrow(
      expect.objectContaining({ code: "E_MOUNT_RESERVED" }),
    );
    expect(() => resolve([bind("/a"), volume("/a/")])).toThrow(expect.objectContaining({ code: "E_MOUNT_DUPLICATE" }));
  });
});
