// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fakeNvidiaRoot } from "../../../test/support/fake-driver-root.ts";
import { describeHost } from "./describe-host.ts";

describe("a driver without its library", () => {
  it("has the compute capability that the chip's number tells, and none for an unknown chip", async () => {
    const root = fs.mkdtempSync(join(tmpdir(), "tare-chips-"));
    const numbers = ["0x20b0", "0x1db4", "0x2330", "0x0001"];
    const gpus = numbers.map((device, minor) => ({ bus: `0000:0${minor + 1}:00.0`, minor, device }));
    fakeNvidiaRoot(root, { gpus, nodes: "files", without: ["libraries"] });
    const found = await describeHost({ driverRoot: root, devRoot: root });
    fs.rmSync(root, { recursive: true });
    expect(found.gpus.map(({ architecture }) => architecture)).toEqual(["8.0", "7.0", "9.0", undefined]);
  });
});
