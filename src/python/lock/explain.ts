// SPDX-License-Identifier: Apache-2.0
/*
 * uv's account of why nothing fits, as the few sentences that a person needs: who wants what, and what to change. uv
 * gives a proof, a chain of "Because A depends on B and …, we can conclude that …"; what is stated in it are facts, what
 * is concluded can be left out. Kinds of failure stand in a table; the first that fits tells.
 */
import * as fs from "node:fs";
import { basename } from "node:path";
import { TareError } from "../../base/index.ts";
import { readPyproject } from "../requirements/pyproject.ts";
import { isPrerelease, parseVersion } from "../requirements/versions.ts";
import { otherFailure } from "./explain-failure.ts";
import { nameOf, proofOf, subjectName } from "./proof.ts";
import type { ErrorCode } from "../../base/index.ts";
import type { Proof, ProofSource } from "./proof.ts";
import type { ResolveRequest } from "./types.ts";

/** An explained failure. */
export interface Explanation {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  /** The user's own requirements one of which might be loosened, the likeliest first. */
  readonly suspects: readonly string[];
  /** The least Python that might do, as in `3.12`. */
  readonly python?: string;
}

type Explain = (proof: Proof) => Explanation | undefined;

/** Every kind of "No solution found". */
const KINDS: readonly Explain[] = [
  unauthorized,
  offline,
  notFound,
  pythonTooOld,
  noWheel,
  yanked,
  contradiction,
  noVersion,
  conflict,
];

/** What uv's failure means. */
export function explain(stderr: string, source: ProofSource): Explanation {
  if (!/No solution found/.test(stderr) || /^error: Failed to (?:download and )?build/m.test(stderr))
    return otherFailure(stderr);
  const proof = proofOf(stderr, source);
  for (const kind of KINDS) {
    const found = kind(proof);
    if (found) return found;
  }
  return { code: "E_RESOLVE", message: "resolving: nothing fits", hint: "`--debug` shows uv's reasons", suspects: [] };
}

/** The error for uv's failure, without a trial. */
export function explainFailure(stderr: string, request: Pick<ResolveRequest, "files">): TareError {
  return explainedError(explain(stderr, sourceOf(request)), stderr);
}

/** The user's files, for messages. */
export function sourceOf({ files }: Pick<ResolveRequest, "files">): ProofSource {
  const names = [...new Set(files.map((file) => basename(file)))];
  const [pyproject] = files.filter((file) => basename(file) === "pyproject.toml");
  if (pyproject === undefined) return { files: names };
  const { project } = readPyproject(fs.readFileSync(pyproject, "utf8"), "pyproject.toml");
  return { files: names, ...(project === undefined ? {} : { project: project.name }) };
}

/** The error; `hint` in place of the explanation's where a change was tried. uv's own words stay in the details. */
export function explainedError({ code, message, hint }: Explanation, stderr: string, tried?: string): TareError {
  return new TareError(code, message, { hint: tried ?? hint, details: { output: stderr.trim() } });
}

function unauthorized({ hints, missing }: Proof): Explanation | undefined {
  const [, url = "", status = ""] =
    /index URL \(([^)]+)\) could not be queried due to [^(]*\((\d+[^)]*)\)/.exec(hints) ?? [];
  if (url === "") return undefined;
  const host = URL.parse(url)?.host ?? url;
  return {
    code: "E_INDEX_AUTH",
    message: `resolving: ${host} answered ${status} when asked for \`${missing ?? "a package"}\``,
    hint: `give credentials for ${host} in ~/.netrc, in the index URL of pip's or uv's settings, or in the environment`,
    suspects: [],
  };
}

function offline({ hints, missing, unknown }: Proof): Explanation | undefined {
  if (!/network was disabled/.test(hints)) return undefined;
  return {
    code: "E_RESOLVE",
    message: `resolving: \`${missing ?? unknown ?? "a package"}\` is not in the cache, and the network is switched off`,
    hint: "unset TARE_OFFLINE, or build from a lock: it needs no index",
    suspects: [],
  };
}

