// SPDX-License-Identifier: Apache-2.0
import { parseDirective } from "./directives.ts";
import type { FromInstruction, Instruction } from "./instruction.ts";
import type { Node, NodeTree } from "./nodes.ts";
import type { Location } from "./problem.ts";
import { cut, quoted } from "./text.ts";

/** A finding of one of BuildKit's rules, with its name and text. */
export interface Warning {
  readonly rule: string;
  readonly detail: string;
  readonly line: number;
  /** Index of the stage that it belongs to: it counts only when that stage is built. Undefined: always. */
  readonly stage: number | undefined;
}

/** A finding that is ours alone, for people. */
export interface Note {
  readonly message: string;
  readonly line: number;
}

/** Which rules are reported: the value of `# check=`. */
export interface LintOptions {
  readonly skipAll: boolean;
  readonly skip: ReadonlySet<string>;
  readonly experimentalAll: boolean;
  readonly experimental: ReadonlySet<string>;
  /** Whether a finding makes the build fail. */
  readonly error: boolean;
}

const EXPERIMENTAL_RULES: ReadonlySet<string> = new Set(["InvalidDefinitionDescription"]);
const RESERVED_STAGE_NAMES: ReadonlySet<string> = new Set(["context", "scratch"]);

/** Reads `skip=a,b;experimental=all;error=true`; what is malformed is left out. */
export function lintOptions(text: string): LintOptions {
  const given = new Map(
    text.split(";").map((part) => {
      const [key, value = ""] = cut(part, "=");
      return [key.trim(), value.trim()] as const;
    }),
  );
  const names = (key: string): ReadonlySet<string> =>
    new Set(
      (given.get(key) ?? "")
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== ""),
    );
  return {
    skipAll: given.get("skip") === "all",
    skip: names("skip"),
    experimentalAll: given.get("experimental") === "all",
    experimental: names("experimental"),
    error: ["true", "1", "t", "T", "TRUE", "True"].includes(given.get("error") ?? ""),
  };
}

/** Whether findings of `rule` are reported. */
export function isReported(options: LintOptions, rule: string): boolean {
  if (EXPERIMENTAL_RULES.has(rule)) return options.experimentalAll || options.experimental.has(rule);
  return !options.skipAll && !options.skip.has(rule);
}

/** The options for one instruction: those of the file, and a `# check=` among the comments before it. */
export function optionsFor(options: LintOptions, comments: readonly string[]): LintOptions {
  const directive = comments.map((comment) => parseDirective(comment)).find((found) => found?.name === "check");
  if (directive === undefined) return options;
  const own = lintOptions(cut(directive.value, " ")[0]);
  return {
    skipAll: options.skipAll || own.skipAll,
    skip: new Set([...options.skip, ...own.skip]),
    experimentalAll: options.experimentalAll || own.experimentalAll,
    experimental: new Set([...options.experimental, ...own.experimental]),
    error: options.error,
  };
}

/** Gathers findings while a file is read. */
export class Linter {
  readonly warnings: Warning[] = [];
  readonly notes: Note[] = [];
  private readonly options: LintOptions;

  constructor(options: LintOptions) {
    this.options = options;
  }

  /** Adds a finding unless its rule is switched off for the file or by the comments before the instruction. */
  report(
    rule: string,
    detail: string,
    at: { readonly line: number; readonly comments?: readonly string[]; readonly stage?: number },
  ): void {
    if (!isReported(optionsFor(this.options, at.comments ?? []), rule)) return;
    this.warnings.push({ rule, detail, line: at.line, stage: at.stage });
  }

  /** Rules about an instruction as written. */
  beforeNode(node: Node): void {
    const at = { line: node.location.line, comments: node.comments };
    const keyword = node.keyword.toLowerCase();
    if (keyword === "maintainer") {
      this.report("MaintainerDeprecated", "Maintainer instruction is deprecated in favor of using label", at);
    }
    const [, as, name] = node.args;
    if (keyword === "from" && as !== undefined && name !== undefined) this.fromCasing(node, as, name);
    if (node.brokenJson) {
      const message = `${node.keyword} looks like a JSON array but is not valid JSON, so it is taken as plain words`;
      this.notes.push({ message, line: node.location.line });
    }
  }

