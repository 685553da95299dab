// SPDX-License-Identifier: Apache-2.0
/*
 * The log format of Kubernetes' container runtime interface ("k8s-file" in conmon), one record a line:
 *
 *     2026-11-22T23:10:28.123456789+00:00 stdout F a whole line
 *     2026-11-22T23:10:28.123456789+00:00 stderr P a part of a line, more follows
 *
 * Time, stream and tag have the same width in every record, so that they are found by place.
 */

/** One record of a container's log. */
export interface LogRecord {
  /** 1: stdout, 2: stderr. */
  readonly stream: 1 | 2;
  /** Milliseconds since the epoch, with a fraction. */
  readonly at: number;
  /** RFC 3339 with nanoseconds, in UTC: `2026-11-22T23:10:28.123456789Z`. */
  readonly timestamp: string;
  /** The bytes as the program wrote them, with the newline if there was one: a record without it is a part of a line. */
  readonly data: Uint8Array;
}

const NEWLINE = 10;
const SPACE = 32;
const TIME_WIDTH = 35;
const STREAM_AT = TIME_WIDTH + 1;
const TAG_AT = STREAM_AT + 7;
const TEXT_AT = TAG_AT + 2;
const LINE_END: Buffer = Buffer.from("\n");

/** Records for a piece of output, each ended by a newline; a last line without newline becomes a partial record. */
export function encodeLog(stream: LogRecord["stream"], data: Buffer, at: Date): Buffer {
  const name = stream === 1 ? "stdout" : "stderr";
  const time = at.toISOString().replace("Z", "000000+00:00");
  const full = Buffer.from(`${time} ${name} F `);
  const parts: Buffer[] = [];
  let start = 0;
  for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
    parts.push(full, data.subarray(start, end + 1));
    start = end + 1;
  }
  if (start < data.length) parts.push(Buffer.from(`${time} ${name} P `), data.subarray(start), LINE_END);
  return Buffer.concat(parts);
}

/**
 * The record in `block` from `start` to its newline at `end`; undefined for a line that is none (torn by a power cut).
 * The record looks into the block, which must not change.
 */
export function decodeLog(block: Buffer, start: number, end: number): LogRecord | undefined {
  if (end - start < TEXT_AT || block[start + TIME_WIDTH] !== SPACE || block[start + TAG_AT - 1] !== SPACE) {
    return undefined;
  }
  if (block[start + TAG_AT + 1] !== SPACE) return undefined;
  const tag = block[start + TAG_AT];
  const stream = streamAt(block, start + STREAM_AT);
  if (stream === undefined || (tag !== WHOLE && tag !== PART)) return undefined;
  return new BlockRecord(stream, { block, start, end: tag === WHOLE ? end + 1 : end });
}

const WHOLE = 70;
const PART = 80;

/** `stdout` and `stderr` differ in their fourth letter. */
function streamAt(block: Buffer, at: number): 1 | 2 | undefined {
  if (block[at] !== 115 || block[at + 1] !== 116 || block[at + 2] !== 100) return undefined;
  if (block[at + 3] === 111) return 1;
  return block[at + 3] === 101 ? 2 : undefined;
}

interface Place {
  readonly block: Buffer;
  readonly start: number;
  /** After the last byte of the text. */
  readonly end: number;
}

/** Time and text are cut out of the block when somebody asks. */
class BlockRecord implements LogRecord {
  readonly stream: 1 | 2;
  readonly #place: Place;

  constructor(stream: 1 | 2, place: Place) {
    this.stream = stream;
    this.#place = place;
  }

  get data(): Uint8Array {
    const { block, start, end } = this.#place;
    return block.subarray(start + TEXT_AT, end);
  }

  get at(): number {
    return momentOf(this.#written);
  }

  get timestamp(): string {
    const text = this.#written;
    if (text.endsWith("+00:00")) return `${text.slice(0, 29)}Z`;
    const second = new Date(Math.floor(momentOf(text) / 1000) * 1000).toISOString();
    return `${second.slice(0, 19)}${text.slice(19, 29)}Z`;
  }

  get #written(): string {
    const { block, start } = this.#place;
    return block.toString("latin1", start, start + TIME_WIDTH);
  }
}

/** Milliseconds with a fraction of a time as it is written in a log. */
function momentOf(text: string): number {
  return Date.parse(text.slice(0, 23) + text.slice(29)) + Number(text.slice(23, 29)) / 1e6;
}
