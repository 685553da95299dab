// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { isRootless } from "../base/index.ts";
import type { DeviceSource } from "../containers/index.ts";
import type { CdiRegistry } from "../gpu/index.ts";
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

/** The devices of this host's CDI specifications. */
export async function cdiRegistry(settings: Settings): Promise<CdiRegistry> {
  const { loadCdi } = await import("../gpu/index.ts");
  return await loadCdi({ directories: cdiDirectories(settings) });
}

/** What containers ask for devices; nothing is loaded or read before one does. */
export function deviceSource(settings: Settings): DeviceSource {
  return {
    resolve: async (requests) => {
      const { resolveGpuRequests } = await import("../gpu/index.ts");
      const registry = await cdiRegistry(settings);
      const names = registry.devices().map(({ name }) => name);
      const lookedIn = cdiDirectories(settings);
      return registry.resolve(resolveGpuRequests(requests, { names, gpus: [], lookedIn }));
    },
  };
}
