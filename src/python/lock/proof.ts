// SPDX-License-Identifier: Apache-2.0
/* The facts that stand in uv's proof, without what it concludes from them. */

/** Who wants what of whom. */
export interface Claim {
  /** `pandas>=2.2.3`, or `all versions of pandas`. */
  readonly subject: string;
  readonly needs: string;
  /** It is a constraint of the user, which stands beside a dependency. */
  readonly isRule?: boolean;
}

/** What a proof states. */
export interface Proof {
  /** Names of the user's files. */
  readonly files: readonly string[];
  /** What the user requires himself. */
  readonly own: readonly string[];
  readonly claims: readonly Claim[];
  /** What uv says after its proof. */
  readonly hints: string;
  /** A package that no index has. */
  readonly missing?: string;
  /** `numpy==99.0`, of which there is no version. */
  readonly unknown?: string;
  /** `numpy<=2.3.5`: all that there is. */
  readonly newest?: string;
  /** `isEvery`: no version of the subject runs on another Python. */
  readonly python?: {
    readonly has: string;
    readonly needs: string;
    readonly subject?: string;
    readonly isEvery: boolean;
  };
  readonly unfit?: {
    readonly subject: string;
    readonly wanted: string;
    readonly has: readonly string[];
    readonly text: string;
  };
  readonly withdrawn?: { readonly subject: string; readonly reason: string };
}

const NAME = String.raw`[A-Za-z0-9][\w.-]*?`;
const CLAUSES = String.raw`(?:[=<>!~]=?=?[^\s,]*[^\s,.;](?:,[<>=!~]=?[^\s,]*[^\s,.;])*)`;
const WANTED = String.raw`${NAME}(?:\[[^\]]*\])?(?:\{[^}]*\})?${CLAUSES}?(?=[\s,.;]|$)`;

/** Where an account comes from. */
export interface ProofSource {
  /** Names of the user's files. */
  readonly files: readonly string[];
  /** Name of the project, whose dependencies are the user's own. */
  readonly project?: string;
}

/** Reads uv's account. */
export function proofOf(stderr: string, { files, project }: ProofSource): Proof {
  const at = stderr.search(/^hint:/m);
  const whole = withSpans((at < 0 ? stderr : stderr.slice(0, at)).slice(0, LONGEST)).replaceAll(/\s+/g, " ");
  const flat = project === undefined ? whole : asUser(whole, project);
  const hints = at < 0 ? "" : stderr.slice(at).replaceAll(/\s+/g, " ");
  const stated = flat.replaceAll(/,? we can conclude that .*?(?=\.? And because|$)/g, ";");
  const missing = first(
    flat,
    new RegExp(`(${NAME}) was not found in the (?:package registry|provided package locations|cache)`),
  );
  const unknown = first(flat, new RegExp(`there (?:is no version|are no versions) of (${WANTED})`));
  const newest = first(flat, new RegExp(`only (${WANTED}) (?:is|are) available`));
  const python = pythonOf(flat);
  const unfit = unfitOf(flat, hints);
  const withdrawn = new RegExp(`(${WANTED}) was yanked(?: \\(reason: ([^)]*)\\))?`).exec(flat);
  return {
    files,
    own: ownRequirements(stated),
    claims: claimsOf(stated),
    hints,
    ...(missing === undefined ? {} : { missing }),
    ...(unknown === undefined ? {} : { unknown }),
    ...(newest === undefined ? {} : { newest }),
    ...(python === undefined ? {} : { python }),
    ...(unfit === undefined ? {} : { unfit }),
    ...(withdrawn === null ? {} : { withdrawn: { subject: withdrawn[1] ?? "", reason: withdrawn[2] ?? "" } }),
  };
}

/** Characters of a proof that are read: it may be as long as the history of its packages. */
const LONGEST = 60_000;

/** A list of ranges, one a line, as the one range from the first to the last. */
function withSpans(text: string): string {
  return text
    .replaceAll(
      /^( *)(?:cause: )?(.*\b(?:one|any) of):\n((?:\1 {2,}\S+\n?)+)/gm,
      (_whole, indent: string, head: string, rows: string) => {
        const ranges = rows.trim().split(/\s+/);
        return `${indent}${head.replace(/ (?:one|any) of$/, "")} ${spanOf(ranges)}\n`;
      },
    )
    .replaceAll(/only the following versions of \S+ are available:\s+((?:\S+\n\s*)+)/g, (_whole, rows: string) => {
      return `only ${rows.trim().split(/\s+/).at(-1) ?? ""} is available `;
    });
}

