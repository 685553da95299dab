// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  nat,
  property,
  stringMatching,
  tuple,
  uint8Array,
} from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeLog, encodeLog } from "./format.ts";
import type { LogRecord } from "./format.ts";
import { readLog } from "./reader.ts";
import type { LogOptions } from "./reader.ts";
import { logFile, logNumbers, nextLogNumber } from "./files.ts";
import { startOfTail } from "./tail.ts";
import { LogWriter } from "./writer.ts";

let folder = "";
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-log-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const AT = new Date("2026-11-22T23:10:28.123Z");
const TIME = "2026-11-22T23:10:28.123456789+00:00";
const LIMITS = { size: 10 << 20, files: 5 };

async function read(options: LogOptions = {}, isRunning: () => boolean = () => false): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const batch of readLog(folder, isRunning, options)) records.push(...batch);
  return records;
}

function textOf(records: readonly LogRecord[], stream: 1 | 2 = 1): string {
  return Buffer.concat(records.filter((record) => record.stream === stream).map((record) => record.data)).toString();
}

function write(...pieces: readonly (readonly [1 | 2, string, string?])[]): void {
  const writer = new LogWriter(folder, LIMITS);
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
        const data = lines.map((line) => decodeLog(line, 0, line.length - 1)?.data ?? Buffer.from("?"));
        expect(Buffer.concat(data)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it.each(["", "torn", `${TIME} stdout`, `${TIME} stdout X text`, `${TIME} stdin F text`, `${TIME}+stdout F text`])(
    "refuses the line %j",
    (line) => {
      expect(decodeLog(Buffer.from(`${line}\n`), 0, line.length)).toBeUndefined();
    },
  );

  it.each([
    ["2026-11-22T23:10:28.123456789+00:00", "2026-11-22T23:10:28.123456789Z"],
    ["2026-11-22T23:10:28.123456789+05:30", "2026-11-22T17:40:28.123456789Z"],
    ["2026-01-01T00:00:00.000000001-02:00", "2026-01-01T02:00:00.000000001Z"],
  ])("reads the time %s as UTC", (written, expected) => {
    const line = Buffer.from(`${written} stdout F text\n`);
    const record = decodeLog(line, 0, line.length - 1);
    expect(record?.timestamp).toBe(expected);
    expect(record?.at).toBeCloseTo(Date.parse(expected), 0);
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
    expect(records[0]).toMatchObject({ at: AT.getTime(), timestamp: "2026-11-22T23:10:28.123000000Z" });
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
    fs.appendFileSync(join(folder, "000000001"), "2026-11-22T23:1\n");
    write([1, "end\n"]);
    expect(textOf(await read())).toBe(`${long}\nend\n`);
  });

  it.each([1, 2, 5])("keeps the newest %d files, each no larger than it may be, and whole lines", async (files) => {
    const writer = new LogWriter(folder, { size: 1000, files });
    for (let line = 0; line < 200; line += 1) writer.write(1, Buffer.from(`line ${line}\nand more\n`), AT);
    writer.close();
    const names = fs.readdirSync(folder);
    expect(names).toHaveLength(files);
    for (const name of names) expect(fs.statSync(join(folder, name)).size).toBeLessThanOrEqual(1000);
    const lines = textOf(await read())
      .trim()
      .split("\n");
    expect(lines.slice(-4)).toEqual(["line 198", "and more", "line 199", "and more"]);
    // A record of this program has about 53 bytes.
    expect(lines.length).toBeGreaterThan((files - 1) * 17);
  });

  it("cuts a large piece of output into files too", async () => {
    const writer = new LogWriter(folder, { size: 1000, files: 1000 });
    const text = Array.from({ length: 500 }, (_, line) => `line ${line}\n`).join("");
    writer.write(1, Buffer.from(`${text}${"x".repeat(3000)}\n${text}`), AT);
    writer.close();
    const sizes = fs.readdirSync(folder).map((name) => fs.statSync(join(folder, name)).size);
    expect(sizes.filter((size) => size > 1000)).toEqual([3046]);
    expect(textOf(await read())).toBe(`${text}${"x".repeat(3000)}\n${text}`);
  });

  it("goes on with the newest file at the next start, and joins small ones", async () => {
    for (const text of ["one", "two", "three", "four"]) {
      const number = nextLogNumber(folder, 1000);
      fs.writeFileSync(logFile(folder, number), encodeLog(1, Buffer.from(`${text}\n`), AT));
    }
    expect(logNumbers(folder)).toEqual([3, 4]);
    expect(textOf(await read())).toBe("one\ntwo\nthree\nfour\n");
    nextLogNumber(folder, 100);
    expect(logNumbers(folder)).toEqual([3, 4]);
  });

  it("follows until the container has ended, across a new file", async () => {
    const writer = new LogWriter(folder, { size: 200, files: 5 });
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

describe("the tail", () => {
  const pieces = array(tuple(constantFrom<1 | 2>(1, 2), stringMatching(/^[ab\n]{0,6}$/)), { maxLength: 60 });

  it("from the end is the end of all", async () => {
    await assert(
      asyncProperty(pieces, nat(12), constantFrom(60, 150, 100_000), async (written, tail, size) => {
        fs.rmSync(folder, { recursive: true, force: true });
        const writer = new LogWriter(folder, { size, files: 1000 });
        for (const [stream, text] of written) writer.write(stream, Buffer.from(text), AT);
        writer.close();
        const all = await read();
        expect(asText(await read({ tail }))).toEqual(asText(lastLines(all, tail)));
      }),
    );
  });

  it("of a large log is found without reading it", async () => {
    const writer = new LogWriter(folder, LIMITS);
    for (let n = 0; n < 2000; n += 1) writer.write(1, Buffer.from(`${n}\n`.repeat(100)), AT);
    writer.close();
    expect(fs.readdirSync(folder).length).toBeGreaterThan(0);
    const { position } = startOfTail(folder, 3);
    expect(fs.statSync(join(folder, "000000001")).size - position).toBe(3 * 50);
  });
});

const asText = (records: readonly LogRecord[]): string[] =>
  records.map(({ stream, data }) => `${stream}${Buffer.from(data).toString()}`);

/** By the words of the definition: records after the line end that is one too many, counted from the end. */
function lastLines(records: readonly LogRecord[], count: number): readonly LogRecord[] {
  const ends = records.map(
    ({ stream, data }, index) =>
      data.at(-1) === 10 || !records.slice(index + 1).some((later) => later.stream === stream),
  );
  let left = count;
  for (let index = records.length - 1; index >= 0; index -= 1) {
    if (!ends[index]) continue;
    if (left === 0) return records.slice(index + 1);
    left -= 1;
  }
  return records;
}

function splitLines(data: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0, end = data.indexOf(10); end >= 0; start = end + 1, end = data.indexOf(10, start)) {
    lines.push(data.subarray(start, end + 1));
  }
  return lines;
}
