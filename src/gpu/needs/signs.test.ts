// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { hasGpuSign, isForGpus, isNamedForGpus, isOfToolkit, isSharedObject } from "./signs.ts";

describe("what is looked into", () => {
  it.each([
    ["torch/lib/libtorch_cuda.so", true],
    ["torch/lib/libtorch_cuda_linalg.so", true],
    ["torch/lib/libtorch_nvshmem.so", true],
    ["x/libcuda_ops.so", true],
    ["x/_C.abi3.so", true],
    ["torch/lib/libtorch_cpu.so", false],
    ["bitsandbytes/libbitsandbytes_cpu.so", false],
    ["torch/lib/libcudart-e409450e.so.11.0", false],
    ["torch/lib/libcudnn_cnn_infer.so.8", false],
    ["torch/lib/libcublasLt.so.11", false],
    ["torch/lib/libnvrtc-builtins-2dc4bf68.so.11.8", false],
    ["triton/backends/nvidia/lib/cupti/libcheckpoint.so", false],
  ])("of a package's objects: %s %s", (path, expected) => {
    expect(isSharedObject(path)).toBe(true);
    expect(isForGpus(path)).toBe(expected);
  });

  it.each([
    ["torch", "2.7.0", [], [], true],
    ["cupy-cuda12x", "14.0", [], [], true],
    ["onnxruntime-gpu", "1.22", [], [], true],
    ["flash-attn", "2.8", [], [], true],
    ["anything", "1.0+cu128", [], [], true],
    ["anything", "1.0", ["nvidia-cublas-cu12"], [], true],
    ["anything", "1.0", ["torch"], ["a/_C.so"], true],
    ["anything", "1.0", ["torch"], [], false],
    ["anything", "1.0", [], ["a/_kernels_cuda.so"], true],
    ["numpy", "2.3.5", [], ["numpy/_core/_multiarray.so"], false],
    ["scikit-learn", "1.7", ["numpy"], ["sklearn/x.so"], false],
  ])("of packages: %s %s", (name, version, needs, objects, expected) => {
    expect(hasGpuSign({ name, version, needs, pins: {} }, objects)).toBe(expected);
  });

  it("but NVIDIA's own are not", () => {
    expect(["nvidia-cublas-cu12", "nvidia-cudnn-cu13", "nvidia-cuda-runtime"].every(isOfToolkit)).toBe(true);
    expect(["nvidia-modelopt", "cuda-python", "torch"].some(isOfToolkit)).toBe(false);
    expect(isNamedForGpus("nvidia-modelopt")).toBe(true);
  });
});
