// SPDX-License-Identifier: Apache-2.0
/** Requirements files (pip's "Requirements File Format") with everything they include. */
import { posix } from "node:path";
import { TareError, isTareError } from "../../base/index.ts";
import type { LineOption, SplitLine } from "./file-options.ts";
import { splitLine } from "./file-options.ts";
import { OptionCollector } from "./option-collector.ts";
import { GrammarProblem, shorten } from "./problem.ts";
import { redactUrls } from "./redact.ts";
import { readRequirementLine } from "./requirement-line.ts";
import type { LogicalLine } from "./text-lines.ts";
import { concealVariables, decodeText, expandVariables, logicalLines } from "./text-lines.ts";
import type {
  RemoteInclude,
  RequirementLine,
  RequirementsFile,
  RequirementsReader,
  RequirementsWarning,
  SourceLine,
} from "./types.ts";

/** Includes may meet the same file again, but not without end. */
const MOST_INCLUDES = 1000;

type Kind = RemoteInclude["kind"];

/** What was read so far. */
interface Collected {
  readonly reader: RequirementsReader;
  readonly requirements: RequirementLine[];
  readonly constraints: RequirementLine[];
  readonly options: OptionCollector;
  readonly remote: RemoteInclude[];
  readonly files: Set<string>;
  readonly warnings: RequirementsWarning[];
  includes: number;
}

/** A file on its way in. `chain` holds the absolute paths of those that include it. */
interface Visit {
  readonly file: string;
  readonly kind: Kind;
  readonly chain: readonly string[];
  /** Where it is named. */
  readonly source?: SourceLine;
}

/**
 * Reads a requirements file, or a constraints file, as pip does: relative includes are relative to the file that names
 * them, local distributions to `reader.cwd`. Includes by http(s) are listed in `remote`, not read. Throws
 * `E_REQUIREMENTS` with `file:line`, without credentials.
 */
export function readRequirements(
  path: string,
  reader: RequirementsReader,
  kind: Kind = "requirements",
): RequirementsFile {
  const collected: Collected = {
    reader,
    requirements: [],
    constraints: [],
    options: new OptionCollector(reader),
    remote: [],
    files: new Set(),
    warnings: [],
    includes: 0,
  };
  visitFile(collected, { file: path, kind, chain: [] });
  const { requirements, constraints, options, remote, files, warnings } = collected;
  return { requirements, constraints, options: options.result(), remote, files: [...files], warnings };
}

function visitFile(collected: Collected, visit: Visit): void {
  const { file, kind, source = { file, line: 0 } } = visit;
  if (/^https?:/i.test(file)) {
    collected.remote.push({ ...source, kind, url: file });
    return;
  }
  const { path, lines } = at(source, () => openFile(collected, visit));
  for (const line of lines) {
    const here = { file, line: line.line };
    const inside = { ...visit, source: here, chain: [...visit.chain, path] };
    at(
      here,
      () => visitLine(collected, inside, line),
      (message) => conceal(collected, line, message),
    );
  }
}

function conceal(collected: Collected, line: LogicalLine, message: string): string {
  return concealVariables(message, line.text, collected.reader.env);
}

function openFile(collected: Collected, visit: Visit): { path: string; lines: readonly LogicalLine[] } {
  const path = posix.resolve(collected.reader.cwd, withoutScheme(visit.file));
  if (visit.chain.includes(path)) throw new GrammarProblem(`\`${visit.file}\` includes itself`, cycleHint(visit, path));
  collected.includes += 1;
  if (collected.includes > MOST_INCLUDES) throw new GrammarProblem(`more than ${MOST_INCLUDES} files are included`);
  const content = path.includes("\0") ? undefined : collected.reader.read(path);
  if (content === undefined) throw new GrammarProblem(`no such file \`${visit.file}\``);
  collected.files.add(path);
  return { path, lines: linesOf(content, visit.file) };
}

function linesOf(content: Uint8Array | string, file: string): readonly LogicalLine[] {
  return at({ file, line: 0 }, () => {
    const text = decodeText(content);
    const nul = text.indexOf("\0");
    if (nul >= 0) throw new GrammarProblem(`line ${text.slice(0, nul).split("\n").length} has a NUL character`);
    return logicalLines(text);
  });
}

function withoutScheme(file: string): string {
  return /^file:/i.test(file) ? decodeURIComponent(file.replace(/^file:(?:\/\/(?:localhost)?(?=\/))?/i, "")) : file;
}

function cycleHint(visit: Visit, path: string): string {
  return [...visit.chain.slice(visit.chain.indexOf(path)), path].join(" → ");
}

