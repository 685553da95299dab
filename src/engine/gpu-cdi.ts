// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { discoverGpus, generateSpecs, specText } from "../gpu/index.ts";
import type { GenerateCdiRequest, GeneratedCdiList } from "./facade-gpu-cdi.ts";
import type { Rooms } from "./rooms.ts";

/** Specifications of this host's GPUs; see `GpusApi.generateCdi`. */
export async function generateCdi({ settings }: Rooms, request: GenerateCdiRequest): Promise<GeneratedCdiList> {
  const { format, driverRoot = settings.driverRoot, devRoot, ...options } = request;
  const place = {
    driverRoot: resolve(settings.cwd, driverRoot),
    ...(devRoot === undefined ? {} : { devRoot: resolve(settings.cwd, devRoot) }),
  };
  const host = discoverGpus(place);
  const { specs, remarks } = generateSpecs(host, { ...options, ...place, isPortable: true });
  return {
    specs: await Promise.all(
      specs.map(async (spec) => ({
        kind: spec.kind,
        cdiVersion: spec.cdiVersion,
        devices: spec.devices.map(({ name }) => name),
        text: await specText(spec, format),
      })),
    ),
    remarks: [...host.remarks, ...remarks],
  };
}
