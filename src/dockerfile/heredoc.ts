// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../base/index.ts";
import { expandWord, expandWords } from "./shell-word.ts";
import { trimStart } from "./text.ts";

/** A here-document: its mark as written on the instruction's line, and its content when that has been read. */
export interface Heredoc {
  readonly name: string;
  /** `<<-`: leading tabs of every line do not count. */
  readonly chomp: boolean;
  /** Whether variables in the content are expanded: no part of the name was quoted. */
  readonly expand: boolean;
  /** The number before `<<`, 0 when there is none. */
  readonly fileDescriptor: number;
  /** Lines between the mark and the terminator, exactly as in the file. */
  readonly content: string;
}

const MARK = /^(\d*)<<(-?)([^<]*)$/;

/** Reads `[n]<<[-]NAME`, the whole word; undefined for any other word. Throws `E_DF_EXPAND` for an unclosed quote. */
export function parseHeredoc(word: string): Heredoc | undefined {
  const match = MARK.exec(word);
  const rest = trimStart(match?.[3] ?? "");
  if (match === null || rest === "") return undefined;
  const plain = expandWords(rest, {}, { keepUnset: true });
  const name = plain[0];
  if (plain.length !== 1 || name === undefined) return undefined;
  const raw = expandWords(rest, {}, { keepUnset: true, rawQuotes: true })[0] ?? "";
  return {
    name,
    chomp: match[2] === "-",
    expand: countQuotes(name) === countQuotes(raw),
    fileDescriptor: Number(match[1] ?? 0),
    content: "",
  };
}

/** As `parseHeredoc`, undefined also for a malformed mark. */
export function heredocOf(word: string): Heredoc | undefined {
  try {
    return parseHeredoc(word);
  } catch (error) {
    if (isTareError(error, "E_DF_EXPAND")) return undefined;
    throw error;
  }
}

/** The marks on an instruction's line, in order. */
export function heredocsOnLine(line: string): readonly Heredoc[] {
  return wordsOf(line)
    .map((word) => parseHeredoc(word))
    .filter((heredoc) => heredoc !== undefined);
}

/** Removes the leading tabs of every line, as `<<-` asks for. */
export function chompTabs(content: string): string {
  return content.replaceAll(/(^|\n)\t+/g, "$1");
}

/** A line with an unclosed quote has no marks: the shell, not we, will complain about it. */
function wordsOf(line: string): readonly string[] {
  try {
    return expandWord(line, {}, { keepUnset: true, rawQuotes: true, rawEscapes: true }).words;
  } catch (error) {
    if (isTareError(error, "E_DF_EXPAND")) return [];
    throw error;
  }
}

function countQuotes(text: string): number {
  return text.length - text.replaceAll(/['"]/g, "").length;
}
