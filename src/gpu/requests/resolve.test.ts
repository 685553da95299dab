// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import { parseGpus } from "../../options/index.ts";
import type { GpuRequest } from "../../options/index.ts";
import type { GpuVendor, HostGpu } from "../types.ts";
import type { GpuInventory } from "./inventory.ts";
import { resolveGpuRequests } from "./resolve.ts";

const UUIDS = ["GPU-3a23c669-1f69-c64e-cf85-44e9b07e7a2a", "GPU-3a23ffff-0000-4000-8000-000000000000", "GPU-9b1deb4d"];
const PART = "MIG-5a2f6b3c-8b1e-5d0e-9d5b-1c2d3e4f5a6b";

function gpu(vendor: GpuVendor, index: number, more: Partial<HostGpu> = {}): HostGpu {
  return { vendor, index, name: "Card", nodes: [], mig: [], ...more };
}

/** Cards whose minors go the other way than their addresses. */
const CARDS: readonly HostGpu[] = [
  gpu("nvidia", 0, { name: "NVIDIA A100", uuid: UUIDS[0] ?? "", busId: "0000:07:00.0", minor: 2 }),
  gpu("nvidia", 1, { name: "NVIDIA A100", uuid: UUIDS[1] ?? "", busId: "0000:0f:00.0", minor: 1 }),
  gpu("nvidia", 2, { name: "NVIDIA L4", uuid: UUIDS[2] ?? "", busId: "0001:47:00.0", minor: 0 }),
];

const of = (kind: string, ...names: readonly string[]): readonly string[] =>
  names.map((name) => `${kind}.com/gpu=${name}`);
const host = (names: readonly string[], gpus: readonly HostGpu[] = []): GpuInventory => ({
  names,
  gpus,
  lookedIn: ["/proc/driver/nvidia", "/etc/cdi"],
});

const THREE = host(of("nvidia", "0", "1", "2", ...UUIDS, "all"), CARDS);
const INSTALLED = host(of("nvidia", "0", "1", "10", "2", "all"));
const NO_ALL = host(of("nvidia", "10", "2", "GPU-a", "GPU-b"));
const BY_UUID = host(of("nvidia", ...UUIDS, "all"), CARDS);
const TYPED = host(of("nvidia", "gpu0", "gpu1", "all"), CARDS);
const DIVIDED = host(of("nvidia", "0:0", "0:1", PART, "1", "all"), [
  gpu("nvidia", 0, {
    uuid: UUIDS[0] ?? "",
    mig: [
      { index: 0, nodes: [] },
      { index: 1, uuid: PART, nodes: [] },
    ],
  }),
  gpu("nvidia", 1, { uuid: UUIDS[1] ?? "" }),
]);
const AMD = host(of("amd", "0", "1", "all"), [gpu("amd", 0), gpu("amd", 1)]);
const INTEL = host(of("intel", "card0", "card1"), [
  gpu("intel", 0, { nodes: ["/dev/dri/card0", "/dev/dri/renderD128"] }),
  gpu("intel", 1, { nodes: ["/dev/dri/card1", "/dev/dri/renderD129"] }),
]);
const MIXED = host([...of("amd", "0", "all"), ...of("intel", "0", "all"), ...of("nvidia", "0", "all")]);
const WINDOWS = host(of("nvidia", "all"), [gpu("nvidia", 0)]);
const NONE = host([]);
const OTHERS = host(["example.com/thing=a"]);

