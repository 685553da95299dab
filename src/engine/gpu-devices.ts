// SPDX-License-Identifier: Apache-2.0
import { isRootless } from "../base/index.ts";
import type { CdiDevice, CdiEdits, RegisteredDevice } from "../gpu/index.ts";
import { cdiDirectories, cdiRegistry } from "./devices.ts";
import type { CdiDeviceSummary, CdiListing } from "./facade-gpu-devices.ts";
import type { Rooms } from "./rooms.ts";

/** What of CDI is on this host. */
export async function cdiListing({ settings }: Rooms): Promise<CdiListing> {
  const { missingFiles } = await import("../gpu/index.ts");
  const registry = await cdiRegistry(settings);
  const devices = registry.devices().map((device) => ({
    ...summary(device),
    missing: missingFiles(registry.edits([device.name]), { isOrdinary: isRootless() }),
  }));
  return { directories: cdiDirectories(settings), devices, problems: registry.problems };
}

function summary({ name, kind, file, spec, device }: RegisteredDevice): Omit<CdiDeviceSummary, "missing"> {
  const edits = both(spec.containerEdits ?? {}, device);
  return {
    name,
    kind,
    ...(file === undefined ? {} : { file }),
    nodes: edits.flatMap(({ deviceNodes = [] }) => deviceNodes.map(({ path }) => path)),
    mounts: edits.flatMap(({ mounts = [] }) => mounts.map(({ containerPath }) => containerPath)),
    env: edits.flatMap(({ env = [] }) => env.map((entry) => entry.split("=", 1)[0] ?? "")),
    hooks: edits.flatMap(({ hooks = [] }) => hooks.map(({ hookName, path }) => `${hookName} ${path}`)),
    annotations: { ...spec.annotations, ...device.annotations },
  };
}

/** What a device gives: its specification's edits, then its own. */
function both(common: CdiEdits, { containerEdits }: CdiDevice): readonly CdiEdits[] {
  return [common, containerEdits];
}
