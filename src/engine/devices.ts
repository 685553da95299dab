// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { isRootless, isTareError } from "../base/index.ts";
import type { CdiRegistry, DevicePlaces } from "../gpu/index.ts";
import type { Settings } from "./settings.ts";
import { cdiDirectoriesSetting } from "./user-settings.ts";

const USUAL = ["/etc/cdi", "/var/run/cdi"];

/**
 * Folders with CDI specifications, the last wins: those of the settings, or the standard's two, and for an ordinary user
 * his own besides. Throws `E_SETTINGS`.
 */
export function cdiDirectories(settings: Pick<Settings, "env">): readonly string[] {
  const chosen = cdiDirectoriesSetting(settings);
  if (chosen !== undefined) return chosen;
  if (!isRootless()) return USUAL;
  const { XDG_CONFIG_HOME: config, XDG_RUNTIME_DIR: runtime, HOME: home } = settings.env;
  const own = config || (home ? join(home, ".config") : "");
  return [...USUAL, ...[own, runtime ?? ""].filter((folder) => folder !== "").map((folder) => join(folder, "cdi"))];
}

/** The CDI devices of this host, those of GPU drivers without a specification too. Throws `E_SETTINGS`. */
export async function cdiRegistry(settings: Settings): Promise<CdiRegistry> {
  const { openHostDevices } = await import("../gpu/index.ts");
  return (await openHostDevices(devicePlaces(settings))).registry;
}

/** `DiscoveredDevices` of `info`, in Docker's words; none where the specifications or a driver can't be read. */
export async function discoveredDevices(settings: Settings): Promise<readonly object[]> {
  try {
    const registry = await cdiRegistry(settings);
    return registry.devices().map(({ name }) => ({ Source: "cdi", ID: name }));
  } catch (error) {
    if (isTareError(error)) return [];
    throw error;
  }
}

/** Where this host's GPUs and CDI devices are looked for. Throws `E_SETTINGS`. */
export function devicePlaces(settings: Pick<Settings, "env" | "driverRoot">): DevicePlaces {
  return { driverRoot: settings.driverRoot, cdiDirectories: cdiDirectories(settings) };
}
