// SPDX-License-Identifier: Apache-2.0
import { DirectiveReader } from "./directives.ts";
import type { Directive } from "./directives.ts";
import { heredocsOnLine } from "./heredoc.ts";
import type { Heredoc } from "./heredoc.ts";
import { LineReader, isComment, takeContinuation, trimLineEnd } from "./lines.ts";
import { parseArguments } from "./arguments.ts";
import { at, located, problem } from "./problem.ts";
import type { Location } from "./problem.ts";
import { trim, trimStart } from "./text.ts";
import { splitLine } from "./words.ts";

/** One instruction as written: keyword, flags and words, before it is understood. */
export interface Node {
  /** The keyword as written. */
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly args: readonly string[];
  /** The instruction inside an ONBUILD. */
  readonly trigger: Node | undefined;
  /** Whether the arguments were a JSON array. */
  readonly isJson: boolean;
  /** The arguments look like a JSON array but are not valid JSON, so they count as plain words. */
  readonly brokenJson: boolean;
  readonly heredocs: readonly Heredoc[];
  /** The logical line: continuations joined, comments between them removed. */
  readonly text: string;
  /** Comments directly before the instruction. */
  readonly comments: readonly string[];
  readonly location: Location;
}

/** The instructions of a file in order, before they are understood. */
export interface NodeTree {
  readonly nodes: readonly Node[];
  readonly directives: readonly Directive[];
  /** The escape character in force. */
  readonly escape: "\\" | "`";
  /** Last lines of instructions that have an empty line inside a continuation. */
  readonly emptyContinuations: readonly number[];
}

const SIZE_LIMIT = 16 * 1024 * 1024;
const HEREDOC_KEYWORDS: ReadonlySet<string> = new Set(["add", "copy", "run"]);

/**
 * Splits a Dockerfile into instructions. Throws `E_DF_EMPTY`, `E_DF_TOOBIG`, `E_DF_ENCODING`, `E_DF_HEREDOC`,
 * `E_DF_JSON`, `E_DF_ARGS`, `E_DF_DIRECTIVE` with the place of the mistake.
 */
export function parseNodes(text: string, fileName: string = "Dockerfile"): NodeTree {
  return new NodeReader(checkText(text, fileName), fileName).read();
}

function checkText(text: string, file: string): string {
  const place = { file, line: 1, endLine: 1, text: "" };
  return at(place, () => {
    if (text.length > SIZE_LIMIT) throw problem("E_DF_TOOBIG", `the file has more than ${SIZE_LIMIT} characters`);
    const nul = text.indexOf("\0");
    if (nul >= 0) throw problem("E_DF_ENCODING", "the file holds a NUL character", "save the file as UTF-8 text");
    return text.startsWith("\ufeff") ? text.slice(1) : text;
  });
}

class NodeReader {
  private readonly lines: LineReader;
  private readonly file: string;
  private readonly directiveReader = new DirectiveReader();
  private readonly directives: Directive[] = [];
  private readonly nodes: Node[] = [];
  private readonly emptyContinuations: number[] = [];
  private escape: "\\" | "`" = "\\";
  private comments: string[] = [];

  constructor(text: string, file: string) {
    this.lines = new LineReader(text);
    this.file = file;
  }

  read(): NodeTree {
    for (let raw = this.nextLine(); raw !== undefined; raw = this.nextLine()) this.readStart(raw);
    if (this.nodes.length === 0) {
      const reason = "file with no instructions";
      const line = Math.max(1, this.lines.line);
      const place = { file: this.file, line, endLine: line, text: "" };
      throw located(problem("E_DF_EMPTY", reason, "start the file with `FROM image`"), place);
    }
    const { nodes, directives, escape, emptyContinuations } = this;
    return { nodes, directives, escape, emptyContinuations };
  }

  private nextLine(): string | undefined {
    return this.at(this.lines.line + 1, "", () => this.lines.next());
  }

