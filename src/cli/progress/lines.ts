// SPDX-License-Identifier: Apache-2.0
/** A line of a step's output with the time of its first byte. */
export interface LogLine {
  readonly text: string;
  readonly at: number;
}

/** Bytes of lines kept of one step for its failure report; the end is kept. */
const KEEP = 4 << 20;
/** A line longer than this is broken. */
const LONGEST = 64 << 10;

/**
 * Cuts one step's output into lines. UTF-8 sequences may be split between pieces; a carriage return starts the line
 * over, as progress bars mean it.
 */
export class LineLog {
  readonly #decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  readonly #partial: { 1: LogLine | undefined; 2: LogLine | undefined } = { 1: undefined, 2: undefined };
  readonly #lines: LogLine[] = [];
  #size = 0;
  #dropped = 0;

  /** Takes a piece and answers the lines that it completed. */
  push(stream: 1 | 2, data: Uint8Array, at: number): readonly LogLine[] {
    return this.#cut(stream, this.#decoders[stream].decode(data, { stream: true }), at);
  }

  /** Ends the lines that have no line feed yet. */
  flush(at: number): readonly LogLine[] {
    const streams = [1, 2] as const;
    return streams.flatMap((stream) => {
      const rest = this.#partial[stream];
      this.#partial[stream] = undefined;
      return rest && rest.text !== "" ? this.#keep([{ text: lastVersion(rest.text), at: rest.at || at }]) : [];
    });
  }

  /** Lines left out at the beginning because there were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** The last `count` lines with the unfinished one. */
  tail(count: number): readonly string[] {
    const open = [this.#partial[1], this.#partial[2]].flatMap((line) => (line?.text ? [lastVersion(line.text)] : []));
    return [...this.#lines.slice(-count).map(({ text }) => text), ...open].slice(-count);
  }

  #cut(stream: 1 | 2, text: string, at: number): readonly LogLine[] {
    const before = this.#partial[stream];
    const parts = ((before?.text ?? "") + text).split("\n");
    let rest = parts.pop() ?? "";
    if (rest.length > LONGEST) {
      parts.push(rest);
      rest = "";
    }
    const started = before?.at ?? at;
    this.#partial[stream] = rest === "" ? undefined : { text: rest, at: parts.length === 0 ? started : at };
    return this.#keep(parts.map((part, index) => ({ text: lastVersion(part), at: index === 0 ? started : at })));
  }

  #keep(lines: readonly LogLine[]): readonly LogLine[] {
    for (const line of lines) {
      this.#lines.push(line);
      this.#size += line.text.length + 16;
    }
    while (this.#size > KEEP) {
      this.#size -= (this.#lines.shift()?.text.length ?? 0) + 16;
      this.#dropped += 1;
    }
    return lines;
  }
}

/** What a terminal would show of a line with carriage returns. */
function lastVersion(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf("\r") + 1);
}
