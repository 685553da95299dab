// SPDX-License-Identifier: Apache-2.0
import type { LogRecord } from "../engine/index.ts";
import type { CommandContext } from "./context.ts";

/** How `logs` prints. */
export interface LogLayout {
  readonly form: "text" | "json";
  readonly timestamps: boolean;
  /** Stands before every line; absent without `--details`. */
  readonly details?: string;
}

const NEWLINE = 10;

/** Prints records of a log, one write for as many as come together and go to one stream. */
export class LogPrinter {
  readonly #context: Pick<CommandContext, "stdout" | "stderr">;
  readonly #layout: LogLayout;
  /** Streams that are in the middle of a line. */
  readonly #open = new Set<LogRecord["stream"]>();

  constructor(context: Pick<CommandContext, "stdout" | "stderr">, layout: LogLayout) {
    this.#context = context;
    this.#layout = layout;
  }

  print(records: readonly LogRecord[]): void {
    if (this.#layout.form === "json") return this.#context.stdout.write(records.map(jsonLine).join(""));
    const { timestamps, details } = this.#layout;
    const isPlain = !timestamps && details === undefined;
    let stream: LogRecord["stream"] = 1;
    let parts: Uint8Array[] = [];
    for (const record of records) {
      if (record.stream !== stream) {
        this.#write(stream, parts);
        parts = [];
        ({ stream } = record);
      }
      if (!isPlain) parts.push(this.#prefix(record));
      parts.push(record.data);
    }
    this.#write(stream, parts);
  }

  #write(stream: LogRecord["stream"], parts: readonly Uint8Array[]): void {
    if (parts.length > 0) (stream === 1 ? this.#context.stdout : this.#context.stderr).write(Buffer.concat(parts));
  }

  /** Docker writes whole lines, so the parts of one have a single prefix. */
  #prefix({ stream, timestamp, data }: LogRecord): Buffer {
    const isFirst = !this.#open.has(stream);
    if (data.at(-1) === NEWLINE) this.#open.delete(stream);
    else this.#open.add(stream);
    if (!isFirst) return Buffer.alloc(0);
    const { timestamps, details } = this.#layout;
    return Buffer.from(`${timestamps ? `${timestamp} ` : ""}${details === undefined ? "" : `${details} `}`);
  }
}

function jsonLine({ stream, timestamp, data }: LogRecord): string {
  const log = Buffer.from(data).toString("utf8");
  return `${JSON.stringify({ stream: stream === 1 ? "stdout" : "stderr", time: timestamp, log })}\n`;
}
