// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../base/index.ts";
import { problem } from "./problem.ts";
import { parseShellPattern, replaceMatches, trimPrefix, trimSuffix } from "./shell-pattern.ts";
import { isSpace } from "./text.ts";

/** The variables that a word may use: a map, or a plain object. */
export type Environment = ReadonlyMap<string, string> | Readonly<Record<string, string>>;

/** How a word is read. */
export interface ExpandOptions {
  /** The escape character of the file; default `\`. */
  readonly escape?: string | undefined;
  /** Keep quotes in the result. */
  readonly rawQuotes?: boolean;
  /** Keep escape characters in the result. */
  readonly rawEscapes?: boolean;
  /** Quotes are ordinary characters (the content of a heredoc). */
  readonly skipQuotes?: boolean;
  /** Leave references to variables that are not set as they are written. */
  readonly keepUnset?: boolean;
}

/** An expanded word. */
export interface ExpandedWord {
  readonly value: string;
  /** `value` split at white space that is not quoted. */
  readonly words: readonly string[];
  /** Names that were looked up and set. */
  readonly used: ReadonlySet<string>;
  /** Names that were looked up and not set. */
  readonly unmatched: ReadonlySet<string>;
}

/**
 * Expands `$x`, `${x}` and the modifiers `:- - :+ + :? ? # ## % %% / //` in one word and removes quotes and escapes.
 * Throws `E_DF_EXPAND` for an unclosed quote or brace, an unknown modifier, and a `?` whose variable is missing.
 */
export function expandWord(word: string, environment: Environment, options: ExpandOptions = {}): ExpandedWord {
  try {
    return new Expander(word, environment, options).run();
  } catch (error) {
    if (!isTareError(error, "E_DF_EXPAND")) throw error;
    const shown = word.length > SHOWN ? `${word.slice(0, SHOWN)}…` : word;
    throw problem("E_DF_EXPAND", `expanding \`${shown}\`: ${error.message}`, error.hint);
  }
}

/** As `expandWord`, but gives the words into which the result falls at unquoted white space. */
export function expandWords(word: string, environment: Environment, options: ExpandOptions = {}): readonly string[] {
  return expandWord(word, environment, options).words;
}

/** Collects characters into words; quoted pieces are added raw, so that their white space does not split. */
class WordList {
  readonly words: string[] = [];
  private buffer = "";

  add(text: string): void {
    for (const character of text) {
      if (!isSpace(character)) this.buffer += character;
      else this.flush();
    }
  }

  addRaw(text: string): void {
    this.buffer += text;
  }

  flush(): void {
    if (this.buffer !== "") this.words.push(this.buffer);
    this.buffer = "";
  }
}

const MISSING_BRACE = "missing '}'";
const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;
const SPECIAL_PARAMETERS = "@*#?-$!0";
const DEPTH_LIMIT = 200;
/** Longest part of a word that a message repeats. */
const SHOWN = 200;

/** One reading of one word; the position moves through its characters. */
class Expander {
  private readonly characters: readonly string[];
  private readonly environment: Environment;
  private readonly options: ExpandOptions;
  private readonly escape: string;
  private readonly used = new Set<string>();
  private readonly unmatched = new Set<string>();
  private position = 0;
  private depth = 0;

  constructor(word: string, environment: Environment, options: ExpandOptions) {
    this.characters = [...word];
    this.environment = environment;
    this.options = options;
    this.escape = options.escape ?? "\\";
  }

  run(): ExpandedWord {
    const list = new WordList();
    const value = this.readUntil(undefined, this.options.rawEscapes === true, list);
    list.flush();
    return { value, words: list.words, used: this.used, unmatched: this.unmatched };
  }

  private peek(): string | undefined {
    return this.characters[this.position];
  }

  private next(): string | undefined {
    const character = this.characters[this.position];
    if (character !== undefined) this.position += 1;
    return character;
  }

  /** Reads up to `stop` (taken, not given back), or to the end when `stop` is undefined. */
  private readUntil(stop: string | undefined, rawEscapes: boolean, list?: WordList): string {
    this.depth += 1;
    if (this.depth > DEPTH_LIMIT) throw problem("E_DF_EXPAND", "substitutions are nested too deep");
    let result = "";
    for (let character = this.peek(); character !== undefined; character = this.peek()) {
      if (character === stop) {
        this.position += 1;
        this.depth -= 1;
        return result;
      }
      result += this.readPiece(character, rawEscapes, list);
    }
    if (stop !== undefined) throw problem("E_DF_EXPAND", stop === "/" ? "missing '/' in ${}" : MISSING_BRACE);
    this.depth -= 1;
    return result;
  }

  /** Reads one quoted piece, reference, escape or character and tells the word list. */
  private readPiece(character: string, rawEscapes: boolean, list: WordList | undefined): string {
    const quotes = this.options.skipQuotes !== true;
    if (character === "$") {
      const value = this.readDollar();
      list?.add(value);
      return value;
    }
    if (quotes && (character === "'" || character === '"')) {
      const value = character === "'" ? this.readSingleQuoted() : this.readDoubleQuoted(rawEscapes);
      list?.addRaw(value);
      return value;
    }
    if (character === "<") {
      const value = this.readHeredocMark();
      list?.addRaw(value);
      return value;
    }
    this.position += 1;
    if (character !== this.escape) {
      list?.add(character);
      return character;
    }
    const escaped = (rawEscapes ? character : "") + (this.next() ?? "");
    list?.addRaw(escaped);
    return escaped;
  }

