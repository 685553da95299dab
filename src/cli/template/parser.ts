// SPDX-License-Identifier: Apache-2.0
import { usageError } from "../usage-error.ts";
import { splitTemplate } from "./lexer.ts";
import type { Piece, Token } from "./lexer.ts";

/** A value in a pipeline. */
export type Operand =
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "dot" }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "pipeline"; readonly pipeline: Pipeline }
  | { readonly kind: "field"; readonly base: Operand; readonly name: string };

/** Commands joined by `|`, perhaps assigned to variables. */
export interface Pipeline {
  readonly variables: readonly string[];
  /** `:=` makes a variable, `=` changes one. */
  readonly declares: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

/** A node of a template. */
export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipeline: Pipeline }
  | { readonly kind: "jump"; readonly to: "break" | "continue" }
  | {
      readonly kind: "if" | "with" | "range";
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Parses a Go template. Throws `E_USAGE`. */
export function parseTemplate(template: string): readonly Node[] {
  const parser = new BlockParser(splitTemplate(template));
  const { nodes, end } = parser.block();
  if (end) throw usageError(`parsing the template: unexpected \`{{${end.source}}}\``);
  return nodes;
}

interface Block {
  readonly nodes: readonly Node[];
  /** The `else …` or `end` that closed it. */
  readonly end?: Extract<Piece, { kind: "action" }>;
}

class BlockParser {
  readonly #pieces: readonly Piece[];
  #next = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  block(): Block {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#next];
      if (!piece) return { nodes };
      this.#next += 1;
      if (piece.kind === "text") nodes.push(piece);
      else {
        const word = piece.tokens[0]?.kind === "word" ? piece.tokens[0].text : "";
        if (word === "end" || word === "else") return { nodes, end: piece };
        nodes.push(this.#action(piece.tokens, word, piece.source));
      }
    }
  }

  #action(tokens: readonly Token[], word: string, source: string): Node {
    switch (word) {
      case "if":
      case "with":
      case "range":
        return this.#control(word, tokens.slice(1), source);
      case "break":
      case "continue":
        return { kind: "jump", to: word };
      case "define":
      case "template":
      case "block":
        throw usageError(`parsing the template: \`${word}\` is not supported`);
      default:
        return { kind: "print", pipeline: parsePipeline(tokens, source) };
    }
  }

  #control(kind: "if" | "with" | "range", tokens: readonly Token[], source: string): Node {
    const pipeline = parsePipeline(tokens, source);
    const { nodes: body, end } = this.block();
    if (!end) throw usageError(`parsing the template: no \`{{end}}\` for \`{{${source}}}\``);
    const [first, second] = end.tokens;
    if (first?.text === "end") return { kind, pipeline, body, otherwise: [] };
    if (second?.text === "if" || second?.text === "with") {
      const otherwise = [this.#control(second.text, end.tokens.slice(2), end.source)];
      return { kind, pipeline, body, otherwise };
    }
    const { nodes: otherwise, end: last } = this.block();
    if (last?.tokens[0]?.text !== "end") throw usageError(`parsing the template: no \`{{end}}\` for \`{{${source}}}\``);
    return { kind, pipeline, body, otherwise };
  }
}

function parsePipeline(tokens: readonly Token[], source: string): Pipeline {
  const parser = new PipelineParser(tokens, source);
  return parser.whole();
}

class PipelineParser {
  readonly #tokens: readonly Token[];
  readonly #source: string;
  #next = 0;

  constructor(tokens: readonly Token[], source: string) {
    this.#tokens = tokens;
    this.#source = source;
  }

  whole(): Pipeline {
    const pipeline = this.#pipeline();
    if (this.#peek()) this.#fail(`unexpected \`${this.#peek()?.text}\``);
    return pipeline;
  }

  #pipeline(): Pipeline {
    const { variables, declares } = this.#declaration();
    const commands = [this.#command()];
    while (this.#accept("|")) commands.push(this.#command());
    return { variables, declares, commands };
  }

  /** `$x :=`, `$i, $x :=`, `$x =`. */
  #declaration(): { variables: readonly string[]; declares: boolean } {
    const [a, b, c, d] = this.#tokens.slice(this.#next, this.#next + 4);
    if (a?.kind === "variable" && b?.kind === "mark" && (b.text === ":=" || b.text === "=")) {
      this.#next += 2;
      return { variables: [a.text], declares: b.text === ":=" };
    }
    const isPair = a?.kind === "variable" && b?.text === "," && c?.kind === "variable";
    if (isPair && d?.kind === "mark" && (d.text === ":=" || d.text === "=")) {
      this.#next += 4;
      return { variables: [a.text, c.text], declares: d.text === ":=" };
    }
    return { variables: [], declares: false };
  }

  #command(): readonly Operand[] {
    const operands: Operand[] = [];
    for (let token = this.#peek(); token; token = this.#peek()) {
      if (token.kind === "mark" && token.text !== "(") break;
      operands.push(this.#operand());
    }
    if (operands.length === 0) this.#fail("missing value");
    return operands;
  }

  #operand(): Operand {
    let operand = this.#primary();
    for (let token = this.#peek(); token?.kind === "field" && !token.spaced; token = this.#peek()) {
      this.#next += 1;
      operand = { kind: "field", base: operand, name: token.text };
    }
    return operand;
  }

  #primary(): Operand {
    const token = this.#tokens[this.#next];
    this.#next += 1;
    switch (token?.kind) {
      case "string":
        return { kind: "literal", value: token.text };
      case "number":
        return { kind: "literal", value: Number(token.text) };
      case "field":
        return { kind: "field", base: { kind: "dot" }, name: token.text };
      case "dot":
        return { kind: "dot" };
      case "variable":
        return { kind: "variable", name: token.text };
      case "word":
        return word(token.text);
      default:
        return this.#parenthesis(token);
    }
  }

  #parenthesis(token: Token | undefined): Operand {
    if (token?.text !== "(") this.#fail(`unexpected \`${token?.text ?? "end"}\``);
    const pipeline = this.#pipeline();
    if (!this.#accept(")")) this.#fail("missing `)`");
    return { kind: "pipeline", pipeline };
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #accept(mark: string): boolean {
    const token = this.#peek();
    if (token?.kind !== "mark" || token.text !== mark) return false;
    this.#next += 1;
    return true;
  }

  #fail(reason: string): never {
    throw usageError(`parsing the template: ${reason} in \`{{${this.#source}}}\``);
  }
}

function word(text: string): Operand {
  if (text === "true" || text === "false") return { kind: "literal", value: text === "true" };
  if (text === "nil") return { kind: "literal", value: null };
  return { kind: "function", name: text };
}
