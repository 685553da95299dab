// SPDX-License-Identifier: Apache-2.0
import type { GpusApi } from "./facade-gpu.ts";
import type { Rooms } from "./rooms.ts";

/** Answers about GPUs; each loads what it needs when it is asked. */
export function gpusApi(rooms: Rooms): GpusApi {
  return {
    cdiDevices: async () => (await import("./gpu-devices.ts")).cdiListing(rooms),
    list: async (call = {}) => (await import("./gpu-list.ts")).listGpus(rooms, call),
    generateCdi: async (request) => (await import("./gpu-cdi.ts")).generateCdi(rooms, request),
    check: async (request) => (await import("./gpu-check.ts")).checkGpus(rooms, request),
    needs: async (request) => (await import("./gpu-needs.ts")).gpuNeedsOfImage(rooms, request),
  };
}
