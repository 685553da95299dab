// SPDX-License-Identifier: Apache-2.0
/*
 * Which distributions are looked into. Reading a shared object out of a wheel means inflating it, so those of
 * distributions without any sign of GPUs are left alone.
 */
import type { Metadata } from "./metadata.ts";
import { isNvidia } from "./metadata.ts";

/** Distributions for GPUs whose names do not say so. */
const KNOWN: ReadonlySet<string> = new Set([
  "apex",
  "auto-gptq",
  "bitsandbytes",
  "causal-conv1d",
  "ctranslate2",
  "deepspeed",
  "exllamav2",
  "flash-attn",
  "flashinfer-python",
  "jaxlib",
  "lightgbm",
  "llama-cpp-python",
  "mamba-ssm",
  "numba",
  "pytorch3d",
  "sageattention",
  "sgl-kernel",
  "tensorflow",
  "torch",
  "torchaudio",
  "torchvision",
  "transformer-engine",
  "triton",
  "vllm",
  "warp-lang",
  "xformers",
  "xgboost",
]);
const NAME = /cuda|rocm|(?:^|-)(?:gpu|cupy|hip)(?:$|-)|-cu\d\d+\w?$|-gpu$/;
const LOCAL = /\+.*(?:cu\d\d|rocm|cuda|hip)/;
const OBJECT = /cuda|cudnn|rocm|(?:^|[/_])(?:hip|gpu|cu1\d\d?)(?:[_.]|$)/i;
/** A distribution that asks for one of these and brings machine code of its own may extend it. */
const EXTENDED: ReadonlySet<string> = new Set(["torch", "cupy", "jax", "tensorflow", "numba"]);

/** Whether a distribution may have code for GPUs, by all that can be seen without reading its shared objects. */
export function hasGpuSign({ name, version, needs }: Metadata, objects: readonly string[]): boolean {
  if (isNamedForGpus(name) || LOCAL.test(version) || needs.some(isNvidia)) return true;
  return objects.some((path) => OBJECT.test(path)) || (objects.length > 0 && needs.some((one) => EXTENDED.has(one)));
}

/** Whether a name alone says so. */
export function isNamedForGpus(name: string): boolean {
  return KNOWN.has(name) || NAME.test(name) || isNvidia(name);
}

/**
 * Libraries of the toolkit itself: what they run on follows from the toolkit's version, and they are the largest of
 * all, so their code is not read.
 */
export function isOfToolkit(name: string): boolean {
  return /^nvidia-(?:cu(?:blas|da|dnn|dss|fft|file|rand|solver|sparse|sparselt|tensor)|nccl|nvjitlink|nvtx|nvshmem|npp|nvjpeg|nvvm)\b/.test(
    name,
  );
}

/** Shared objects by name: `libtorch_cuda.so`, `_C.cpython-311-x86_64-linux-gnu.so`, `libnccl.so.2`. */
export function isSharedObject(path: string): boolean {
  return /\.so(?:\.\d[\w.+-]*)?$/.test(path);
}

/** NVIDIA's libraries as other wheels bring them along, auditwheel's hash in their names or not. */
const BROUGHT =
  /(?:^|\/)(?:cupti\/.*|lib(?:cublas(?:Lt)?|cuda|cudart|cudnn\w*|cufftw?|cufile\w*|cupti|curand|cusolver(?:Mg)?|cusparse(?:Lt)?|nccl|npp\w+|nvjpeg|nvperf_\w+|nvrtc(?:-builtins)?|nvJitLink|nvToolsExt)(?:-[0-9a-f]{8})?\.so[\w.+-]*)$/;
const FOR_CPUS = /(?:^|[/_.-])cpu(?:[_.-][^/]*)?$/;

/**
 * Whether a shared object can have code of the package for GPUs: not one that says in its name that it is the half for
 * CPUs, nor a library of the toolkit, which has code for what the package may have none for.
 */
export function isForGpus(path: string): boolean {
  return !FOR_CPUS.test(path) && !BROUGHT.test(path);
}
