// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sizeText, treeText } from "./size-text.ts";
import { displayWidth } from "./text/width.ts";
import type { ImageSize, LayerSize } from "../engine/index.ts";

const layer = (index: number, size: number, more: Partial<LayerSize> = {}): LayerSize => ({
  index,
  diffId: `sha256:${String(index).repeat(64)}`,
  size,
  files: 1,
  hidden: 0,
  createdBy: "",
  wheels: [],
  parts: [],
  ...more,
});

const IMAGE: ImageSize = {
  names: ["app:1"],
  id: `sha256:${"ab".repeat(32)}`,
  size: 100_000_000,
  merged: 99_000_000,
  files: 1234,
  layers: [
    layer(0, 30_000_000, {
      createdBy: "RUN  apt-get install\n  gcc",
      hidden: 1_000_000,
      parts: [
        { kind: "package", name: "libc6", version: "2.36", size: 20_000_000, files: 10 },
        { kind: "directory", name: "/etc", size: 9_000_000, files: 5 },
      ],
    }),
    layer(1, 69_000_000, {
      wheels: ["numpy 2.4.6"],
      parts: [{ kind: "distribution", name: "numpy", version: "2.4.6", size: 69_000_000, files: 3 }],
    }),
    layer(2, 1_000_000, {
      wheels: ["a 1", "b 2", "c 3"],
      parts: [
        { kind: "distribution", name: "a", version: "1", size: 600_000, files: 1 },
        { kind: "distribution", name: "b", version: "2", size: 300_000, files: 1 },
        { kind: "distribution", name: "c", version: "3", size: 100_000, files: 1 },
      ],
    }),
  ],
  distributions: [
    { name: "numpy", version: "2.4.6", path: "/n", size: 69_000_000, files: 3, bytecode: 0, layers: [1] },
    { name: "a", version: "1", path: "/a", size: 600_000, files: 1, bytecode: 0, layers: [2] },
    { name: "b", version: "2", path: "/b", size: 300_000, files: 1, bytecode: 0, layers: [2] },
  ],
  packages: [{ name: "libc6", version: "2.36", size: 20_000_000, files: 10 }],
  sharedObjects: [{ path: `/usr/lib/${"deep/".repeat(20)}libx.so.1`, size: 5_000_000, layer: 1, owner: "numpy" }],
  directories: [
    { path: "/etc", size: 9_000_000, files: 5 },
    { path: "/etc/ssl", size: 8_000_000, files: 4 },
  ],
  duplicates: [{ digest: "sha256:1", size: 70_000, wasted: 140_000, paths: ["/one", "/three", "/two"] }],
  hidden: { size: 1_000_000, files: 3, largest: [{ path: "/gone", size: 900_000, layer: 0 }] },
  deadWeight: [
    { rule: "tests", summary: "test suites", size: 4_000_000, files: 9, isSlim: true, largest: [] },
    { rule: "apt-caches", summary: "lists", size: 500_000, files: 2, isSlim: false, largest: [] },
  ],
  leftOut: [{ rule: "headers", files: 7, size: 2_000_000 }],
};

describe("image size", () => {
  it("shows each list with its total, the largest rows, and the rest in one", () => {
    expect(sizeText(IMAGE, { columns: 72, color: false, top: 2 })).toBe(`app:1
100MB in 3 layers; a container sees 99MB in 1234 files

Layers: 3, 100MB
   30MB ███▋         1. RUN apt-get install gcc
   69MB ████████▎    2. numpy 2.4.6
    1MB ▏            3. a 1, b 2 and 1 more distributions

Python distributions: 3, 69.9MB
   69MB ████████▎    numpy 2.4.6
  600kB ▏            a 1
  300kB              1 more

System packages: 1, 20MB
   20MB ██▍          libc6 2.36

Shared objects: 1, 5MB
    5MB ▋            …ep/deep/deep/deep/deep/deep/deep/libx.so.1 (numpy)

Other files, by folder: 2, 9MB
    8MB █            /etc/ssl
    1MB ▏            /etc

Equal files (all but one are a waste): 1, 140kB
  140kB              /one (3 times)

Hidden by upper layers: 3, 1MB
  900kB ▏            /gone (layer 1)
  100kB              2 more

Dead weight: 2, 4.5MB
    4MB ▌            tests: test suites
  500kB              apt-caches: lists

Left out by --slim: 2MB: headers 2MB in 7 files

\`tare build --slim\` of a project without a Dockerfile leaves out 4MB of this (docs/slim.md).
`);
  });

  it("has no line wider than the terminal and no control characters, whatever the names", () => {
    const name = fc.string({ unit: "binary", maxLength: 200 });
    fc.assert(
      fc.property(name, fc.integer({ min: 40, max: 200 }), (text, columns) => {
        const image: ImageSize = {
          ...IMAGE,
          leftOut: [],
          deadWeight: [],
          layers: [
            layer(0, 5, { createdBy: text, parts: [{ kind: "directory", name: `/${text}`, size: 5, files: 1 }] }),
          ],
          sharedObjects: [{ path: `/${text}`, size: 5, layer: 0, owner: text }],
          duplicates: [{ digest: "sha256:1", size: 5, wasted: 5, paths: [`/${text}`, "/b"] }],
        };
        const layout = { columns, color: false, top: 10 };
        for (const line of `${sizeText(image, layout)}${treeText(image, layout)}`.split("\n")) {
          expect(displayWidth(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/\p{Cc}/u);
        }
      }),
    );
  });
});

describe("images --tree", () => {
  it("shows what is in each layer; a layer of one wheel says it once", () => {
    expect(treeText(IMAGE, { columns: 72, color: false, top: 2 })).toBe(`app:1
100MB in 3 layers; a container sees 99MB in 1234 files
   30MB ███▋         ├─ 1. RUN apt-get install gcc
   20MB ██▍          │  ├─ libc6 2.36
    9MB █▏           │  ├─ /etc
    1MB ▏            │  └─ hidden by upper layers
   69MB ████████▎    ├─ 2. numpy 2.4.6
    1MB ▏            └─ 3. a 1, b 2 and 1 more distributions
  600kB ▏               ├─ a 1
  300kB                 ├─ b 2
  100kB                 └─ 1 more
`);
  });
});