  private readSingleQuoted(): string {
    const end = this.characters.indexOf("'", this.position + 1);
    if (end < 0) throw problem("E_DF_EXPAND", "a single quote is not closed");
    const inner = this.characters.slice(this.position + 1, end).join("");
    this.position = end + 1;
    return this.options.rawQuotes === true ? `'${inner}'` : inner;
  }

  private readDoubleQuoted(rawEscapes: boolean): string {
    const quote = this.options.rawQuotes === true ? '"' : "";
    let result = quote;
    this.position += 1;
    for (let character = this.peek(); character !== undefined; character = this.peek()) {
      if (character === "$") {
        result += this.readDollar();
        continue;
      }
      this.position += 1;
      if (character === '"') return result + quote;
      result += character === this.escape ? this.readQuotedEscape(rawEscapes) : character;
    }
    throw problem("E_DF_EXPAND", "a double quote is not closed");
  }

  /** Within double quotes the escape character protects `"`, `$` and itself, and else stays. */
  private readQuotedEscape(rawEscapes: boolean): string {
    const kept = rawEscapes ? this.escape : "";
    const following = this.peek();
    if (following === undefined) return kept;
    if (following !== '"' && following !== "$" && following !== this.escape) return kept + this.escape;
    this.position += 1;
    return kept + following;
  }

  /** `<<` keeps the white space after it, so that `<< EOF` stays one word. */
  private readHeredocMark(): string {
    this.position += 1;
    if (this.peek() !== "<") return "<";
    this.position += 1;
    let result = "<<";
    for (
      let character = this.peek();
      character === " " || character === "\t" || character === "\r";
      character = this.peek()
    ) {
      result += character;
      this.position += 1;
    }
    return result;
  }

  private readDollar(): string {
    this.position += 1;
    if (this.peek() === "{") {
      this.position += 1;
      return this.readBraced();
    }
    const name = this.readName();
    if (name === "") return "$";
    return this.lookUp(name) ?? (this.options.keepUnset === true ? `$${name}` : "");
  }

  private readBraced(): string {
    const first = this.peek();
    if (first === undefined) throw problem("E_DF_EXPAND", MISSING_BRACE);
    if (first === "{" || first === "}" || first === ":") throw problem("E_DF_EXPAND", "bad substitution");
    const name = this.readName();
    const modifier = this.next();
    if (modifier === "}") return this.lookUp(name) ?? (this.options.keepUnset === true ? `\${${name}}` : "");
    if (modifier === "/") return this.readReplacement(name);
    if (modifier === ":") return this.readModified(name, this.next() ?? "", true);
    if (modifier === undefined) throw problem("E_DF_EXPAND", MISSING_BRACE);
    return this.readModified(name, modifier, false);
  }

  /** `${name<modifier>word}`; with a colon an empty value counts as unset. */
  private readModified(name: string, modifier: string, colon: boolean): string {
    const written = `${colon ? ":" : ""}${modifier}`;
    const isTrim = modifier === "#" || modifier === "%";
    const known = isTrim ? !colon : "+-?".includes(modifier) && modifier !== "";
    if (!known && (isTrim || !colon || modifier === "")) throw unsupported(written);
    const word = this.readUntil("}", isTrim);
    const value = this.lookUp(name);
    if (this.options.keepUnset === true && value === undefined) return `\${${name}${written}${word}}`;
    if (!known) throw unsupported(written);
    if (isTrim) return trimmed(value ?? "", modifier, word);
    const missing = value === undefined || (colon && value === "");
    if (modifier === "-") return missing ? word : value;
    if (modifier === "+") return missing ? "" : word;
    if (!missing) return value;
    const why = value === undefined ? "is not allowed to be unset" : "is not allowed to be empty";
    throw problem("E_DF_EXPAND", `${name}: ${word === "" ? why : word}`);
  }

  /** `${name/pattern/text}`, and `${name//pattern/text}` for every match. */
  private readReplacement(name: string): string {
    const all = this.peek() === "/";
    if (all) this.position += 1;
    const pattern = this.readUntil("/", true);
    const replacement = this.readUntil("}", true);
    const value = this.lookUp(name);
    if (this.options.keepUnset === true && value === undefined) return `\${${name}/${pattern}/${replacement}}`;
    return replaceMatches(parseShellPattern(pattern), value ?? "", replacement, all);
  }

  private readName(): string {
    const first = this.peek();
    if (first === undefined) return "";
    if (DIGIT.test(first)) return this.readWhile((character) => DIGIT.test(character));
    if (SPECIAL_PARAMETERS.includes(first)) {
      this.position += 1;
      return first;
    }
    return this.readWhile((character) => character === "_" || LETTER.test(character) || DIGIT.test(character));
  }

  private readWhile(accepts: (character: string) => boolean): string {
    const start = this.position;
    for (let character = this.peek(); character !== undefined && accepts(character); character = this.peek()) {
      this.position += 1;
    }
    return this.characters.slice(start, this.position).join("");
  }

  private lookUp(name: string): string | undefined {
    const value = valueOf(this.environment, name);
    (value === undefined ? this.unmatched : this.used).add(name);
    return value;
  }
}

function unsupported(written: string): Error {
  return problem("E_DF_EXPAND", `unsupported modifier (${written}) in substitution`);
}

function trimmed(value: string, modifier: string, word: string): string {
  const longest = word.startsWith(modifier);
  const pattern = parseShellPattern(longest ? word.slice(1) : word);
  return modifier === "%" ? trimSuffix(pattern, value, longest) : trimPrefix(pattern, value, longest);
}

function valueOf(environment: Environment, name: string): string | undefined {
  if (environment instanceof Map) return environment.get(name);
  return Object.hasOwn(environment, name) ? (environment as Readonly<Record<string, string>>)[name] : undefined;
}
