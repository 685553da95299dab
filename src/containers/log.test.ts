// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, property, uint8Array } from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeLog, encodeLog } from "./log-format.ts";
import type { LogRecord } from "./log-format.ts";
import { readLog } from "./log-reader.ts";
import type { LogOptions } from "./log-reader.ts";
import { LogWriter } from "./log-writer.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-log-"));
  path = join(folder, "log");
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const AT = new Date("2026-11-22T23:10:28.123Z");

async function read(options: LogOptions = {}, isRunning: () => boolean = () => false): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of readLog(path, isRunning, options)) records.push(record);
  return records;
}

function textOf(records: readonly LogRecord[], stream: 1 | 2 = 1): string {
  return Buffer.concat(records.filter((record) => record.stream === stream).map((record) => record.data)).toString();
}

function write(...pieces: readonly (readonly [1 | 2, string, string?])[]): void {
  const writer = new LogWriter(path);
  for (const [stream, text, at] of pieces) writer.write(stream, Buffer.from(text), at ? new Date(at) : AT);
  writer.close();
}

describe("log format", () => {
  it("writes what conmon writes", () => {
    expect(encodeLog(2, Buffer.from("a\n\nb"), AT).toString()).toBe(
      [
        "2026-11-22T23:10:28.123000000+00:00 stderr F a",
        "2026-11-22T23:10:28.123000000+00:00 stderr F ",
        "2026-11-22T23:10:28.123000000+00:00 stderr P b",
        "",
      ].join("\n"),
    );
  });

  it("gives back any bytes", () => {
    assert(
      property(uint8Array({ maxLength: 300 }), (bytes) => {
        const lines = splitLines(encodeLog(1, Buffer.from(bytes), AT));
        const data = lines.map((line) => decodeLog(line)?.data ?? Buffer.from("?"));
        expect(Buffer.concat(data)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it.each(["", "torn", "2026 stdout", "2026 stdout X text", "2026 stdin F text"])("refuses the line %j", (line) => {
    expect(decodeLog(Buffer.from(line))).toBeUndefined();
  });
});

describe("reading a log", () => {
  it("is empty when there is none", async () => {
    expect(await read()).toEqual([]);
  });

  it("separates the streams and keeps their order", async () => {
    write([1, "one\n"], [2, "oops\n"], [1, "two"], [1, " more\n"]);
    const records = await read();
    expect(textOf(records)).toBe("one\ntwo more\n");
    expect(textOf(records, 2)).toBe("oops\n");
    expect(records[0]).toMatchObject({ at: AT.getTime(), timestamp: "2026-11-22T23:10:28.123000000+00:00" });
  });

  it.each([
    [0, ""],
    [2, "d\ne\n"],
    [99, "a\nb\nc\nd\ne\n"],
  ])("gives the last %d", async (tail, expected) => {
    write([1, "a\nb\nc\nd\ne\n"]);
    expect(textOf(await read({ tail }))).toBe(expected);
  });

  it("filters by time", async () => {
    write([1, "a\n", "2026-01-01T00:00:00Z"], [1, "b\n", "2026-01-02T00:00:00Z"], [1, "c\n", "2026-01-03T00:00:00Z"]);
    expect(textOf(await read({ since: Date.parse("2026-01-02T00:00:00Z") }))).toBe("b\nc\n");
    expect(textOf(await read({ until: Date.parse("2026-01-02T00:00:00Z") }))).toBe("a\nb\n");
  });

  it("skips a torn line and reads lines longer than a piece", async () => {
    const long = "x".repeat(200_000);
    write([1, `${long}\n`]);
    fs.appendFileSync(path, "2026-11-22T23:1\n");
    write([1, "end\n"]);
    expect(textOf(await read())).toBe(`${long}\nend\n`);
  });

  it("keeps one older half when the log grows too large, and reads both", async () => {
    const writer = new LogWriter(path, 1000);
    for (let line = 0; line < 30; line += 1) writer.write(1, Buffer.from(`line ${line}\n`), AT);
    writer.close();
    expect(fs.statSync(path).size).toBeLessThanOrEqual(1000);
    const lines = textOf(await read())
      .trim()
      .split("\n");
    expect(lines.at(-1)).toBe("line 29");
    expect(lines.length).toBeGreaterThan(15);
  });

  it("follows until the container has ended, across a new file", async () => {
    const writer = new LogWriter(path, 200);
    let turns = 0;
    const records = await read({ follow: true }, () => {
      turns += 1;
      if (turns <= 6) writer.write(1, Buffer.from(`turn ${turns}\n`), AT);
      return turns < 6;
    });
    writer.close();
    expect(textOf(records)).toBe("turn 1\nturn 2\nturn 3\nturn 4\nturn 5\nturn 6\n");
  });
});

function splitLines(data: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0, end = data.indexOf(10); end >= 0; start = end + 1, end = data.indexOf(10, start)) {
    lines.push(data.subarray(start, end));
  }
  return lines;
}