/** `a>=1,<2` and `a>2,<3` span `a>=1,<3`. */
function spanOf(ranges: readonly string[]): string {
  const [first = "", last = ""] = [ranges[0], ranges.at(-1)];
  const name = nameOf(first);
  const lower = first
    .slice(name.length)
    .split(",")
    .filter((clause) => /^(?:>|==)/.test(clause));
  const upper = last
    .slice(nameOf(last).length)
    .split(",")
    .filter((clause) => clause.startsWith("<"));
  return `${name}${[...lower.map((clause) => clause.replace(/^==/, ">=")), ...upper].join(",")}`;
}

/** `app[extra] depends on` of the project itself as what the user requires. */
function asUser(text: string, project: string): string {
  const name = project.replaceAll(/[-_.]+/g, "[-_.]+");
  return text.replaceAll(
    new RegExp(`(?<![\\w.-])${name}(?:\\[[^\\]]*\\]|:[\\w-]+)? depends on `, "gi"),
    "you require ",
  );
}

/** The normalised name that a requirement begins with. */
export function nameOf(text: string): string {
  return /^[A-Za-z0-9][\w.-]*?(?=[=<>!~{[]|$)/.exec(text)?.[0].toLowerCase() ?? text;
}

/** The name of who wants something. */
export function subjectName({ subject }: Claim): string {
  return nameOf(subject.replace("all versions of ", ""));
}

function first(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1];
}

/** `A depends on B`, `all versions of A depend on B`: stated, not concluded; each once, without pre-releases. */
function claimsOf(stated: string): readonly Claim[] {
  const claims = new Map<string, Claim>();
  const pattern = new RegExp(
    `((?:all versions of )?${WANTED}) depends? on (${WANTED})(?: and (${NAME}${CLAUSES})(?=;))?`,
    "g",
  );
  for (const [, subject = "", needs = "", rule] of stated.matchAll(pattern)) {
    const key = `${nameOf(subject.replace("all versions of ", ""))} ${nameOf(needs)}`;
    if (needs.startsWith("Python") || /\d(?:a|b|rc)\d/.test(subject) || claims.has(key)) continue;
    claims.set(key, { subject, needs: needs.replace(/\{[^}]*\}/, "") });
    if (rule !== undefined) claims.set(`rule ${rule}`, { subject: "a constraint", needs: rule, isRule: true });
  }
  return [...claims.values()];
}

/** What the user wrote: `you require numpy<1.20 and pandas>=2.2`; all that the proof names. */
function ownRequirements(stated: string): readonly string[] {
  const found = stated.matchAll(
    /(?:you require|your project (?:requires|depends on)) (.+?)(?=;| and (?:all versions|there|only|\S+ (?:depends|was|has))|$)/g,
  );
  const names = [...found].flatMap(([, text = ""]) => text.split(/(?:,? and |, )(?=[A-Za-z])/));
  return [...new Set(names.map((each) => each.trim()).filter((each) => /^[A-Za-z0-9]/.test(each)))];
}

function pythonOf(flat: string): Proof["python"] {
  const [, has, needs] =
    /the (?:requested|current) Python version \(([^)]+)\) does not satisfy Python(\S+)/.exec(flat) ?? [];
  if (has === undefined || needs === undefined) return undefined;
  const [, every, who] = new RegExp(`(all versions of )?(${WANTED}) depends? on Python`).exec(flat) ?? [];
  const subject = who === undefined ? {} : { subject: who };
  return { has, needs: needs.replace(/[,.]$/, ""), ...subject, isEvery: every !== undefined };
}

function unfitOf(flat: string, hints: string): Proof["unfit"] {
  const match = new RegExp(
    `(${WANTED}) has no (wheels? with a matching (.+?) tag \\(e\\.g\\., \`([^\`]+)\`\\)|usable wheels)`,
  ).exec(flat);
  if (!match) return undefined;
  const [, subject = "", text = "", , wanted = "this Python and platform"] = match;
  const has = [...(/.*:(.*)$/.exec(hints)?.[1]?.matchAll(/`([^`]+)`/g) ?? [])].map(([, tag = ""]) => tag);
  return { subject, wanted: `\`${wanted}\``, has, text };
}
