// SPDX-License-Identifier: Apache-2.0
/**
 * Writes `src/gpu/data/shipped.json`: checked, tables in order, one row a line.
 *
 *   node scripts/gpu-data.ts          after an edit by hand
 *   node scripts/gpu-data.ts FILE     from data of the same form, as `tare gpu data show --raw` prints it
 */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { formatGpuData } from "../src/gpu/data/format.ts";
import { parseGpuData } from "../src/gpu/data/parse.ts";

const shipped = resolve(import.meta.dirname, "../src/gpu/data/shipped.json");
const data = parseGpuData(readFileSync(process.argv[2] ?? shipped, "utf8"));
writeFileSync(shipped, formatGpuData(data));
console.log(`${data.version} of ${data.date}`);