  private fromCasing(node: Node, as: string, name: string): void {
    const at = { line: node.location.line, comments: node.comments };
    if (node.args.length === 3 && name !== name.toLowerCase()) {
      this.report("StageNameCasing", `Stage name '${name}' should be lowercase`, at);
    }
    const isLower = node.keyword === node.keyword.toLowerCase();
    if (!isLower && node.keyword !== node.keyword.toUpperCase()) return;
    if (as !== (isLower ? as.toLowerCase() : as.toUpperCase())) {
      this.report("FromAsCasing", `'${as}' and '${node.keyword}' keywords' casing do not match`, at);
    }
  }

  /** Rules about an instruction that was understood. */
  afterNode(node: Node, instruction: Instruction | FromInstruction): void {
    if (instruction.kind === "from" && instruction.name !== undefined)
      this.description(node, "FROM", [instruction.name]);
    if (instruction.kind === "arg")
      this.description(
        node,
        "ARG",
        instruction.definitions.map(({ key }) => key),
      );
    if (instruction.kind === "onbuild" && instruction.triggerProblem !== undefined) {
      const message = `the ONBUILD trigger will fail when it runs: ${instruction.triggerProblem}`;
      this.notes.push({ message, line: node.location.line });
    }
  }

  private description(node: Node, keyword: string, keys: readonly string[]): void {
    const last = node.comments.at(-1);
    if (last === undefined || keys.includes(cut(last, " ")[0])) return;
    const example = keys.length > 1 ? "<arg_key>" : (keys[0] ?? "");
    const detail = `Comment for ${keyword} should follow the format: \`# ${example} <description>\``;
    this.report("InvalidDefinitionDescription", detail, { line: node.location.line, comments: node.comments });
  }
}

/** What the rules about whole files need of a stage. */
export interface LintedStage {
  readonly index: number;
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
  readonly location: Location;
}

/** Rules about the file as a whole; those about one stage are in `lint-stage.ts`. */
export function lintFile(linter: Linter, tree: NodeTree, stages: readonly LintedStage[]): void {
  for (const line of tree.emptyContinuations) linter.report("NoEmptyContinuation", "Empty continuation line", { line });
  stageNames(linter, stages);
  keywordCasing(linter, stages);
}

function stageNames(linter: Linter, stages: readonly LintedStage[]): void {
  const seen = new Set<string>();
  for (const { from } of stages) {
    if (from.name === undefined) continue;
    const at = { line: from.location.line };
    if (RESERVED_STAGE_NAMES.has(from.name)) {
      const detail = `Stage name should not use the same name as reserved stage ${quoted(from.name)}`;
      linter.report("ReservedStageName", detail, at);
    }
    if (seen.has(from.name)) {
      linter.report(
        "DuplicateStageName",
        `Duplicate stage name ${quoted(from.name)}, stage names should be unique`,
        at,
      );
    }
    seen.add(from.name);
  }
}

function keywordCasing(linter: Linter, stages: readonly LintedStage[]): void {
  const all = stages.flatMap(({ from, instructions }) => [from, ...instructions]);
  const lower = all.filter(({ keyword }) => keyword === keyword.toLowerCase()).length;
  const upper = all.filter(
    ({ keyword }) => keyword === keyword.toUpperCase() && keyword !== keyword.toLowerCase(),
  ).length;
  const majority = lower > upper ? "lowercase" : "uppercase";
  for (const { keyword, location } of all) {
    if (keyword === (majority === "lowercase" ? keyword.toLowerCase() : keyword.toUpperCase())) continue;
    const detail = `Command '${keyword}' should match the case of the command majority (${majority})`;
    linter.report("ConsistentInstructionCasing", detail, { line: location.line });
  }
}