function visitLine(collected: Collected, visit: Visit, line: LogicalLine): void {
  const split = splitLine(expandVariables(line.text, collected.reader.env));
  const editable = split.options.find(({ kind }) => kind === "editable");
  if (split.requirement !== "" || editable !== undefined) addRequirement(collected, visit, { line, split, editable });
  else if (!visitInclude(collected, visit, split)) addOptions(collected, visit, split);
}

interface RequirementParts {
  readonly line: LogicalLine;
  readonly split: SplitLine;
  readonly editable: LineOption | undefined;
}

const OF_REQUIREMENTS: ReadonlySet<string> = new Set(["hash", "config-settings", "global-option"]);

function addRequirement(collected: Collected, visit: Visit, { line, split, editable }: RequirementParts): void {
  const source = visit.source ?? { file: visit.file, line: line.line };
  const isEditable = split.requirement === "" && editable !== undefined;
  const requirement = isEditable ? editable.value : split.requirement;
  const text = { requirement, editable: isEditable, options: split.options, source, text: line.text };
  const read = readRequirementLine(text, collected.reader);
  if (visit.kind === "constraints") checkConstraint(read);
  collected[visit.kind].push(read);
  const used = isEditable ? [editable] : [];
  warnIgnored(collected, source, {
    stray: split.stray,
    options: split.options.filter((option) => !used.includes(option) && !OF_REQUIREMENTS.has(option.kind)),
  });
}

/** What pip's resolver refuses as a constraint. */
function checkConstraint(line: RequirementLine): void {
  if (line.editable) throw new GrammarProblem("a constraint can't be editable");
  if (line.requirement === undefined) throw new GrammarProblem("a constraint needs a name");
  if (line.extras.length > 0) throw new GrammarProblem("a constraint can't have extras");
}

/** Follows the first `-r`, or else the first `-c`, of a line. */
function visitInclude(collected: Collected, visit: Visit, split: SplitLine): boolean {
  const include =
    split.options.find(({ kind }) => kind === "requirement") ?? split.options.find(({ kind }) => kind === "constraint");
  if (include === undefined) return false;
  const source = visit.source ?? { file: visit.file, line: 0 };
  warnIgnored(collected, source, { ...split, options: split.options.filter((option) => option !== include) });
  const isAbsolute = /^(?:https?|file):/i.test(include.value);
  if (!isAbsolute && include.value.includes("://")) {
    throw new GrammarProblem(`\`${include.value}\` is neither a path nor an http(s) URL`);
  }
  const file = isAbsolute ? include.value : posix.join(posix.dirname(visit.file), include.value);
  const kind = include.kind === "requirement" ? "requirements" : "constraints";
  visitFile(collected, { ...visit, kind, file: posix.isAbsolute(include.value) ? include.value : file });
  return true;
}

function addOptions(collected: Collected, visit: Visit, split: SplitLine): void {
  const source = visit.source ?? { file: visit.file, line: 0 };
  const isUseless = (option: LineOption): boolean => OF_REQUIREMENTS.has(option.kind);
  const folder = posix.dirname(posix.resolve(collected.reader.cwd, withoutScheme(visit.file)));
  const useful = split.options.filter((option) => !isUseless(option)).toSorted((a, b) => rankOf(a) - rankOf(b));
  for (const option of useful) collected.options.add(option, folder);
  warnIgnored(collected, source, { ...split, options: split.options.filter(isUseless) });
}

/** Within a line pip looks at `--no-index` first, then at the index, then at all else. */
function rankOf(option: LineOption): number {
  const rank = ["no-index", "index-url"].indexOf(option.kind);
  return rank < 0 ? 2 : rank;
}

function warnIgnored(collected: Collected, source: SourceLine, ignored: Omit<SplitLine, "requirement">): void {
  const names = [...ignored.options.map(({ kind }) => `--${kind}`), ...ignored.stray];
  if (names.length === 0) return;
  const message = `\`${shorten(redactUrls(names.join(" ")))}\` has no effect in this place`;
  collected.warnings.push({ ...source, message });
}

/** Runs a step; what goes wrong in it is told with the place, once. */
function at<T>(source: SourceLine, step: () => T, hide = (message: string): string => message): T {
  try {
    return step();
  } catch (error) {
    const isProblem = error instanceof GrammarProblem;
    if (!isProblem && (!isTareError(error, "E_REQUIREMENTS") || "file" in error.details)) throw error;
    const place = source.line === 0 ? source.file : `${source.file}:${source.line}`;
    const message = `reading requirements \`${redactUrls(place)}\`: ${redactUrls(hide(error.message))}`;
    const hint = error.hint === undefined ? {} : { hint: redactUrls(hide(error.hint)) };
    throw new TareError("E_REQUIREMENTS", message, { ...hint, details: { ...source } });
  }
}
