// SPDX-License-Identifier: Apache-2.0
/* uv's account of why nothing fits, as the few sentences that a person needs. */
import { TareError } from "../../base/index.ts";
import type { ResolveRequest } from "./resolve.ts";

/** Who wants what of whom: one step of uv's reasoning. */
interface Claim {
  readonly subject: string;
  readonly needs: string;
}

/** True when sources have to be built to know what they need, which the stand-in for Python refuses. */
export function mustBuild(stderr: string): boolean {
  return /has to be built to know/.test(stderr);
}

/** The error for uv's failure. */
export function explainFailure(stderr: string, request: Pick<ResolveRequest, "files">): TareError {
  const text = stderr.replaceAll(/(https?:\/\/)[^/@\s"]+@/g, "$1").trim();
  const details = { output: text };
  if (!/No solution found/.test(text)) return otherFailure(text, details);
  const flat = text.replaceAll(/\s+/g, " ");
  const missing = /(?:Because )?(\S+) was not found in the (?:package registry|provided package locations)/.exec(flat);
  if (missing) {
    return new TareError("E_RESOLVE_NOTFOUND", `resolving: there is no package \`${missing[1] ?? ""}\` on the index`, {
      hint: "check the spelling, or name the index that has it (`--extra-index-url`)",
      details,
    });
  }
  const python = /the (?:requested|current) Python version \(([^)]+)\) does not satisfy Python(\S+)/.exec(flat);
  if (python) return pythonTooOld(flat, python, details);
  const noVersion = /there (?:is no version of|are no versions of) ([^\s,]+?)(?:,| and| we|$)/.exec(flat)?.[1];
  const claims = claimsOf(flat);
  const own = ownRequirements(flat);
  const shown = claims.filter(({ needs }) => own.length === 0 || own.some((each) => nameOf(each) === nameOf(needs)));
  const sentences = [
    ...(noVersion === undefined ? [] : [`there is no \`${noVersion}\``]),
    ...shown.slice(0, 4).map(({ subject, needs }) => `\`${subject}\` needs \`${needs}\``),
  ];
  const asked = own.map((each) => `\`${each}\``).join(" and ");
  const why = sentences.length === 0 ? "" : `: ${sentences.join("; ")}`;
  return new TareError("E_RESOLVE", `resolving: ${asked || "the requirements"} can't be had together${why}`, {
    hint: smallestChange(own, claims, noVersion) ?? `loosen one of them in ${request.files.map(shortName).join(", ")}`,
    details,
  });
}

/** `A depends on B`, without pre-releases and repetitions, the newest versions first. */
function claimsOf(flat: string): readonly Claim[] {
  const claims = new Map<string, Claim>();
  for (const [, subject = "", needs = ""] of flat.matchAll(
    /(?:^|[ (])([A-Za-z0-9][\w.-]*(?:[=<>!~]=?[^\s,]+(?:,[<>=!~][^\s,]+)*)?) depends on ([A-Za-z0-9][\w.-]*(?:\{[^}]*\})?(?:[=<>!~]=?[^\s,]+(?:,[<>=!~][^\s,]+)*)?)/g,
  )) {
    const wanted = needs.replace(/\{[^}]*\}/, "");
    const name = nameOf(subject);
    if (!claims.has(`${name} ${nameOf(wanted)}`) && !/\d(?:a|b|rc)\d/.test(subject))
      claims.set(`${name} ${nameOf(wanted)}`, { subject, needs: wanted });
  }
  return [...claims.values()];
}

/** What the user wrote: `you require numpy<1.20 and pandas>=2.2`. */
function ownRequirements(flat: string): readonly string[] {
  const found = [
    ...flat.matchAll(/(?:you|your project) (?:require|requires|depends on) (.+?)(?:, we can| we can|\.(?=\s|$)|$)/g),
  ];
  const [, text = ""] = found.at(-1) ?? [];
  return text
    .split(/(?:,? and |, )(?=[A-Za-z])/)
    .map((each) => each.replace(/^your? requires? /, "").trim())
    .filter((each) => /^[A-Za-z0-9]/.test(each));
}

/** When one of the user's pins is what another package excludes, that pin is what to change. */
function smallestChange(
  own: readonly string[],
  claims: readonly Claim[],
  noVersion: string | undefined,
): string | undefined {
  if (noVersion !== undefined) return `smallest change: ask for a version of \`${nameOf(noVersion)}\` that exists`;
  for (const pin of own) {
    const against = claims.filter(({ needs }) => nameOf(needs) === nameOf(pin) && needs !== nameOf(needs));
    const [claim] = against;
    if (claim && claim.needs !== pin) return `smallest change: \`${claim.needs}\` instead of \`${pin}\``;
  }
  return undefined;
}

function nameOf(text: string): string {
  return /^[A-Za-z0-9][\w.-]*?(?=[=<>!~{[]|$)/.exec(text)?.[0].toLowerCase() ?? text;
}

function pythonTooOld(flat: string, [, version = "", wanted = ""]: RegExpExecArray, details: object): TareError {
  const [, who] = /and ([A-Za-z0-9][\w.=<>!~,-]*) depends on Python/.exec(flat) ?? [];
  const subject = who === undefined ? "a requirement" : `\`${who}\``;
  return new TareError(
    "E_RESOLVE",
    `resolving: ${subject} needs Python ${wanted.replace(/[,.]$/, "")}, the target has ${version}`,
    {
      hint: "choose a base with a newer Python, or an older version of that package",
      details: { ...details },
    },
  );
}

function otherFailure(text: string, details: object): TareError {
  const lines = text
    .split("\n")
    .map((line) => line.replace(/^(?:error:|\s*(?:cause|hint):)\s*/i, "").trim())
    .filter(Boolean);
  const isNetwork = /dns error|Connection refused|tcp connect|certificate|timed out|Could not connect/i.test(text);
  const isBuild = mustBuild(text);
  const [first = "uv failed without a word"] = lines;
  const why = isBuild
    ? `${first.slice(0, 120)}: it has no wheel, and must be built to know what it needs`
    : [first, lastCause(text)].filter(Boolean).join(": ").slice(0, 400);
  const hint = isNetwork
    ? "check the network, HTTPS_PROXY and the certificates (SSL_CERT_FILE); a locked project needs no index"
    : isBuild
      ? "choose a version that has wheels, or do it as root on Linux, where sources are built in a container"
      : "`--debug` shows all of uv's output";
  return new TareError("E_RESOLVE", `resolving: ${why}`, { hint, details: { ...details } });
}

/** The innermost cause: `fatal: couldn't find remote ref` of git, or the last that uv names. */
function lastCause(text: string): string {
  const fatal = /^\s*fatal: (.+)$/m.exec(text)?.[1];
  return fatal ?? [...text.matchAll(/^\s*cause: (.+)$/gim)].at(-1)?.[1] ?? "";
}

function shortName(path: string): string {
  return path.split("/").at(-1) ?? path;
}
