// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";

/** An entry point that becomes a program. */
export interface ScriptEntry {
  readonly name: string;
  readonly module: string;
  /** `main`, `App.run`. */
  readonly attribute: string;
}

/** Longest `#!` line that every kernel takes. */
const LONGEST_SHEBANG = 127;

/** The first line (or lines) that start a script with `executable`, as pip writes them. */
function shebang(executable: string): string {
  if (executable.length + 3 <= LONGEST_SHEBANG && !/\s/.test(executable)) return `#!${executable}\n`;
  return `#!/bin/sh\n'''exec' ${/\s/.test(executable) ? `"${executable}"` : executable} "$0" "$@"\n' '''\n`;
}

/** The program of an entry point, as pip writes it, or uv. */
export function entryPointScript(entry: ScriptEntry, executable: string, installer?: "uv"): Buffer {
  const [imported = ""] = entry.attribute.split(".");
  const start = `from ${entry.module} import ${imported}`;
  const lines = [
    `${shebang(executable)}# -*- coding: utf-8 -*-`,
    ...(installer === "uv" ? UV_LINES(start) : PIP_LINES(start)),
    `    sys.exit(${entry.attribute}())`,
    "",
  ];
  return Buffer.from(lines.join("\n"));
}

const PIP_LINES = (start: string): readonly string[] => [
  "import re",
  "import sys",
  start,
  "if __name__ == '__main__':",
  "    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])",
];

const UV_LINES = (start: string): readonly string[] => [
  "import sys",
  start,
  'if __name__ == "__main__":',
  '    if sys.argv[0].endswith("-script.pyw"):',
  "        sys.argv[0] = sys.argv[0][:-11]",
  '    elif sys.argv[0].endswith(".exe"):',
  "        sys.argv[0] = sys.argv[0][:-4]",
];

/** A script of the wheel that names no interpreter yet: `#!python` becomes the target's; others stay. */
export function withInterpreter(content: Buffer, executable: string): Buffer {
  if (content.subarray(0, 8).toString("latin1") !== "#!python") return content;
  const end = content.indexOf(10);
  const rest = end < 0 ? Buffer.alloc(0) : content.subarray(end + 1);
  return Buffer.concat([Buffer.from(shebang(executable)), rest]);
}

const SECTIONS: ReadonlySet<string> = new Set(["console_scripts", "gui_scripts"]);
const DOTTED = /^[\p{ID_Start}_][\p{ID_Continue}]*(?:\.[\p{ID_Start}_][\p{ID_Continue}]*)*$/u;

/** The programs that `entry_points.txt` names (entry points specification). Throws `E_WHEEL`. */
export function parseScripts(text: string, wheel: string): readonly ScriptEntry[] {
  const entries = new Map<string, ScriptEntry>();
  let section = "";
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const heading = /^\[(.*)\]$/.exec(line);
    if (heading) section = heading[1]?.trim() ?? "";
    else if (SECTIONS.has(section)) {
      const entry = parseEntry(line, wheel);
      entries.set(entry.name, entry);
    }
  }
  return [...entries.values()];
}

function parseEntry(line: string, wheel: string): ScriptEntry {
  const at = line.indexOf("=");
  const name = line.slice(0, at).trim();
  const [reference = ""] = line
    .slice(at + 1)
    .trim()
    .split(/[\s[]/, 1);
  const [module = "", attribute = ""] = reference.split(":");
  if (at < 0 || !DOTTED.test(module) || !DOTTED.test(attribute)) throw badEntry(line, wheel);
  if (name === "" || name === "." || name === ".." || /[/\\\p{Cc}]/u.test(name)) throw badEntry(line, wheel);
  return { name, module, attribute };
}

function badEntry(line: string, wheel: string): TareError {
  const shown = line.slice(0, 80).replace(/\p{C}/gu, "?");
  return new TareError("E_WHEEL", `reading the entry points of \`${wheel}\`: \`${shown}\` makes no program`, {
    hint: "the wheel is broken: tell its authors, or choose another version",
  });
}
