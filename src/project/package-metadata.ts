// SPDX-License-Identifier: Apache-2.0

/** What of a package is written into its .dist-info (core metadata 2.1; entry points specification). */
export interface PackageFacts {
  readonly name: string;
  readonly version: string;
  readonly summary?: string;
  readonly requiresPython?: string;
  readonly requires: readonly string[];
  readonly extras: readonly { readonly extra: string; readonly requires: readonly string[] }[];
  /** Group to name to `module:object`. */
  readonly entryPoints: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The files by name: `METADATA`, and `entry_points.txt` when there are any. */
export function packageMetadata(facts: PackageFacts): Readonly<Record<string, string>> {
  const points = entryPoints(facts);
  return { METADATA: metadata(facts), ...(points === "" ? {} : { "entry_points.txt": points }) };
}

function metadata({ name, version, summary, requiresPython, requires, extras }: PackageFacts): string {
  const lines = [
    "Metadata-Version: 2.1",
    `Name: ${name}`,
    `Version: ${version}`,
    ...(summary === undefined ? [] : [`Summary: ${summary.split("\n")[0] ?? ""}`]),
    ...(requiresPython === undefined ? [] : [`Requires-Python: ${requiresPython}`]),
    ...extras.map(({ extra }) => `Provides-Extra: ${extra}`),
    ...requires.map((requirement) => `Requires-Dist: ${withoutCredentials(requirement)}`),
    ...extras.flatMap(({ extra, requires: own }) =>
      own.map((requirement) => `Requires-Dist: ${withoutCredentials(ofExtra(requirement, extra))}`),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** Image files never hold what opens an index or a repository. */
function withoutCredentials(requirement: string): string {
  return requirement.replaceAll(/(\w:\/\/)[^/@\s]+@/g, "$1");
}

function ofExtra(requirement: string, extra: string): string {
  const [, text = "", marker] = /^(.*?)(?:\s*;\s*(.*))?$/s.exec(requirement) ?? [];
  const own = `extra == "${extra}"`;
  return `${text} ; ${marker === undefined ? own : `(${marker}) and ${own}`}`;
}

function entryPoints({ entryPoints: groups }: PackageFacts): string {
  return Object.entries(groups)
    .filter(([, entries]) => Object.keys(entries).length > 0)
    .map(([group, entries]) => {
      const lines = Object.entries(entries).map(([name, target]) => `${name} = ${target}\n`);
      return `[${group}]\n${lines.join("")}`;
    })
    .join("\n");
}
