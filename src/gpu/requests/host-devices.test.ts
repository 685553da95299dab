// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  fakeAmdRoot,
  fakeIntelRoot,
  fakeNvidiaRoot,
  fakeUuid,
  fakeWslRoot,
} from "../../../test/support/fake-driver-root.ts";
import { parseGpus } from "../../options/index.ts";
import { findDevices, openHostDevices } from "../index.ts";
import type { DevicePlaces, FoundDevices } from "../index.ts";

let root = "";
let places: DevicePlaces;
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-find-"));
  fs.mkdirSync(join(root, "proc"), { recursive: true });
  fs.writeFileSync(join(root, "proc/devices"), "Character devices:\n");
  fs.mkdirSync(join(root, "dev/dri"), { recursive: true });
  fs.mkdirSync(join(root, "cdi"));
  places = { driverRoot: root, cdiDirectories: [join(root, "cdi")] };
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const TWO = [
  { bus: "0000:07:00.0", minor: 1 },
  { bus: "0000:0f:00.0", minor: 0 },
];
const find = async (...flags: readonly string[]): Promise<FoundDevices> =>
  await findDevices({ requests: flags.map(parseGpus), env: [] }, places);
const files = ({ edits }: FoundDevices): readonly string[] =>
  (edits.mounts ?? []).map(({ containerPath }) => containerPath.split("/").at(-1) ?? "");

function install(kind: string, ...names: readonly string[]): void {
  const devices = names.map((name) => ({ name, containerEdits: { env: [`INSTALLED=${name}`] } }));
  const text = JSON.stringify({ cdiVersion: "0.6.0", kind, devices });
  fs.writeFileSync(join(root, "cdi", `${kind.replace("/", "-")}.json`), text);
}

describe("devices of this host", () => {
  it("are generated from the driver's files where no specification is installed", async () => {
    fakeNvidiaRoot(root, { gpus: TWO, nodes: "files" });
    const found = await find("device=0");
    expect(found.names).toEqual(["nvidia.com/gpu=0"]);
    expect(found.files).toEqual([]);
    const nodes = (found.edits.deviceNodes ?? []).map(({ path }) => path);
    expect(nodes).toContain("/dev/nvidia1");
    expect(nodes).not.toContain("/dev/nvidia0");
    expect(files(found)).toEqual(expect.arrayContaining(["libcuda.so.1", "nvidia-smi"]));
    expect(found.gpus.map(({ index }) => index)).toEqual([0]);
  });

  it("are those of the installed specification, and none of a generated one of that maker", async () => {
    fakeNvidiaRoot(root, { gpus: TWO, nodes: "files" });
    install("nvidia.com/gpu", "0", "1", "all");
    const found = await find("all");
    expect(found.edits.env).toEqual(["INSTALLED=all"]);
    expect(found.gpus.map(({ index }) => index)).toEqual([0, 1]);
    // The uuid is discovery's, the name the specification's.
    expect((await find(`device=${fakeUuid(1)}`)).names).toEqual(["nvidia.com/gpu=1"]);
  });

  it("are generated for makers that others' specifications say nothing of", async () => {
    fakeAmdRoot(root);
    install("nvidia.com/gpu", "0");
    expect((await find("1,driver=amd")).edits.deviceNodes?.map(({ path }) => path)).toContain("/dev/kfd");
    expect((await find("1")).edits.env).toEqual(["INSTALLED=0"]);
  });

  it("bring the parts of the driver that the request, else the environment asks for", async () => {
    fakeNvidiaRoot(root, { nodes: "files" });
    expect(files(await find("all,capabilities=video"))).not.toContain("libcuda.so.1");
    expect(files(await find("all,capabilities=video"))).toContain("libnvcuvid.so.1");
    const requests = [parseGpus("all")];
    const utility = await findDevices({ requests, env: ["NVIDIA_DRIVER_CAPABILITIES=utility"] }, places);
    expect(files(utility)).toContain("nvidia-smi");
    expect(files(utility)).not.toContain("libcuda.so.1");
    await expect(findDevices({ requests, env: ["NVIDIA_DRIVER_CAPABILITIES=cuda"] }, places)).rejects.toThrow("`cuda`");
  });

  it("are of the maker that serves the request, and devices that are no GPUs are none", async () => {
    fakeIntelRoot(root);
    fakeNvidiaRoot(root, { nodes: "files", without: ["drm"] });
    install("example.com/thing", "a");
    expect((await find("all")).gpus.map(({ vendor }) => vendor)).toEqual(["nvidia"]);
    expect((await find("1,driver=intel")).gpus.map(({ vendor }) => vendor)).toEqual(["intel"]);
    expect((await find("driver=cdi,device=example.com/thing=a")).gpus).toEqual([]);
    expect((await find("0")).gpus).toEqual([]);
  });

  it("may be none, with the driver's files alone", async () => {
    fakeNvidiaRoot(root, { nodes: "files" });
    const found = await find("driver=nvidia,device=none");
    expect(found.gpus).toEqual([]);
    expect(files(found)).toContain("nvidia-smi");
    expect((found.edits.deviceNodes ?? []).map(({ path }) => path)).not.toContain("/dev/nvidia0");
  });

  it("are inside of Windows all or nothing", async () => {
    fs.rmSync(join(root, "dev/dri"), { recursive: true });
    fakeWslRoot(root);
    expect((await find("all")).names).toEqual(["nvidia.com/gpu=all"]);
    await expect(find("device=0")).rejects.toMatchObject({ code: "E_GPU_UNKNOWN" });
  });
});

describe("a driver that is not complete", () => {
  beforeEach(() => fakeNvidiaRoot(root, { without: ["libcuda"], nodes: "files" }));

  it("is an error for who asks for its GPUs", async () => {
    await expect(find("all")).rejects.toMatchObject({ code: "E_GPU_DRIVER" });
    await expect(find("device=nvidia.com/gpu=0")).rejects.toMatchObject({ code: "E_GPU_DRIVER" });
  });

  it("hides no other devices", async () => {
    install("example.com/thing", "a");
    expect((await find("driver=cdi,device=example.com/thing=a")).edits.env).toEqual(["INSTALLED=a"]);
    const { registry } = await openHostDevices(places);
    expect(registry.problems.map(({ message }) => message)).toEqual([expect.stringContaining("libcuda.so.535")]);
    expect(() => registry.resolve(["nvidia.com/gpu=0"])).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("libcuda.so.535") as string }),
    );
  });
});

it("says what was looked for, and what is odd, when there is no GPU", async () => {
  fakeNvidiaRoot(root, { without: ["module", "proc"], nodes: "files" });
  fs.writeFileSync(join(root, "cdi/broken.json"), "{");
  const error: unknown = await find("all").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: "E_GPU_MISSING",
    message: expect.stringContaining(`CDI specifications in ${join(root, "cdi")}`) as string,
    hint: expect.stringMatching(/kernel module is not loaded.*broken|broken.*kernel module|kernel module/s) as string,
  });
});
