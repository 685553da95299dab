// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildSpec } from "../../runtime/index.ts";
import type { OciSpec } from "../../runtime/index.ts";
import { applyEdits } from "./apply-edits.ts";
import { checkHostFiles, staleNodes } from "./check-host.ts";
import type { CdiHost } from "./host-node.ts";

const SPEC: OciSpec = buildSpec({
  mode: "run",
  args: ["true"],
  env: ["PATH=/bin", "A=old", "B=old"],
  cwd: "/",
  user: { uid: 1000, gid: 0, additionalGids: [4] },
  rootfs: "/rootfs",
  network: "none",
  cgroupMode: "v2",
  cgroupsPath: "/tare/x",
  arch: "amd64",
  mounts: [{ type: "bind", source: "/mine", destination: "/opt/lib" }],
  devices: [{ path: "/dev/gpu0", type: "c", major: 1, minor: 3, access: "r" }],
});

const HOST: CdiHost = {
  lookup: (path) => (path === "/dev/gpu0" ? { type: "c", major: 195, minor: 7, mode: 0o660 } : undefined),
  exists: (path) => path === "/dev/gpu0" || path === "/opt/libgpu.so",
};

describe("applying CDI edits to a container's configuration", () => {
  it("puts a variable's new value where it stands, and others at the end", () => {
    const { process } = applyEdits(SPEC, { env: ["A=new", "C=1", "C=2"] }, { host: HOST });
    expect(process.env).toEqual(["PATH=/bin", "A=new", "B=old", "C=2"]);
  });

  it("fills a node from the host, gives it the process's user, and takes the place of one at its path", () => {
    const { linux } = applyEdits(SPEC, { deviceNodes: [{ path: "/dev/gpu0", permissions: "rw" }] }, { host: HOST });
    expect(linux.devices).toEqual([{ path: "/dev/gpu0", type: "c", major: 195, minor: 7, fileMode: 0o660, uid: 1000 }]);
    expect(linux.resources.devices?.at(-1)).toEqual({ allow: true, type: "c", major: 195, minor: 7, access: "rw" });
    expect(linux.resources.devices?.length).toBe((SPEC.linux.resources.devices?.length ?? 0) + 1);
  });

  it("refuses a node that is not there, unless all of it is told", () => {
    const told = { path: "/dev/gone", type: "b", major: 8, minor: 1 };
    expect(applyEdits(SPEC, { deviceNodes: [told] }, { host: HOST }).linux.devices?.at(-1)).toMatchObject(told);
    expect(() => applyEdits(SPEC, { deviceNodes: [{ path: "/dev/gone" }] }, { host: HOST })).toThrow(
      "giving device `/dev/gone` to the container: there is no such device",
    );
    expect(() => applyEdits(SPEC, { deviceNodes: [{ path: "/dev/gpu0", type: "b" }] }, { host: HOST })).toThrow(
      "it is of type c, its specification says b",
    );
  });

  it("takes the place of a mount with its destination and sorts all by depth", () => {
    const mounts = [
      { hostPath: "/x", containerPath: "/opt/lib", options: ["rbind", "ro"] },
      { hostPath: "tmpfs", containerPath: "/run", type: "tmpfs" },
    ];
    const result = applyEdits(SPEC, { mounts }, { host: HOST }).mounts;
    expect(result.filter(({ destination }) => destination === "/opt/lib")).toEqual([
      { destination: "/opt/lib", source: "/x", options: ["rbind", "ro"] },
    ]);
    const depths = result.map(({ destination }) => destination.split("/").length);
    expect(depths).toEqual(depths.toSorted((a, b) => a - b));
    expect(result.length).toBe(SPEC.mounts.length + 1);
  });

  it("mounts nodes for an ordinary user, without shifting, and leaves groups out that he lacks", () => {
    const spec = { ...SPEC, linux: { ...SPEC.linux, namespaces: [{ type: "user" as const }] } };
    const edits = {
      deviceNodes: [{ path: "/dev/gpu1", hostPath: "/dev/gpu0" }],
      mounts: [{ hostPath: "/opt/libgpu.so", containerPath: "/lib/libgpu.so", options: ["bind"] }],
      additionalGids: [0, 5, 100_000],
    };
    const result = applyEdits(spec, edits, { host: HOST, namespace: { highestGid: 65_535 } });
    expect(result.mounts.find(({ destination }) => destination === "/dev/gpu1")?.source).toBe("/dev/gpu0");
    expect(result.mounts.find(({ destination }) => destination === "/lib/libgpu.so")?.options).toEqual(["bind"]);
    expect(result.linux.devices).toEqual(SPEC.linux.devices);
    expect(result.process.user.additionalGids).toEqual([4, 5]);
    const shifted = applyEdits(spec, { mounts: edits.mounts }, { host: HOST });
    expect(shifted.mounts.find(({ destination }) => destination === "/lib/libgpu.so")?.options).toEqual([
      "bind",
      "idmap",
    ]);
  });

  it("adds hooks behind those that are there, interfaces, and the share of caches", () => {
    const spec = { ...SPEC, hooks: { prestart: [{ path: "/a" }] } };
    const result = applyEdits(spec, {
      hooks: [{ hookName: "prestart", path: "/b", args: ["b", "-x"], timeout: 3 }],
      netDevices: [{ hostInterfaceName: "eno1", name: "net0" }],
      intelRdt: { closID: "one" },
    });
    expect(result.hooks).toEqual({ prestart: [{ path: "/a" }, { path: "/b", args: ["b", "-x"], timeout: 3 }] });
    expect(result.linux.netDevices).toEqual({ eno1: { name: "net0" } });
    expect(result.linux.intelRdt).toEqual({ closID: "one" });
  });

  it("changes nothing without edits, and the same again when edits are applied twice", () => {
    expect(applyEdits(SPEC, {})).toEqual(SPEC);
    const env = fc.array(fc.stringMatching(/^[A-C]=[a-z]{0,2}$/));
    const path = fc.constantFrom("/a", "/a/b", "/c/d/e", "/dev/x");
    const mounts = fc.array(fc.record({ hostPath: path, containerPath: path, options: fc.constant(["bind"]) }));
    fc.assert(
      fc.property(fc.record({ env, mounts }), (edits) => {
        const once = applyEdits(SPEC, edits);
        expect(applyEdits(once, edits)).toEqual(once);
      }),
    );
  });
});

