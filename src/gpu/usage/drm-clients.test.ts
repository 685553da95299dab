// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseClient } from "./drm-clients.ts";
import type { DrmEngine } from "./drm-clients.ts";

/** In the order of the kernel's own descriptions of each driver. */
const AMDGPU = `pos:	0
flags:	02100002
mnt_id:	26
ino:	600
drm-driver:	amdgpu
drm-client-id:	42
drm-pdev:	0000:03:00.0
pasid:	32770
drm-memory-vram:	1024 KiB
drm-memory-gtt:	4096 KiB
drm-total-vram:	3 MiB
drm-resident-vram:	2 MiB
amd-requested-vram:	3072 KiB
drm-engine-gfx:	1000000 ns
drm-engine-compute:	5000000 ns
`;
const OLD_AMDGPU = `drm-driver:	amdgpu
drm-pdev:	0000:03:00.0
drm-client-id:	7
drm-memory-vram:	512 KiB
drm-memory-gtt: 	64 KiB
drm-engine-gfx:	12 ns
`;
const I915 = `drm-driver:	i915
drm-client-id:	9
drm-pdev:	0000:00:02.0
drm-total-system0:	900 KiB
drm-resident-system0:	900 KiB
drm-total-local0:	8192 KiB
drm-resident-local0:	4096 KiB
drm-engine-render:	77 ns
drm-engine-video:	20 ns
drm-engine-capacity-video:	2
`;
const XE = `drm-driver:	xe
drm-client-id:	3
drm-pdev:	0000:03:00.0
drm-total-gtt:	192 KiB
drm-resident-vram0:	1 GiB
drm-cycles-rcs:	28257900
drm-total-cycles-rcs:	7655183225
drm-cycles-ccs:	100
drm-total-cycles-ccs:	200
`;

const engines = (all: Readonly<Record<string, DrmEngine>>): ReadonlyMap<string, DrmEngine> =>
  new Map(Object.entries(all));

describe("what an open file of a GPU shows", () => {
  it.each([
    [
      "amdgpu, memory in three ways",
      AMDGPU,
      {
        bus: "0000:03:00.0",
        client: "42",
        memory: 2 * 2 ** 20,
        engines: engines({ gfx: { busy: 1_000_000, capacity: 1 }, compute: { busy: 5_000_000, capacity: 1 } }),
      },
    ],
    [
      "amdgpu before Linux 6.8",
      OLD_AMDGPU,
      { bus: "0000:03:00.0", client: "7", memory: 512 * 1024, engines: engines({ gfx: { busy: 12, capacity: 1 } }) },
    ],
    [
      "i915, whose system memory is the host's",
      I915,
      {
        bus: "0000:00:02.0",
        client: "9",
        memory: 4 * 2 ** 20,
        engines: engines({ render: { busy: 77, capacity: 1 }, video: { busy: 20, capacity: 2 } }),
      },
    ],
    [
      "xe, which counts cycles",
      XE,
      {
        bus: "0000:03:00.0",
        client: "3",
        memory: 2 ** 30,
        engines: engines({
          rcs: { busy: 28_257_900, total: 7_655_183_225, capacity: 1 },
          ccs: { busy: 100, total: 200, capacity: 1 },
        }),
      },
    ],
    ["a file that was not used yet", "drm-driver:\tamdgpu\ndrm-pdev:\t0000:03:00.0\n", undefined],
    ["a GPU that is on no PCI bus", "drm-driver:\tvc4\ndrm-client-id:\t1\n", undefined],
    ["another file", "pos:\t0\nflags:\t02\n", undefined],
  ])("%s", (_name, text, expected) => {
    expect(parseClient(text, 5)).toEqual(expected && { pid: 5, ...expected });
  });

  it("is never misread: any text gives nothing, or numbers that are none below zero", () => {
    const key = fc.constantFrom("pdev", "client-id", "memory-vram", "resident-local0", "engine-gfx", "cycles-rcs", "x");
    const value = fc.oneof(fc.string(), fc.constantFrom("1 KiB", "99999999999999999999 GiB", "-4 ns", "0000:03:00.0"));
    const line = fc.oneof(
      fc.string(),
      fc.tuple(key, value).map(([name, text]) => `drm-${name}:\t${text}`),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const client = parseClient(lines.join("\n"), 1);
        if (client === undefined) return;
        for (const number of [client.memory, ...[...client.engines.values()].map(({ busy }) => busy)]) {
          expect(number).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
