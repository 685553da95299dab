// SPDX-License-Identifier: Apache-2.0
import { detectDirective, detectSyntax } from "./directives.ts";
import type { Directive } from "./directives.ts";
import type { ArgInstruction, FromInstruction, Instruction } from "./instruction.ts";
import { Linter, lintFile, lintOptions } from "./lint.ts";
import { lintStages } from "./lint-stage.ts";
import type { LintOptions, Note, Warning } from "./lint.ts";
import { parseNodes } from "./nodes.ts";
import type { Node } from "./nodes.ts";
import { at, located, problem } from "./problem.ts";
import type { Location, Place } from "./problem.ts";
import { understand } from "./understand.ts";

/** A build stage: a FROM and the instructions after it. */
export interface Stage {
  /** Position in the file, from 0; `COPY --from=0` means it. */
  readonly index: number;
  readonly from: FromInstruction;
  /** Small letters; undefined when the stage has no name. */
  readonly name: string | undefined;
  /** The image or stage that it builds on, unexpanded. */
  readonly base: string;
  readonly platform: string | undefined;
  readonly instructions: readonly Instruction[];
  /** From FROM to the last instruction. */
  readonly location: Location;
}

/** A whole Dockerfile, understood; variables are not expanded. */
export interface Dockerfile {
  readonly fileName: string;
  readonly directives: readonly Directive[];
  /** The escape character, for `expandWord`. */
  readonly escape: "\\" | "`";
  /** The front end image that `# syntax=` names; it is never run. */
  readonly syntax: string | undefined;
  /** What `# check=` or the option of that name asks for. */
  readonly check: LintOptions;
  /** ARG instructions before the first FROM. */
  readonly metaArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  /** Findings of BuildKit's rules that do not depend on the build; `stage` says to which stage one belongs. */
  readonly warnings: readonly Warning[];
  /** Findings of our own. */
  readonly notes: readonly Note[];
}

/** Options of `parseDockerfile`. */
export interface ParseOptions {
  /** The name in messages; default `Dockerfile`. */
  readonly fileName?: string;
  /** Replaces the file's `# check=` directive (`skip=all;error=true`). */
  readonly check?: string;
}

/** Parses a Dockerfile. Throws `TareError` with `details: {file, line, endLine, column, endColumn, text}` for a mistake. */
export function parseDockerfile(text: string, options: ParseOptions = {}): Dockerfile {
  const fileName = options.fileName ?? "Dockerfile";
  const tree = parseNodes(text, fileName);
  const check = lintOptions(options.check ?? detectDirective(text, "check")?.value ?? "");
  const linter = new Linter(check);
  const collected = new Collector(fileName);
  try {
    for (const node of tree.nodes) collected.add(node, linter);
  } catch (error) {
    throw withWarnings(error, linter);
  }
  const { metaArgs, stages } = collected.finish();
  lintFile(linter, tree, stages);
  lintStages(linter, stages, tree.escape);
  return {
    fileName,
    directives: tree.directives,
    escape: tree.escape,
    syntax: detectSyntax(text)?.value,
    check,
    metaArgs,
    stages,
    warnings: linter.warnings,
    notes: linter.notes,
  };
}

/** Parses one instruction on its own, as a base image's ONBUILD trigger is. Throws as `parseDockerfile` does. */
export function parseInstruction(text: string, options: ParseOptions = {}): Instruction {
  const fileName = options.fileName ?? "ONBUILD trigger";
  const { nodes } = parseNodes(text, fileName);
  const [node] = nodes;
  const place = { file: fileName, line: 1, endLine: nodes.at(-1)?.location.endLine ?? 1, text };
  return at(place, () => {
    if (node === undefined || nodes.length !== 1)
      throw problem("E_DF_ONBUILD", "a trigger must be a single instruction");
    const instruction = understand(node);
    if (instruction.kind === "from") throw problem("E_DF_ONBUILD", "FROM isn't allowed as an ONBUILD trigger");
    return instruction;
  });
}

/** Gathers instructions into stages. */
class Collector {
  private readonly file: string;
  private readonly metaArgs: ArgInstruction[] = [];
  private readonly stages: { from: FromInstruction; instructions: Instruction[] }[] = [];

  constructor(file: string) {
    this.file = file;
  }

  add(node: Node, linter: Linter): void {
    const place = placeOf(this.file, node);
    at(place, () => {
      linter.beforeNode(node);
      const instruction = understand(node);
      linter.afterNode(node, instruction);
      if (instruction.kind === "from") this.stages.push({ from: instruction, instructions: [] });
      else this.place(instruction);
    });
  }

  private place(instruction: Instruction): void {
    const stage = this.stages.at(-1);
    if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === "arg") this.metaArgs.push(instruction);
    else
      throw problem(
        "E_DF_ORDER",
        "no build stage in current context",
        "start with `FROM image`; only ARG may stand before it",
      );
  }

  finish(): { readonly metaArgs: readonly ArgInstruction[]; readonly stages: readonly Stage[] } {
    if (this.stages.length === 0) {
      const last = this.metaArgs.at(-1);
      const place = { file: this.file, line: 1, endLine: last?.location.endLine ?? 1, text: last?.text ?? "" };
      throw located(problem("E_DF_NOFROM", "dockerfile contains no stages to build", "add `FROM image`"), place);
    }
    return { metaArgs: this.metaArgs, stages: this.stages.map((stage, index) => finishStage(stage, index)) };
  }
}

function finishStage(stage: { from: FromInstruction; instructions: Instruction[] }, index: number): Stage {
  const { from, instructions } = stage;
  const { name, base, platform } = from;
  const endLine = instructions.at(-1)?.location.endLine ?? from.location.endLine;
  return { index, from, name, base, platform, instructions, location: { line: from.location.line, endLine } };
}

function placeOf(file: string, node: Node): Place {
  return { file, ...node.location, text: node.text, column: 1, endColumn: Math.max(1, node.keyword.length) };
}

/** The warnings before a mistake are worth showing with it. */
function withWarnings(error: unknown, linter: Linter): unknown {
  if (error instanceof Error && "details" in error && typeof error.details === "object" && error.details !== null) {
    Object.assign(error.details, { warnings: linter.warnings });
  }
  return error;
}
