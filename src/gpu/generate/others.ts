// SPDX-License-Identifier: Apache-2.0
/* Specifications of makers whose user-space driver is in the image: device nodes and their groups, nothing else. */
import { join } from "node:path";
import { minimumVersion } from "../cdi/versions.ts";
import { rootsOf } from "../host/roots.ts";
import type { CdiEdits, CdiSpec, GpuVendor, HostDriver, HostGpu, HostGpus } from "../types.ts";
import { READ_ONLY } from "./files.ts";
import { namedDevices } from "./names.ts";
import { missingNodes, nodeEdits } from "./nodes.ts";
import type { GenerateOptions, GeneratedSpecs } from "./options.ts";

const WSL = "/usr/lib/wsl";
const WSL_LIBRARIES = `${WSL}/lib`;

/** AMD's and Intel's. */
export function nodeSpec(host: HostGpus, driver: HostDriver, options: GenerateOptions): GeneratedSpecs {
  const source = { roots: rootsOf(options), hasGroups: options.hasGroups ?? true };
  const shared = nodeEdits(driver.nodes, source);
  const gpus = host.gpus.filter(({ vendor }) => vendor === driver.vendor);
  const found = gpus.map((gpu) => ({ gpu, ...nodeEdits(gpu.nodes, source) }));
  const devices = namedDevices(
    found.map(({ gpu, edits }) => ({ names: namesOf(gpu), edits })),
    options,
  );
  const missing = [...shared.missing, ...found.flatMap((one) => one.missing)];
  return { specs: specOf(driver.vendor, devices, shared.edits), remarks: missingNodes(missing) };
}

/** The parts of one GPU may have one uuid: whoever comes first has the name. */
function namesOf({
  vendor,
  index,
  uuid,
  nodes,
}: HostGpu): Readonly<Record<"index" | "uuid" | "type-index", string | undefined>> {
  const card = nodes.flatMap((path) => /^\/dev\/dri\/(card\d+)$/.exec(path)?.[1] ?? [])[0];
  return { index: String(index), uuid, "type-index": vendor === "intel" ? card : `gpu${index}` };
}

/**
 * Inside Windows: one device for all GPUs, and the folder in which Windows shows its drivers, whole and where it is,
 * because the libraries in it look for one another there.
 */
export function wslSpec(driver: HostDriver, options: GenerateOptions): GeneratedSpecs {
  const roots = rootsOf(options);
  const { edits, missing } = nodeEdits(driver.nodes, { roots, hasGroups: false });
  const mounts = [{ hostPath: join(roots.driver, WSL), containerPath: WSL, options: READ_ONLY }];
  const folders = [WSL_LIBRARIES];
  const search: CdiEdits =
    options.isPortable === true
      ? { env: [`LD_LIBRARY_PATH=${folders.join(":")}`] }
      : { searchPaths: { LD_LIBRARY_PATH: folders, PATH: folders } };
  const { env = [], ...paths } = search;
  const devices = Object.keys(edits).length === 0 ? [] : [{ name: "all", containerEdits: edits }];
  const common = {
    env: [...(driver.vendor === "nvidia" ? ["NVIDIA_VISIBLE_DEVICES=void"] : []), ...env],
    mounts,
    ...paths,
  };
  return { specs: specOf(driver.vendor, devices, common), remarks: missingNodes(missing) };
}

function specOf(vendor: GpuVendor, devices: CdiSpec["devices"], edits: CdiEdits): readonly CdiSpec[] {
  if (devices.length === 0) return [];
  const common = Object.keys(edits).length === 0 ? {} : { containerEdits: edits };
  const spec: CdiSpec = { cdiVersion: "", kind: `${vendor}.com/gpu`, devices, ...common };
  return [{ ...spec, cdiVersion: minimumVersion(spec) }];
}
