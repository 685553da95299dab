// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRecord, parseRecord, recordHash } from "./record.ts";

describe("parseRecord", () => {
  const good: readonly (readonly [string, string, readonly (readonly [string, string, string])[]])[] = [
    ["one line", "a.py,sha256=x,3\n", [["a.py", "sha256=x", "3"]]],
    ["no line feed at the end", "a.py,sha256=x,3", [["a.py", "sha256=x", "3"]]],
    ["empty fields", "RECORD,,\n", [["RECORD", "", ""]]],
    ["carriage returns", "a,,\r\nb,,\r\n", [["a", "", ""], ["b", "", ""]]], // prettier-ignore
    ["a comma in quotes", '"a,b",,\n', [["a,b", "", ""]]],
    ["quotes in quotes", '"a""b",,\n', [['a"b', "", ""]]],
    ["a line feed in quotes", '"a\nb",,\n', [["a\nb", "", ""]]],
    ["other scripts", "héllo/ü.py,,\n", [["héllo/ü.py", "", ""]]],
    ["empty lines", "\na,,\n\n\nb,,\n\n", [["a", "", ""], ["b", "", ""]]], // prettier-ignore
    ["nothing", "", []],
  ];
  for (const [title, text, rows] of good) {
    it(title, () =>
      expect(parseRecord(text)?.map(({ path, hash, size }) => [path, hash, size])).toEqual(rows.map((row) => [...row])),
    );
  }

  for (const [title, text] of [
    ["two fields", "a,b\n"],
    ["four fields", "a,b,c,d\n"],
    ["one field", "a\n"],
  ] as const) {
    it(`refuses ${title}`, () => expect(parseRecord(text)).toBeUndefined());
  }
});

const field = fc.oneof(fc.string({ unit: fc.constantFrom(...'ab,"\r\n/.é ') }), fc.string({ unit: "binary" }));

describe("formatRecord", () => {
  it("sorts by path as pip does", () => {
    const rows = ["b", "a/c", "a", "B"].map((path) => ({ path, hash: "", size: "" }));
    expect(formatRecord(rows)).toBe("B,,\na,,\na/c,,\nb,,\n");
  });

  it("gives what parseRecord reads", () => {
    const row = fc.record({ path: field, hash: fc.constantFrom("", "sha256=aA_-0"), size: fc.constantFrom("", "12") });
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const key = (one: { path: string; hash: string; size: string }): string => JSON.stringify(one);
        expect(parseRecord(formatRecord(rows))?.map(key).sort()).toEqual(rows.map(key).sort());
      }),
    );
  });

  it("is read by Python's csv module as it is meant, and the reverse", () => {
    if (spawnSync("python3", ["-c", ""]).status !== 0) return console.log("skipped: Python's csv: no python3");
    const text = fc.string({ unit: fc.constantFrom(...'ab,"\r\n/.é ') });
    const paths = fc.sample(fc.uniqueArray(text, { minLength: 400, maxLength: 400 }), { numRuns: 1, seed: 7 })[0] ?? [];
    const rows = paths.map((path) => ({ path, hash: "sha256=x", size: "1" }));
    const script = [
      "import csv, io, json, sys",
      "data = json.load(sys.stdin)",
      "rows = list(csv.reader(io.StringIO(data['text'], newline='')))",
      "out = io.StringIO(newline='')",
      "csv.writer(out).writerows(data['rows'])",
      "json.dump({'rows': rows, 'text': out.getvalue()}, sys.stdout)",
    ].join("\n");
    const input = JSON.stringify({ text: formatRecord(rows), rows: rows.map((row) => Object.values(row)) });
    const child = spawnSync("python3", ["-c", script], { input, encoding: "utf8", env: { PYTHONUTF8: "1" } });
    const answer = JSON.parse(child.stdout) as { rows: string[][]; text: string };
    const values = (list: readonly { path: string; hash: string; size: string }[]): string[][] =>
      list.map(({ path, hash, size }) => [path, hash, size]);
    expect(answer.rows.toSorted()).toEqual(values(rows).toSorted());
    expect(values(parseRecord(answer.text) ?? [])).toEqual(values(rows));
  });
});

it("recordHash is URL-safe base64 without padding", () => {
  expect(recordHash(Buffer.from(""))).toBe("sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
});
