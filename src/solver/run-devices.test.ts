// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { loadCdi } from "../gpu/index.ts";
import type { RunOp } from "../graph/index.ts";
import { deviceNames, stepDevices } from "./run-devices.ts";
import type { StepContext } from "./types.ts";

const AUTO_ALLOW = "org.mobyproject.buildkit.device.autoallow";
const device = (name: string, annotations = {}): object => ({
  name,
  annotations,
  containerEdits: { env: [`D=${name}`] },
});
const SPEC = {
  cdiVersion: "0.6.0",
  kind: "example.com/gpu",
  devices: [device("0"), device("1"), device("free", { [AUTO_ALLOW]: "true" })],
} as never;

/** A step that asks for these devices (`!` marks required ones), and what it says. */
function step(
  wanted: readonly string[],
  allow: readonly string[],
): { readonly context: StepContext; readonly op: RunOp; readonly said: string[] } {
  const said: string[] = [];
  const devices = wanted.map((name) => ({ name: name.replace("!", ""), required: name.endsWith("!") }));
  const context = {
    resources: { allow: new Set(allow), devices: () => loadCdi({ directories: [], generated: [SPEC] }) },
    log: (_stream: number, data: Uint8Array) => said.push(Buffer.from(data).toString()),
  };
  return { context: context as unknown as StepContext, op: { devices } as unknown as RunOp, said };
}

const NAMED: readonly (readonly [
  name: string,
  wanted: readonly string[],
  allow: readonly string[],
  found: readonly string[],
])[] = [
  ["all are allowed", ["example.com/gpu=0", "example.com/gpu=1"], ["device"], ["0", "1"]],
  ["one is allowed by name", ["example.com/gpu=1"], ["device=example.com/gpu=1"], ["1"]],
  ["one is allowed by its kind", ["example.com/gpu=0"], ["device=example.com/gpu=*"], ["0"]],
  ["the specification allows it", ["example.com/gpu=free"], [], ["free"]],
  ["another name is given on the command line", ["gpu"], ["device=example.com/gpu=1,alias=gpu"], ["1"]],
  ["a name stands twice", ["example.com/gpu=0", "example.com/gpu=0"], ["device"], ["0"]],
  ["it is not here and not required", ["example.com/gpu=9"], [], []],
];

describe("the devices of a RUN step", () => {
  it.each(NAMED)("are found when %s", async (_name, wanted, allow, found) => {
    const { context, op } = step(wanted, allow);
    expect(await deviceNames(context, op)).toEqual(found.map((name) => `example.com/gpu=${name}`));
  });

  it("are refused when they are not allowed, or required and not here", async () => {
    const refused = step(["example.com/gpu=0", "example.com/gpu=free"], ["device=example.com/gpu=1"]);
    await expect(deviceNames(refused.context, refused.op)).rejects.toMatchObject({
      code: "E_ENTITLEMENT",
      message: "device example.com/gpu=0 is requested by the build but not allowed",
    });
    const absent = step(["example.com/nic!"], ["device"]);
    await expect(deviceNames(absent.context, absent.op)).rejects.toMatchObject({
      code: "E_CDI_DEVICE",
      message: 'required device "example.com/nic" is not registered',
      exitCode: 1,
    });
  });

  it("are missed aloud once, when the step runs", async () => {
    const { context, op, said } = step(["nic", "example.com/gpu=0"], ["device"]);
    await deviceNames(context, op);
    expect(said).toEqual([]);
    expect((await stepDevices(context, op))?.edits.env).toEqual(["D=0"]);
    expect(said).toEqual(["the device nic is not on this host: the step runs without it\n"]);
  });
});
