// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakeNvidiaRoot } from "../../../test/support/fake-driver-root.ts";
import { compiler, putFakeNvml } from "../../../test/support/fake-nvml.ts";
import { parseGpus } from "../../options/index.ts";
import { findDevices } from "../index.ts";

describe.skipIf(compiler() === undefined)("devices asked for by uuids that only NVML knows", () => {
  let root = "";
  beforeEach(() => {
    root = fs.mkdtempSync(join(tmpdir(), "tare-uuids-"));
    const gpus = [
      { bus: "0000:07:00.0", minor: 1, uuid: null },
      { bus: "0000:0f:00.0", minor: 0, mig: { 1: [0], 2: [0] } },
    ];
    fakeNvidiaRoot(root, { gpus, nodes: "files" });
    const part = (gi: number): { uuid: string; gi: number; ci: number } => ({ uuid: `MIG-part-${gi}`, gi, ci: 0 });
    const said = {
      gpus: [
        { bus: "00000000:07:00.0", uuid: "GPU-fresh", minor: 1 },
        { bus: "00000000:0f:00.0", uuid: "GPU-divided", minor: 0, mig: [part(1), part(2)] },
      ],
    };
    process.env["FAKE_NVML"] = putFakeNvml(root, said).FAKE_NVML;
  });
  afterEach(() => {
    delete process.env["FAKE_NVML"];
    fs.rmSync(root, { recursive: true });
  });

  const nodesOf = async (id: string): Promise<readonly string[]> => {
    const requests = [parseGpus(`device=${id}`)];
    const { edits } = await findDevices({ requests, env: [] }, { driverRoot: root, cdiDirectories: [] });
    return (edits.deviceNodes ?? []).map(({ path }) => path).filter((path) => /nvidia\d|cap\d/.test(path));
  };

  it("are the part of a divided GPU, whose two nodes come with its GPU's", async () => {
    const second = await nodesOf("MIG-part-2");
    expect(second).toEqual(await nodesOf("1:1"));
    expect(second).toContain("/dev/nvidia0");
    expect(second).not.toEqual(await nodesOf("MIG-part-1"));
  });

  it("are a card that nothing has used yet", async () => {
    expect(await nodesOf("GPU-fresh")).toEqual(["/dev/nvidia1"]);
  });

  it("are an error when nobody has them", async () => {
    await expect(nodesOf("MIG-other")).rejects.toMatchObject({ code: "E_GPU_UNKNOWN" });
  });
});
