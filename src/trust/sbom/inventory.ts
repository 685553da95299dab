// SPDX-License-Identifier: Apache-2.0
import { originOf, wheelLayer } from "../../python/index.ts";
import { scanLayers } from "../../images/index.ts";
import type { ImageDetails } from "../../images/index.ts";
import type { Store } from "../../store/index.ts";
import { debianPackages, operatingSystem } from "./debian.ts";
import { pythonDistributions } from "./distributions.ts";
import type { KnownFile } from "./distributions.ts";
import type { FilesByPath } from "./files.ts";
import type { Inventory } from "./types.ts";

/**
 * Takes the inventory of an image whose layers are unpacked; nothing is written, no root is needed, no code of the
 * image runs. What an upper layer deletes or replaces is not in it. Throws `E_IO`, `E_ABORTED`.
 */
export function takeInventory(store: Store, details: ImageDetails, signal?: AbortSignal): Inventory {
  const visible = scanLayers(details.layers, signal)
    .flat()
    .filter(({ isHidden }) => !isHidden);
  const files: FilesByPath = new Map(visible.map((file) => [file.path, file]));
  const known = knownFiles(store, details);
  const system = operatingSystem(files);
  const python = ownPython(files, details);
  return {
    ...(system === undefined ? {} : { system }),
    packages: debianPackages(files),
    distributions: pythonDistributions(files, (name, version) => known.get(`${name} ${version}`)),
    ...(python === undefined ? {} : { python }),
  };
}

/** The wheels that layers were made of here, by `name version`. */
function knownFiles(store: Store, { layers }: ImageDetails): ReadonlyMap<string, KnownFile> {
  const wheels = layers.flatMap(({ diffId }) => wheelLayer(store, diffId)?.wheels ?? []);
  return new Map(
    wheels.map(({ name, version, fileName, digest }) => {
      const url = originOf(store, digest);
      return [`${name} ${version}`, { fileName, digest, ...(url === undefined ? {} : { url }) }];
    }),
  );
}

/** Docker's python images build theirs from source below /usr/local, and say which it is. */
function ownPython(files: FilesByPath, { config }: ImageDetails): Inventory["python"] {
  const version = (config.config?.Env ?? []).find((pair) => pair.startsWith("PYTHON_VERSION="))?.slice(15);
  const [, minor] = /^(3\.\d+)\.\d/.exec(version ?? "") ?? [];
  const path = `usr/local/bin/python${minor ?? ""}`;
  return version === undefined || minor === undefined || !files.has(path) ? undefined : { version, path: `/${path}` };
}