describe("what edits need of the host", () => {
  it("names all that is missing in one error, with the specification's file", () => {
    const edits = {
      deviceNodes: [{ path: "/dev/gone" }, { path: "/dev/told", type: "c", major: 1 }],
      mounts: [
        { hostPath: "/opt/libgpu.so", containerPath: "/a", options: ["bind"] },
        { hostPath: "/opt/libgpu.so.1", containerPath: "/b", options: ["rbind"] },
        { hostPath: "tmpfs", containerPath: "/c", type: "tmpfs" },
      ],
      hooks: [
        { hookName: "createRuntime", path: "/usr/bin/hook" },
        { hookName: "startContainer", path: "/sbin/ldconfig" },
      ],
    };
    expect(() => checkHostFiles({ edits, files: ["/etc/cdi/x.yaml"] }, { host: HOST })).toThrow(
      "/etc/cdi/x.yaml names what is not on this host: /dev/gone, /opt/libgpu.so.1, /usr/bin/hook",
    );
    expect(() =>
      checkHostFiles({ edits: { mounts: edits.mounts.slice(0, 1) }, files: [] }, { host: HOST }),
    ).not.toThrow();
  });

  it("says when a node has other numbers than its specification", () => {
    const node = { path: "/dev/gpu0", type: "c", major: 195, minor: 0 };
    expect(staleNodes({ deviceNodes: [node, { ...node, minor: 7 }, { path: "/dev/gpu0" }] }, HOST)).toEqual([
      "the CDI specification says that `/dev/gpu0` is c 195:0, and on this host it is c 195:7",
    ]);
  });
});
