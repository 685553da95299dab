// SPDX-License-Identifier: Apache-2.0
import { GrammarProblem } from "./problem.ts";

const WORD_PART = /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^\s'"\\]+)/y;

/** Words as a POSIX shell splits them, without expansion or comments. Throws `GrammarProblem` for an open quote. */
export function splitWords(text: string): readonly string[] {
  const words: string[] = [];
  let position = 0;
  let word: string | undefined;
  while (position < text.length) {
    WORD_PART.lastIndex = position;
    const match = WORD_PART.exec(text);
    if (match !== null) {
      word = (word ?? "") + partOf(match);
      position += match[0].length;
      continue;
    }
    if (!/\s/.test(text[position] ?? "")) throw new GrammarProblem("a quote or backslash in its options is not closed");
    if (word !== undefined) words.push(word);
    word = undefined;
    position += 1;
  }
  return word === undefined ? words : [...words, word];
}

/** Inside double quotes a backslash escapes only `"` and itself. */
function partOf([, single, double, escaped, plain]: RegExpExecArray): string {
  return single ?? double?.replace(/\\(["\\])/g, "$1") ?? escaped ?? plain ?? "";
}
