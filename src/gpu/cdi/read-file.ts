// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import type { Tags } from "yaml";
import { messageOf } from "../../base/index.ts";
import { DOCUMENT_LIMIT, parseJson } from "../../oci/index.ts";
import type { CdiEdits, CdiMount, CdiSpec } from "../types.ts";
import { checkSpec } from "./check-spec.ts";
import { specError } from "./fields.ts";
import { readSpec } from "./parse-spec.ts";

/** Reads one file strictly. Throws `E_CDI_SPEC`, `E_MANIFEST` for what is not JSON, and what reading a file throws. */
export async function readSpecFile(path: string): Promise<CdiSpec> {
  return await parseSpec(readFileSync(path, "utf8"), extname(path) === ".json" ? "json" : "yaml");
}

/** Parses a specification and checks the standard's rules, and that its mounts can be made. Throws `E_CDI_SPEC`. */
export async function parseSpec(text: string, format: "json" | "yaml"): Promise<CdiSpec> {
  const value = format === "json" ? parseJson(text, "the specification") : await parseYaml(text);
  const spec = readSpec(value);
  checkSpec(spec);
  for (const edits of [spec.containerEdits ?? {}, ...spec.devices.map((device) => device.containerEdits)]) {
    checkMounts(edits);
  }
  return spec;
}

/** Tags of YAML 1.1 that would make texts of a specification into something else: dates, and `0:1` into 1. */
const NOT_READ = /:(?:timestamp|binary|omap|pairs|set)$/;

/** As vendors' programs write it: YAML 1.1, where 0660 is octal. The library is loaded when there is such a file. */
async function parseYaml(text: string): Promise<unknown> {
  if (Buffer.byteLength(text) > DOCUMENT_LIMIT) throw specError("", `larger than ${DOCUMENT_LIMIT} bytes`);
  const yaml = await import("yaml");
  try {
    const document = yaml.parseDocument(text, { version: "1.1", prettyErrors: false, customTags: readTags });
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) throw fault;
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // Faults of the text, aliases that lead nowhere or grow too much, and a nesting that no stack holds.
    throw specError("", `not YAML: ${messageOf(error)}`);
  }
}

function readTags(tags: Tags): Tags {
  const kept = (tag: Tags[number]): boolean =>
    typeof tag === "string" || (!NOT_READ.test(tag.tag) && !("format" in tag && tag.format === "TIME"));
  return tags.filter(kept);
}

/**
 * A mount of neither kind nor `bind` reaches the runtimes as it is, which fail with words that help nobody
 * (`invalid mount type`, `no such device`).
 */
function checkMounts({ mounts }: CdiEdits): void {
  for (const mount of mounts ?? []) {
    if (isMountable(mount)) continue;
    throw specError(
      `mount of \`${mount.hostPath}\` at \`${mount.containerPath}\``,
      "its options have neither `bind` nor `rbind`, and it has no type of a file system: no runtime can make it",
    );
  }
}

function isMountable(mount: CdiMount): boolean {
  return isBind(mount) || !["", "none"].includes(mount.type ?? "");
}

/** True for a mount whose hostPath is a file or folder of the host. */
export function isBind({ type, options }: CdiMount): boolean {
  return type === "bind" || (options ?? []).some((word) => word === "bind" || word === "rbind");
}