function notFound(proof: Proof): Explanation | undefined {
  const { missing } = proof;
  if (missing === undefined) return undefined;
  return {
    code: "E_RESOLVE_NOTFOUND",
    message: `resolving: there is no package \`${missing}\` on the index${wantedBy(proof, missing)}`,
    hint: "check the spelling, or name the index that has it (`--extra-index-url`)",
    suspects: [],
  };
}

/** `; A needs B` when it is not the user who wants B. */
function wantedBy({ claims, own }: Proof, name: string): string {
  if (own.some((each) => nameOf(each) === name)) return "";
  const claim = claims.find(({ needs }) => nameOf(needs) === name);
  return claim === undefined ? "" : `; ${subjectText(claim.subject)} needs \`${claim.needs}\``;
}

/**
 * True when versions that a fact does not concern end at a version that the user wants of another package: then that is
 * what to change, and the fact one among many, as that `pandas==3.0.4` was withdrawn when `numpy==1.19` excludes the rest.
 */
function isBesidePin({ own, claims }: Proof, subject: string): boolean {
  const pins = [...own.filter((each) => each !== nameOf(each)), ...rulesOf(claims)].map(nameOf);
  const reached = new Set([nameOf(subject)]);
  // Grows while it is walked.
  for (const name of reached) {
    for (const claim of claims) if (subjectName(claim) === name) reached.add(nameOf(claim.needs));
  }
  return pins.some((name) => name !== nameOf(subject) && reached.has(name));
}

function rulesOf(claims: Proof["claims"]): readonly string[] {
  return claims.filter(({ isRule }) => isRule).map(({ needs }) => needs);
}

function pythonTooOld(proof: Proof): Explanation | undefined {
  const { python } = proof;
  if (!python || isBesidePin(proof, python.subject ?? "")) return undefined;
  const subject = python.subject === undefined ? "a requirement" : `\`${python.subject}\``;
  const via = python.subject === undefined ? "" : wantedBy(proof, nameOf(python.subject));
  const pinned = proof.own.filter((each) => nameOf(each) === nameOf(python.subject ?? "") && each !== nameOf(each));
  return {
    code: "E_RESOLVE",
    message: `resolving: ${subject} needs Python ${python.needs}, the target has ${python.has}${via}`,
    hint: `${pythonHint(python)}${python.isEvery ? "" : ", or an older version of that package"}`,
    suspects: pinned,
    ...otherPython(proof),
  };
}

/** The least Python that might do, unless the project itself says which ones it is for. */
function otherPython({ python }: Proof): Pick<Explanation, "python"> {
  const least = /^>=(3\.\d+)/.exec(python?.needs ?? "")?.[1];
  return least === undefined || python?.has.startsWith(">") ? {} : { python: least };
}

function pythonHint({ has, needs }: NonNullable<Proof["python"]>): string {
  if (has.startsWith(">")) return `raise \`requires-python\` to \`${needs}\``;
  const [, least] = /^>=(3\.\d+)/.exec(needs) ?? [];
  return least === undefined
    ? "choose another Python (`--python`, and a base that has it)"
    : `choose Python ${least} or newer (\`--python ${least}\`, and a base that has it)`;
}

function noWheel(proof: Proof): Explanation | undefined {
  const { unfit } = proof;
  if (!unfit || isBesidePin(proof, unfit.subject)) return undefined;
  const has = unfit.has.length === 0 ? "" : `; it has ${unfit.has.join(", ")}`;
  const isSource = /wheels? with a matching/.test(unfit.text);
  return {
    code: "E_NO_WHEEL",
    message: `resolving: \`${unfit.subject}\` has no wheel for ${unfit.wanted}${has}${wantedBy(proof, nameOf(unfit.subject))}`,
    hint: isSource
      ? 'choose another version, Python (`--python`) or base; where it is only for other platforms, give it a marker (`; sys_platform == "win32"`)'
      : "choose another version or base",
    suspects: proof.own.filter((each) => nameOf(each) === nameOf(unfit.subject) && each !== nameOf(each)),
  };
}

