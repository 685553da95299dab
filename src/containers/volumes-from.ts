// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { ContainersContext } from "./context.ts";
import { findContainer } from "./find.ts";
import type { MountPoint } from "./types.ts";

/**
 * The folders, volumes and images that other containers have mounted (`--volumes-from NAME[:ro|rw]`). The later ones
 * win. Throws `E_CONTAINER_NOTFOUND`, `E_USAGE`.
 */
export function inheritedMounts(context: ContainersContext, sources: readonly string[]): readonly MountPoint[] {
  return sources.flatMap((text) => {
    const { name, readOnly } = parseSource(text);
    const mounts = findContainer(context, name).mounts.filter(({ type }) => type !== "tmpfs");
    return mounts.map((mount) => ({ ...mount, readOnly: mount.readOnly || readOnly, noCopy: true }));
  });
}

function parseSource(text: string): { readonly name: string; readonly readOnly: boolean } {
  const [name = "", mode, ...rest] = text.split(":");
  const words = (mode ?? "rw").split(",");
  const known = words.every((word) => ["ro", "rw", "z", "Z"].includes(word));
  if (name !== "" && rest.length === 0 && known) return { name, readOnly: words.includes("ro") };
  throw new TareError("E_USAGE", `reading \`--volumes-from ${text}\`: expected a container, with \`:ro\` or \`:rw\``, {
    exitCode: 125,
  });
}