  private at<T>(line: number, text: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw located(error, { file: this.file, line, endLine: Math.max(line, this.lines.line), text });
    }
  }

  /** A line at which an instruction may begin: a comment, a directive, nothing, or an instruction. */
  private readStart(raw: string): void {
    const line = trimStart(trimLineEnd(raw));
    this.at(this.lines.line, line, () => this.readDirective(line));
    if (line.startsWith("#")) return;
    const first = takeContinuation(line, this.escape);
    if (first.text === "" && !first.continues) return;
    this.readInstruction(first);
  }

  private readDirective(line: string): void {
    const directive = this.directiveReader.read(line);
    if (directive !== undefined) {
      this.directives.push(directive);
      if (directive.name === "escape") this.escape = escapeOf(directive.value);
    } else if (line.startsWith("#")) {
      const comment = trim(line.slice(1));
      if (comment === "") this.comments = [];
      else this.comments.push(comment);
    }
  }

  private readInstruction(first: { readonly text: string; readonly continues: boolean }): void {
    const start = this.lines.line;
    const text = this.joinContinuations(first);
    const node = this.at(start, text, () => {
      const parsed = parseLine(text, this.escape);
      return { ...parsed, heredocs: this.readHeredocs(parsed, text) };
    });
    const location = { line: start, endLine: this.lines.line };
    this.nodes.push({ ...withLocation(node, location), comments: this.comments });
    this.comments = [];
  }

  /** Joins the lines of a continuation; comments and empty lines between them do not end it. */
  private joinContinuations(first: { readonly text: string; readonly continues: boolean }): string {
    const pieces = [first.text];
    let hasEmpty = false;
    let continues = first.continues;
    while (continues) {
      const raw = this.nextLine();
      if (raw === undefined) break;
      const line = trimLineEnd(raw);
      if (isComment(line)) continue;
      if (trimStart(line) === "") {
        hasEmpty = true;
        continue;
      }
      const piece = takeContinuation(line, this.escape);
      pieces.push(piece.text);
      continues = piece.continues;
    }
    if (hasEmpty) this.emptyContinuations.push(this.lines.line);
    return pieces.join("");
  }

  private readHeredocs(node: Node, text: string): readonly Heredoc[] {
    if (!mayHaveHeredocs(node) || !text.includes("<<")) return [];
    return heredocsOnLine(text).map((mark) => ({ ...mark, content: this.readHeredoc(mark) }));
  }

  private readHeredoc(mark: Heredoc): string {
    const content: string[] = [];
    for (let raw = this.nextLine(); raw !== undefined; raw = this.nextLine()) {
      const line = trimLineEnd(raw);
      if ((mark.chomp ? line.replace(/^\t+/, "") : line) === mark.name) return content.join("");
      content.push(raw);
    }
    const hint = `end it with a line that holds only \`${mark.name}\``;
    throw problem("E_DF_HEREDOC", `unterminated heredoc \`${mark.name}\``, hint);
  }
}

function escapeOf(value: string): "\\" | "`" {
  if (value === "\\" || value === "`") return value;
  throw problem("E_DF_DIRECTIVE", `invalid escape token '${value}' does not match \` or \\`);
}

function mayHaveHeredocs(node: Node): boolean {
  const inner = node.keyword.toLowerCase() === "onbuild" && node.trigger !== undefined ? node.trigger : node;
  return HEREDOC_KEYWORDS.has(inner.keyword.toLowerCase()) && !inner.isJson;
}

function withLocation(node: Node, location: Location): Node {
  const trigger = node.trigger === undefined ? undefined : withLocation(node.trigger, location);
  return { ...node, location, trigger };
}

/** Parses one logical line; its location is filled in by the caller. */
function parseLine(text: string, escape: string, depth: number = 0): Node {
  if (depth > 100) throw problem("E_DF_ONBUILD", "ONBUILD is nested too deep");
  const { keyword, flags, rest } = splitLine(text, escape);
  const parsed = parseArguments(keyword.toLowerCase(), rest, escape);
  const isTrigger = keyword.toLowerCase() === "onbuild" && rest !== "";
  return {
    keyword,
    flags,
    args: parsed.args,
    trigger: isTrigger ? parseLine(rest, escape, depth + 1) : undefined,
    isJson: parsed.isJson,
    brokenJson: parsed.brokenJson,
    heredocs: [],
    text,
    comments: [],
    location: { line: 0, endLine: 0 },
  };
}
