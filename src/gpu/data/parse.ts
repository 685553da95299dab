// SPDX-License-Identifier: Apache-2.0
/* Reads compatibility data, shipped or brought along later, into its type. What is not understood is refused. */
import { TareError, messageOf, valueText } from "../../base/index.ts";
import { parseJson } from "../../oci/index.ts";
import { checkReferences } from "./references.ts";
import { ObjectReader, dataError } from "./reader.ts";
import * as rows from "./rows.ts";
import type { GpuData } from "./types.ts";

/** The form of the data that this program reads. */
const GPU_DATA_SCHEMA = 1;

/**
 * Reads a document of compatibility data. Throws `E_GPU_DATA` with the place of a fault, for members that are not known
 * and for a schema of another version.
 */
export function parseGpuData(text: string): GpuData {
  let value: unknown;
  try {
    value = parseJson(text, "GPU compatibility data");
  } catch (error) {
    throw new TareError("E_GPU_DATA", messageOf(error), { cause: error });
  }
  return gpuDataOf(value);
}

/** The same for a parsed document. */
export function gpuDataOf(value: unknown): GpuData {
  const reader = new ObjectReader(value, "");
  requireSchema(reader.take("schema"));
  const data: GpuData = {
    schema: GPU_DATA_SCHEMA,
    version: reader.version("version"),
    date: dateOf(reader),
    sources: recordOf(reader, "sources", (member, key) => sourceUrl(member, key)),
    aliases: recordOf(reader, "aliases", (member, key) =>
      rows.alias(new ObjectReader(member.take(key), member.place(key))),
    ),
    toolkits: rowsOf(reader, "toolkits", rows.toolkit),
    capabilities: rowsOf(reader, "capabilities", rows.capability),
    minor: rowsOf(reader, "minor", rows.minor),
    compat: rowsOf(reader, "compat", rows.compat),
    drivers: rowsOf(reader, "drivers", rows.driver),
    architectures: rowsOf(reader, "architectures", rows.architecture),
    chips: rowsOf(reader, "chips", rows.chip),
    frameworks: rowsOf(reader, "frameworks", rows.framework),
    kernels: rowsOf(reader, "kernels", rows.kernels),
    cudnn: rowsOf(reader, "cudnn", rows.cudnn),
    rocm: rowsOf(reader, "rocm", rows.rocm),
  };
  reader.finish();
  checkReferences(data);
  return data;
}

function requireSchema(schema: unknown): void {
  if (schema === GPU_DATA_SCHEMA) return;
  if (typeof schema === "number" && schema > GPU_DATA_SCHEMA) {
    throw new TareError(
      "E_GPU_DATA",
      `reading GPU compatibility data: it has schema ${schema}, and this program reads schema ${GPU_DATA_SCHEMA}`,
      { hint: "install a newer tare, or take data of the older schema" },
    );
  }
  throw dataError("schema", `is not ${GPU_DATA_SCHEMA} but \`${valueText(schema).slice(0, 40)}\``);
}

function dateOf(reader: ObjectReader): string {
  const date = reader.text("date");
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
    throw dataError("date", "is no day as 2026-11-22");
  return date;
}

function sourceUrl(reader: ObjectReader, key: string): string {
  const url = reader.text(key);
  if (!/^https:\/\/[^\s/]+\/\S*$/.test(url)) throw dataError(reader.place(key), "is no https URL");
  return url;
}

function recordOf<T>(
  reader: ObjectReader,
  key: string,
  read: (reader: ObjectReader, key: string) => T,
): Readonly<Record<string, T>> {
  const inner = new ObjectReader(reader.take(key), key);
  return Object.fromEntries(inner.keys().map((name) => [name, read(inner, name)]));
}

function rowsOf<T>(reader: ObjectReader, key: string, read: (row: ObjectReader) => T): readonly T[] {
  return reader.list(key).map((value, place) => {
    const row = new ObjectReader(value, `${key}[${place}]`);
    const parsed = read(row);
    row.finish();
    return parsed;
  });
}
