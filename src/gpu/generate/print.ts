// SPDX-License-Identifier: Apache-2.0
import type { CdiSpec } from "../types.ts";

/** Forms of a specification's file. */
export type SpecFormat = "json" | "yaml";

/** A specification as the text of a file. It has what the standard has: generate it with `isPortable`. */
export async function specText(spec: CdiSpec, format: SpecFormat): Promise<string> {
  const { cdiVersion, kind, devices, containerEdits } = spec;
  const ordered = { cdiVersion, kind, devices, ...(containerEdits === undefined ? {} : { containerEdits }) };
  if (format === "json") return `${JSON.stringify(ordered, undefined, 2)}\n`;
  return (await import("./yaml-text.ts")).yamlText(ordered);
}
