// SPDX-License-Identifier: Apache-2.0
/*
 * The log format of Kubernetes' container runtime interface ("k8s-file" in conmon), one record a line:
 *
 *     2026-11-22T23:10:28.123456789+00:00 stdout F a whole line
 *     2026-11-22T23:10:28.123456789+00:00 stderr P a part of a line, more follows
 */

/** One record of a container's log. */
export interface LogRecord {
  /** 1: stdout, 2: stderr. */
  readonly stream: 1 | 2;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** RFC 3339 with nanoseconds, as written. */
  readonly timestamp: string;
  /** The bytes as the program wrote them, with the newline if there was one. */
  readonly data: Uint8Array;
}

const NEWLINE = 10;
const SPACE = 32;

/** Records for a piece of output, each ended by a newline; a last line without newline becomes a partial record. */
export function encodeLog(stream: LogRecord["stream"], data: Buffer, at: Date): Buffer {
  const name = stream === 1 ? "stdout" : "stderr";
  const time = at.toISOString().replace("Z", "000000+00:00");
  const parts: Buffer[] = [];
  for (let start = 0; start < data.length;) {
    const newline = data.indexOf(NEWLINE, start);
    const full = newline >= 0;
    const end = full ? newline : data.length;
    parts.push(Buffer.from(`${time} ${name} ${full ? "F" : "P"} `), data.subarray(start, end), LINE_END);
    start = end + 1;
  }
  return Buffer.concat(parts);
}

const LINE_END: Buffer = Buffer.from("\n");

/** One record from a line without its newline; undefined for a line that is not one (torn by a power cut). */
export function decodeLog(line: Buffer): LogRecord | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  const third = line.indexOf(SPACE, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const name = line.toString("latin1", first + 1, second);
  const tag = line.toString("latin1", second + 1, third);
  if ((name !== "stdout" && name !== "stderr") || (tag !== "F" && tag !== "P")) return undefined;
  const text = line.subarray(third + 1);
  const data = tag === "F" ? Buffer.concat([text, LINE_END]) : text;
  const timestamp = line.toString("latin1", 0, first);
  return { stream: name === "stdout" ? 1 : 2, at: Date.parse(timestamp), timestamp, data };
}