function yanked(proof: Proof): Explanation | undefined {
  const { withdrawn } = proof;
  if (!withdrawn || isBesidePin(proof, withdrawn.subject)) return undefined;
  const [name, version] = withdrawn.subject.split("==");
  const reason = withdrawn.reason === "" ? "" : ` (${withdrawn.reason})`;
  return {
    code: "E_RESOLVE",
    message: `resolving: \`${withdrawn.subject}\` was withdrawn by its authors${reason}, and nothing else fits${wantedBy(proof, name ?? "")}`,
    hint: `take another version of \`${name}\`; \`${name}==${version}\`, written exactly so, is taken all the same`,
    suspects: proof.own.filter((each) => nameOf(each) === name && each !== name),
  };
}

/** Two requirements of the user that no version satisfies. */
function contradiction({ own, claims, files }: Proof): Explanation | undefined {
  if (claims.length > 0) return undefined;
  const twice = own.filter((each) => own.some((other) => other !== each && nameOf(other) === nameOf(each)));
  const [first, second] = twice;
  if (first === undefined || second === undefined) return undefined;
  return {
    code: "E_RESOLVE",
    message: `resolving: \`${first}\` and \`${second}\` exclude each other`,
    hint: `take one of them out of ${files.join(", ")}`,
    suspects: [],
  };
}

function noVersion(proof: Proof): Explanation | undefined {
  const { unknown, newest, own, claims } = proof;
  const wanted =
    unknown ??
    [...own, ...claims.map(({ needs }) => needs)].find(
      (each) => nameOf(each) === nameOf(newest ?? "") && each !== nameOf(each),
    );
  if (wanted === undefined || (unknown === undefined && newest === undefined)) return undefined;
  const name = nameOf(wanted);
  const [, last] = /[<=]=?([^<>=!~,\s]+)$/.exec(newest ?? "") ?? [];
  const isEarly = last !== undefined && isPre(last);
  const known = last === undefined ? "" : isEarly ? `, only the pre-release ${last}` : `, the newest is ${last}`;
  const asked = own.filter((each) => nameOf(each) === name);
  return {
    code: "E_RESOLVE",
    message: `resolving: there is no \`${wanted}\`${known}${wantedBy(proof, name)}`,
    hint: isEarly
      ? `ask for the pre-release by name: \`${name}>=${last}\``
      : `ask for a version of \`${name}\` that exists`,
    suspects: isEarly ? [] : asked,
  };
}

function isPre(text: string): boolean {
  const version = parseVersion(text);
  return version !== undefined && isPrerelease(version);
}

function conflict(proof: Proof): Explanation {
  const { own, claims, files } = proof;
  const pins = own.filter((each) => claims.some(({ needs }) => nameOf(needs) === nameOf(each) && needs !== each));
  const rules = rulesOf(claims);
  const shown = [...own, ...rules];
  const asked = shown
    .slice(0, 6)
    .map((each) => `\`${each}\``)
    .join(" and ");
  const why = claims
    .filter(({ isRule }) => !isRule)
    .slice(0, 5)
    .map(({ subject, needs }) => `${subjectText(subject)} needs \`${needs}\``);
  const reason = why.length === 0 ? "" : `: ${why.join("; ")}`;
  const others = [...rules, ...own.filter((each) => !pins.includes(each) && each !== nameOf(each))];
  const hint =
    pins.length === 0 && others.length === 0
      ? `leave one of them out: no versions of them go together, and nothing in ${files.join(", ")} can be loosened`
      : `loosen ${[...pins, ...others]
          .slice(0, 3)
          .map((each) => `\`${each}\``)
          .join(" or ")} in ${files.join(", ")}`;
  return {
    code: "E_RESOLVE",
    message: `resolving: ${asked || "the requirements"} can't be had together${reason}`,
    hint,
    suspects: [...pins, ...others],
    ...otherPython(proof),
  };
}

function subjectText(subject: string): string {
  const [, name] = /^all versions of (.+)$/.exec(subject) ?? [];
  return name === undefined ? `\`${subject}\`` : `every version of \`${name}\``;
}
