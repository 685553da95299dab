// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { tare } from "../fixture.ts";
import type { ImageNeeds } from "../../engine/index.ts";

const NEEDS: ImageNeeds = {
  image: "app",
  env: { CUDA_VERSION: "12.8.0", NVIDIA_REQUIRE_CUDA: "cuda>=12.8" },
  toolkit: "12.8.1",
  libc: "glibc",
  compat: { cuda: "12.9", version: "575.57.08", drivers: [535, 550] },
  packages: [
    { name: "flash-attn", version: "2.8.0", source: "unknown" },
    {
      name: "torch",
      version: "2.7.0",
      cuda: "12.6",
      source: "wheel",
      kernels: { cubins: ["8.0", "9.0"], ptx: ["9.0"], partial: ["9.0a"] },
    },
    { name: "torchaudio", version: "2.7.0+cpu", source: "wheel", kernels: { cubins: [], ptx: [] } },
    {
      name: "vllm",
      version: "1.0",
      source: "wheel",
      kernels: { cubins: [], ptx: [], gfx: ["gfx1100", "gfx1101", "gfx90a", "gfx942", "gfx950"] },
    },
  ],
};

const engine = { gpus: { needs: () => Promise.resolve(NEEDS) } };

it("prints what is of the image, and a row for each package", async () => {
  const { stdout } = await tare(["gpu", "needs", "app"], { engine });
  expect(stdout).toBe(
    [
      "CUDA toolkit:     12.8.1",
      "Compat library:   CUDA 12.9 on drivers 535, 550",
      "C library:        glibc",
      "Variables:        CUDA_VERSION=12.8.0",
      "                  NVIDIA_REQUIRE_CUDA=cuda>=12.8",
      "",
      "PACKAGE      VERSION     CUDA      KERNELS                PTX       SOURCE",
      "flash-attn   2.8.0                                                  unknown",
      "torch        2.7.0       12.6      8.0 9.0 (9.0a)         9.0       wheel",
      "torchaudio   2.7.0+cpu             none                             wheel",
      "vllm         1.0                   gfx1100 … gfx950 (5)             wheel",
      "",
    ].join("\n"),
  );
});

it("prints everything as JSON, and packages by a template", async () => {
  expect(JSON.parse((await tare(["gpu", "needs", "--json", "app"], { engine })).stdout)).toEqual(NEEDS);
  const { stdout } = await tare(["gpu", "needs", "--format", "{{.Name}}={{.PTX}}", "app"], { engine });
  expect(stdout).toBe("flash-attn=\ntorch=9.0\ntorchaudio=\nvllm=\n");
});