describe("requests and the CDI devices they come to", () => {
  it.each<readonly [string, GpuInventory, readonly string[], readonly string[]]>([
    ["all is the specification's own", THREE, ["all"], of("nvidia", "all")],
    ["all without such a device is each by its index", NO_ALL, ["all"], of("nvidia", "2", "10")],
    ["a device called all", THREE, ["device=all"], of("nvidia", "all")],
    ["the first one", THREE, ["1"], of("nvidia", "0")],
    ["nothing said is one", THREE, ["driver=nvidia"], of("nvidia", "0")],
    ["the first two, not two free ones", THREE, ["2"], of("nvidia", "0", "1")],
    ["indexes are numbers, not texts", INSTALLED, ["3"], of("nvidia", "0", "1", "2")],
    ["none", THREE, ["0"], []],
    ["an index", THREE, ["device=1"], of("nvidia", "1")],
    ["several", THREE, ['"device=2,0"'], of("nvidia", "2", "0")],
    ["blanks around ids", THREE, ['"device=0, 1"'], of("nvidia", "0", "1")],
    ["each once", THREE, ['"device=0,0"', "1"], of("nvidia", "0")],
    ["several flags", THREE, ["device=2", "device=0"], of("nvidia", "2", "0")],
    ["a uuid that the specification has", THREE, [`device=${UUIDS[1]}`], of("nvidia", UUIDS[1] ?? "")],
    ["the beginning of a uuid", THREE, ["device=GPU-9b"], of("nvidia", "2")],
    ["a uuid in other letters", THREE, [`device=${UUIDS[0]?.toUpperCase()}`], of("nvidia", "0")],
    ["a uuid that is the beginning of no other", BY_UUID, ["device=GPU-3a23c"], of("nvidia", UUIDS[0] ?? "")],
    ["an index where the specification has uuids", BY_UUID, ["device=2"], of("nvidia", UUIDS[2] ?? "")],
    ["a count where the specification has uuids", BY_UUID, ["2"], of("nvidia", UUIDS[0] ?? "", UUIDS[1] ?? "")],
    ["an index where names have their type", TYPED, ["device=1"], of("nvidia", "gpu1")],
    ["a PCI address as nvidia-smi prints it", THREE, ["device=00000000:0F:00.0"], of("nvidia", "1")],
    ["a PCI address of another domain", THREE, ["device=00000001:47:00.0"], of("nvidia", "2")],
    ["a PCI address as lspci prints it", THREE, ["device=07:00.0"], of("nvidia", "0")],
    ["a part of a divided GPU", DIVIDED, ["device=0:1"], of("nvidia", "0:1")],
    ["a part by its uuid", DIVIDED, [`device=${PART}`], of("nvidia", PART)],
    ["a part by the beginning of its uuid", DIVIDED, ["device=MIG-5a2f"], of("nvidia", "0:1")],
    ["a count counts parts", DIVIDED, ["3"], of("nvidia", "0:0", "0:1", "1")],
    ["a qualified name", THREE, ["device=nvidia.com/gpu=1"], of("nvidia", "1")],
    ["a qualified name that nobody has checked", NONE, ["device=other.org/net=a"], ["other.org/net=a"]],
    [
      "a qualified name beside an index",
      THREE,
      ['"device=0,example.com/thing=a"'],
      [...of("nvidia", "0"), "example.com/thing=a"],
    ],
    ["the driver cdi", THREE, ['driver=cdi,"device=a.b/c=d,nvidia.com/gpu=0"'], ["a.b/c=d", ...of("nvidia", "0")]],
    ["AMD where there is nothing else", AMD, ["1"], of("amd", "0")],
    ["AMD by name", MIXED, ["all,driver=amd"], of("amd", "all")],
    ["AMD by capability", MIXED, ["all,capabilities=amd"], of("amd", "all")],
    ["Intel by name", MIXED, ["all,driver=intel"], of("intel", "all")],
    ["NVIDIA before the others", MIXED, ["all"], of("nvidia", "all")],
    ["Intel by its node", INTEL, ["device=card1"], of("intel", "card1")],
    ["Intel by the other node", INTEL, ["device=renderD129"], of("intel", "card1")],
    ["Intel by index", INTEL, ["device=1"], of("intel", "card1")],
    ["all of Intel", INTEL, ["all"], of("intel", "card0", "card1")],
    ["inside Windows", WINDOWS, ["all"], of("nvidia", "all")],
    ["parts of the driver choose no device", THREE, ['1,"capabilities=compute,utility"'], of("nvidia", "0")],
  ])("%s", (_, inventory, flags, wanted) => {
    expect(resolveGpuRequests(flags.map(parseGpus), inventory)).toEqual(wanted);
  });
});

