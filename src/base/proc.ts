// SPDX-License-Identifier: Apache-2.0
/* What the kernel's texts in /proc say (proc(5)). Pure. */

/**
 * When a process started, in clock ticks since boot, from the text of its `/proc/<pid>/stat`: field 22 of proc(5).
 * Undefined without a text, and for a zombie or a dead process, which holds nothing any more.
 */
export function startTimeOfStat(stat: string | undefined): string | undefined {
  if (stat === undefined) return undefined;
  // The name in field 2 may hold spaces and parentheses, so fields are counted from the last `)`.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  return state === "Z" || state === "X" || state === "" ? undefined : fields[19];
}

/**
 * Mount points at or below a real path, from the text of a mountinfo file (proc(5)), in its order: what is mounted on
 * another comes later.
 */
export function mountPointsBelow(path: string, mountinfo: string): string[] {
  return mountinfo.split("\n").flatMap((line) => {
    const point = unescapeOctal(line.split(" ")[4] ?? "");
    return point === path || point.startsWith(`${path}/`) ? [point] : [];
  });
}

/** Space, tab, line feed and backslash are written as `\040` and so on. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
