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
  readonly python?: { readonly has: string; readonly needs: string; readonly subject?: string };
  readonly unfit?: {
    readonly subject: string;
    readonly wanted: string;
    readonly has: readonly string[];
    readonly text: string;
  };
  readonly withdrawn?: { readonly subject: string; readonly reason: string };
}

const NAME = String.raw`[A-Za-z0-9][\w.-]*?`;
const CLAUSES = String.raw`(?:[=<>!~]=?=?[^\s,]*[^\s,.](?:,[<>=!~]=?[^\s,]*[^\s,.])*)`;
const WANTED = String.raw`${NAME}(?:\[[^\]]*\])?(?:\{[^}]*\})?${CLAUSES}?(?=[\s,.]|$)`;

/** Reads uv's account. */
export function proofOf(stderr: string, files: readonly string[]): Proof {
  const at = stderr.search(/^hint:/m);
  const flat = (at < 0 ? stderr : stderr.slice(0, at)).replaceAll(/\s+/g, " ");
  const hints = at < 0 ? "" : stderr.slice(at).replaceAll(/\s+/g, " ");
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
    own: ownRequirements(flat),
    claims: claimsOf(flat),
    hints,
    ...(missing === undefined ? {} : { missing }),
    ...(unknown === undefined ? {} : { unknown }),
    ...(newest === undefined ? {} : { newest }),
    ...(python === undefined ? {} : { python }),
    ...(unfit === undefined ? {} : { unfit }),
    ...(withdrawn === null ? {} : { withdrawn: { subject: withdrawn[1] ?? "", reason: withdrawn[2] ?? "" } }),
  };
}

/** The normalised name that a requirement begins with. */
export function nameOf(text: string): string {
  return /^[A-Za-z0-9][\w.-]*?(?=[=<>!~{[]|$)/.exec(text)?.[0].toLowerCase() ?? text;
}

function first(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1];
}

/** `A depends on B`, `all versions of A depend on B`: stated, not concluded; each once, without pre-releases. */
function claimsOf(flat: string): readonly Claim[] {
  const stated = flat.replaceAll(/we can conclude that .*?(?=\. And because|\.? ?$|\. )/g, "");
  const claims = new Map<string, Claim>();
  const pattern = new RegExp(
    `((?:all versions of )?${WANTED}) depends? on (${WANTED})(?: and (${NAME}${CLAUSES})(?=, we can))?`,
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
function ownRequirements(flat: string): readonly string[] {
  const found = flat.matchAll(
    /(?:you require|your project (?:requires|depends on)) (.+?)(?=, we can| we can| and (?:all versions|there|only|\S+ (?:depends|was|has))|\.(?=\s|$)|$)/g,
  );
  const names = [...found].flatMap(([, text = ""]) => text.split(/(?:,? and |, )(?=[A-Za-z])/));
  return [...new Set(names.map((each) => each.trim()).filter((each) => /^[A-Za-z0-9]/.test(each)))];
}

function pythonOf(flat: string): Proof["python"] {
  const [, has, needs] =
    /the (?:requested|current) Python version \(([^)]+)\) does not satisfy Python(\S+)/.exec(flat) ?? [];
  if (has === undefined || needs === undefined) return undefined;
  const who = new RegExp(`(?:all versions of )?(${WANTED}) depends? on Python`).exec(flat)?.[1];
  return { has, needs: needs.replace(/[,.]$/, ""), ...(who === undefined ? {} : { subject: who }) };
}

function unfitOf(flat: string, hints: string): Proof["unfit"] {
  const match = new RegExp(
    `(${WANTED}) has no (wheels? with a matching (.+?) tag \\(e\\.g\\., \`([^\`]+)\`\\)|usable wheels)`,
  ).exec(flat);
  if (!match) return undefined;
  const [, subject = "", text = "", , wanted = "this Python and platform"] = match;
  const has = [...(/:(.*)$/.exec(hints)?.[1]?.matchAll(/`([^`]+)`/g) ?? [])].map(([, tag = ""]) => tag);
  return { subject, wanted: `\`${wanted}\``, has, text };
}