describe("requests that nothing comes of", () => {
  it.each<readonly [string, GpuInventory, string, string, RegExp, RegExp]>([
    [
      "no GPU at all",
      NONE,
      "all",
      "E_GPU_MISSING",
      /this host has none \(looked for \/proc\/driver\/nvidia, \/etc\/cdi\)/,
      /nvidia-smi.*leave `--gpus` out/,
    ],
    ["CDI devices that are no GPUs", OTHERS, "1", "E_GPU_MISSING", /this host has none/, /nvidia-smi/],
    ["an index without any GPU", NONE, "device=0", "E_GPU_MISSING", /none/, /driver/],
    ["another vendor", AMD, "all,driver=nvidia", "E_GPU_MISSING", /none of NVIDIA, only of AMD/, /driver=nvidia/],
    [
      "parts of another vendor's driver",
      AMD,
      "all,capabilities=utility",
      "E_GPU_MISSING",
      /none of NVIDIA, only of AMD/,
      /leave these/,
    ],
    [
      "more than there are",
      THREE,
      "4",
      "E_GPU_UNKNOWN",
      /asking for 4 GPUs: there are 3/,
      /0 \(NVIDIA A100, GPU-3a23c669.*\); 1 .*; 2 \(NVIDIA L4/,
    ],
    ["more than the one", host(of("nvidia", "0")), "2", "E_GPU_UNKNOWN", /there is 1 on/, /from: 0$/],
    [
      "an index that is a minor of nobody",
      THREE,
      "device=3",
      "E_GPU_UNKNOWN",
      /the GPU `3`: there is none/,
      /^to choose from: 0 /,
    ],
    ["a uuid that two begin with", THREE, "device=GPU-3a23", "E_GPU_UNKNOWN", /beginning of several/, /0 \(.*; 1 \(/],
    ["a beginning that is no uuid", THREE, "device=GPU-", "E_GPU_UNKNOWN", /there is none/, /choose from/],
    ["a divided GPU", DIVIDED, "device=0", "E_GPU_UNKNOWN", /is divided/, /0:0 \(.*; 0:1 /],
    ["one of many inside Windows", WINDOWS, "1", "E_GPU_UNKNOWN", /all together only/, /--gpus all/],
    ["an index inside Windows", WINDOWS, "device=0", "E_GPU_UNKNOWN", /all together only/, /--gpus all/],
    [
      "a driver of no vendor",
      THREE,
      "driver=foo",
      "E_USAGE",
      /^could not select device driver "foo" with capabilities: \[\[gpu\]\]$/,
      /nvidia/,
    ],
    [
      "a capability of no driver",
      THREE,
      "all,capabilities=nvidia-compute",
      "E_USAGE",
      /with capabilities: \[\[nvidia-compute gpu\]\]/,
      /did you mean "compute"/,
    ],
    [
      "capabilities of two drivers",
      MIXED,
      '1,"capabilities=amd,utility"',
      "E_USAGE",
      /could not select/,
      /different vendors/,
    ],
    ["no capability", THREE, "all,capabilities=", "E_USAGE", /\[\[ gpu\]\]/, /capabilities are/],
    ["a count of the driver cdi", THREE, "all,driver=cdi", "E_USAGE", /unexpected count/, /driver=cdi,device=/],
    ["an index of the driver cdi", THREE, "driver=cdi,device=0", "E_USAGE", /`0` is no name/, /driver=cdi,device=/],
  ])("%s", (_, inventory, flag, code, message, hint) => {
    let thrown: unknown;
    try {
      resolveGpuRequests([parseGpus(flag)], inventory);
    } catch (error) {
      thrown = error;
    }
    if (!isTareError(thrown)) throw new Error("nothing was thrown");
    expect(thrown).toMatchObject({ code, exitCode: 125 });
    expect(thrown.message).toMatch(message);
    expect(thrown.hint).toMatch(hint);
  });
});

it("gives names that are there, or an error", () => {
  const request: fc.Arbitrary<GpuRequest> = fc.record({
    driver: fc.constantFrom("", "nvidia", "amd", "cdi"),
    count: fc.integer({ min: -1, max: 4 }),
    deviceIds: fc.array(fc.oneof(fc.constantFrom("0", "1", "GPU-3a", "07:00.0", "all", "0:1"), fc.string()), {
      maxLength: 3,
    }),
    capabilities: fc.constant(["gpu"]),
    options: fc.constant({}),
  });
  const inventories = fc.constantFrom(THREE, DIVIDED, AMD, NONE, BY_UUID, WINDOWS);
  fc.assert(
    fc.property(fc.array(request, { maxLength: 3 }), inventories, (requests, inventory) => {
      try {
        const names = resolveGpuRequests(requests, inventory);
        expect(new Set(names).size).toBe(names.length);
        for (const name of names)
          if (/^(?:nvidia|amd|intel)\.com\/gpu=/.test(name)) expect(inventory.names).toContain(name);
      } catch (error) {
        if (!isTareError(error)) throw error;
      }
    }),
  );
});
