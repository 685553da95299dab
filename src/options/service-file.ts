// SPDX-License-Identifier: Apache-2.0
import { parseCsvFields } from "./csv.ts";
import { usage } from "./usage.ts";

/** A config or secret of a service as a file in its containers (Swarm's `--config`, `--secret`). */
export interface ServiceFile {
  readonly source: string;
  readonly target: string;
  readonly uid: string;
  readonly gid: string;
  readonly mode: number;
}

/** Parses `NAME` or `source=NAME[,target=FILE][,uid=N][,gid=N][,mode=0444]`. Throws `E_USAGE` with Docker's text. */
export function parseServiceFile(text: string): ServiceFile {
  const fields = parseCsvFields(text);
  const [first] = fields;
  const base = { uid: "0", gid: "0", mode: 0o444 };
  if (fields.length === 1 && first?.value === undefined) return { ...base, source: text, target: text };
  const found = new Map<string, string>();
  for (const field of fields) {
    const key = field.key.toLowerCase() === "src" ? "source" : field.key.toLowerCase();
    if (field.value === undefined) throw usage(`invalid field '${field.text}' must be a key=value pair`);
    if (!["source", "target", "uid", "gid", "mode"].includes(key))
      throw usage(`invalid field in config request: ${key}`);
    found.set(key, field.value);
  }
  const source = found.get("source");
  if (source === undefined || source === "") throw usage("source is required");
  const mode = found.get("mode") ?? "0444";
  if (!/^0?o?[0-7]{1,5}$/.test(mode)) throw usage(`invalid mode specified: ${mode}`);
  return {
    source,
    target: found.get("target") ?? source,
    uid: found.get("uid") ?? base.uid,
    gid: found.get("gid") ?? base.gid,
    mode: Number.parseInt(mode.replace("o", ""), 8),
  };
}
