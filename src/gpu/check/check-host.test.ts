// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { shippedGpuData } from "../data/load.ts";
import { checkGpuHost } from "./check-host.ts";
import type { HostState } from "./host-state.ts";

const data = await shippedGpuData();

const GPU = {
  vendor: "nvidia",
  index: 0,
  name: "NVIDIA A100",
  architecture: "8.0",
  nodes: ["/dev/nvidia0"],
  mig: [],
} as const;
const GOOD: HostState = {
  host: {
    drivers: [
      { vendor: "nvidia", kind: "native", version: "535.104.05", nodes: ["/dev/nvidiactl", "/dev/nvidia-uvm"] },
    ],
    gpus: [GPU],
    remarks: [],
  },
  nodes: ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0"].map((path) => ({ path, state: "usable" })),
  cdi: { kinds: [], problems: [], stale: [] },
  isPersistent: true,
  shmBytes: 16 * 2 ** 30,
  isOrdinary: false,
};

it("finds nothing in the way of a good host", () => {
  const findings = checkGpuHost(GOOD, data);
  expect(findings.map(({ level }) => level)).toEqual(findings.map(() => "ok"));
  const text = findings.map(({ message }) => message).join("\n");
  expect(text).toContain("NVIDIA driver 535.104.05 (CUDA 12.2): 0 NVIDIA A100 (8.0)");
  expect(text).toContain("no CDI specification is installed: Tare makes one at every start");
});

const CASES: readonly (readonly [
  name: string,
  change: Partial<HostState>,
  level: string,
  rule: string,
  says: string,
  fix: string,
])[] = [
  ["no GPU", { host: { drivers: [], gpus: [], remarks: [] } }, "error", "no-gpu", "no GPU with a driver", "--target"],
  [
    "a card without a driver",
    { host: { drivers: [], gpus: [], remarks: ["an NVIDIA GPU is at 0000:01:00.0"] } },
    "error",
    "no-gpu",
    "no driver that it could be used with",
    "install the driver",
  ],
  ["a driver without a card", { host: { ...GOOD.host, gpus: [] } }, "error", "no-gpu", "it has no GPU", "dmesg"],
  [
    "missing nodes",
    { nodes: [{ path: "/dev/nvidia-uvm", state: "missing" }] },
    "error",
    "node-missing",
    "/dev/nvidia-uvm",
    "nvidia-modprobe",
  ],
  [
    "a node of a group",
    { nodes: [{ path: "/dev/dri/renderD128", state: "forbidden", group: "render", rights: "mode 0660" }] },
    "error",
    "node-forbidden",
    "you may not use /dev/dri/renderD128 (mode 0660)",
    "usermod -aG render",
  ],
  [
    "a specification of another driver",
    {
      cdi: {
        kinds: ["nvidia.com/gpu"],
        problems: [],
        stale: [{ file: "/etc/cdi/nvidia.yaml", why: "libcuda.so.1 is gone" }],
      },
    },
    "error",
    "cdi-stale",
    "/etc/cdi/nvidia.yaml: libcuda.so.1 is gone",
    "nvidia-ctk cdi generate",
  ],
  [
    "a specification that can't be read",
    { cdi: { kinds: [], problems: ["reading `/etc/cdi/a.yaml`: no YAML"], stale: [] } },
    "warning",
    "cdi-unreadable",
    "no YAML",
    "remove it",
  ],
  ["no persistence", { isPersistent: false }, "warning", "persistence", "does not run", "systemctl"],
  ["little shared memory", { shmBytes: 64 * 2 ** 20 }, "warning", "shared-memory", "0.1 GiB", "--shm-size"],
  [
    "a card that the driver dropped",
    {
      host: {
        ...GOOD.host,
        drivers: [{ vendor: "nvidia", kind: "native", version: "595.71.05", nodes: [] }],
        gpus: [{ ...GPU, name: "GTX 1050", architecture: "6.1" }],
      },
    },
    "error",
    "gpu-dropped-by-driver",
    "GTX 1050 (Pascal, compute capability 6.1)",
    "R580",
  ],
];

it.each(CASES)("says of %s what to change", (_, change, level, rule, says, fix) => {
  const [worst] = checkGpuHost({ ...GOOD, ...change }, data);
  expect(worst).toMatchObject({
    level,
    rule,
    message: expect.stringContaining(says),
    fix: expect.stringContaining(fix),
  });
});
