// SPDX-License-Identifier: Apache-2.0
import type { Dockerfile } from "./dockerfile.ts";
import type { InstructionBase } from "./instruction.ts";
import { takeContinuation } from "./lines.ts";

const WIDEST = 16_000;

/**
 * A Dockerfile as text: directives, comments, one line for each instruction with its heredocs after it, an empty line
 * before each stage. Parsing the result gives the same tree but for line numbers and warnings.
 */
export function printDockerfile(tree: Pick<Dockerfile, "directives" | "escape" | "metaArgs" | "stages">): string {
  const lines = tree.directives.map(({ name, value }) => `# ${name}=${value}\n`);
  for (const instruction of tree.metaArgs) lines.push(gap(lines), ...printInstruction(instruction, tree.escape));
  for (const { from, instructions } of tree.stages) {
    lines.push(lines.length === 0 && from.comments.length === 0 ? "" : "\n");
    for (const instruction of [from, ...instructions]) lines.push(...printInstruction(instruction, tree.escape));
  }
  return lines.join("");
}

/** An empty line ends the directives, so that a comment after it is not taken for one. */
function gap(lines: readonly string[]): string {
  return lines.every((line) => line.startsWith("#")) ? "\n" : "";
}

function printInstruction(instruction: InstructionBase, escape: string): readonly string[] {
  const comments = instruction.comments.map((comment) => `# ${comment}\n`);
  const heredocs = instruction.heredocs.map(({ content, name }) => `${content}${name}\n`);
  return [...comments, `${printLine(instruction.text, escape)}\n`, ...heredocs];
}

/** A text that ends in an escape character and blanks came from a continuation into nothing, and is printed as such. */
function printLine(text: string, escape: string): string {
  const line = text.length <= WIDEST ? text : brokenUp(text, escape);
  return takeContinuation(line, escape).continues ? line + escape : line;
}

/** Breaks a very long line between letters, where a continuation changes nothing. */
function brokenUp(text: string, escape: string): string {
  const pieces: string[] = [];
  let start = 0;
  while (text.length - start > WIDEST) {
    let end = start + WIDEST;
    while (end > start && !/^[A-Za-z0-9]{2}$/.test(text.slice(end - 1, end + 1))) end -= 1;
    if (end === start) break;
    pieces.push(text.slice(start, end));
    start = end;
  }
  return [...pieces, text.slice(start)].join(`${escape}\n`);
}
