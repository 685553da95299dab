// SPDX-License-Identifier: Apache-2.0
import { parseDocument } from "yaml";
import type { Tags } from "yaml";
import { messageOf } from "../../base/index.ts";
import { DOCUMENT_LIMIT } from "../../oci/index.ts";
import { specError } from "./fields.ts";

/** Tags of YAML 1.1 that would make texts of a specification into something else: dates, and `0:1` into 1. */
const NOT_READ = /:(?:timestamp|binary|omap|pairs|set)$/;

/** A document as vendors' programs write it: YAML 1.1, where 0660 is octal. Throws `E_CDI_SPEC`. */
export function parseYaml(text: string): unknown {
  if (Buffer.byteLength(text) > DOCUMENT_LIMIT) throw specError("", `larger than ${DOCUMENT_LIMIT} bytes`);
  try {
    const document = parseDocument(text, { version: "1.1", prettyErrors: false, customTags: readTags });
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
