// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { journalRecord } from "./journal.ts";

const TIME = { __REALTIME_TIMESTAMP: "1795820400123456", PRIORITY: "6" };
const line = (fields: object): string => JSON.stringify({ ...TIME, ...fields });

describe("a line of the journal", () => {
  it("is a record", () => {
    expect(journalRecord(line({ MESSAGE: "hello" }))).toEqual({
      stream: 1,
      at: 1795820400123.456,
      timestamp: "2026-11-27T23:00:00.123456000Z",
      data: Buffer.from("hello\n"),
    });
  });

  it.each([
    ["standard error", { MESSAGE: "oops", PRIORITY: "3" }, 2, "oops\n"],
    ["a part of a line", { MESSAGE: "half", CONTAINER_PARTIAL_MESSAGE: "true" }, 1, "half"],
    ["bytes that are not text", { MESSAGE: [104, 105, 255] }, 1, "hi\xff\n"],
  ])("knows %s", (_name, fields, stream, text) => {
    const record = journalRecord(line(fields));
    expect(record?.stream).toBe(stream);
    expect(Buffer.from(record?.data ?? []).toString("latin1")).toBe(text);
  });

  it.each(["", "{", "null", line({}), '{"MESSAGE":"no time"}'])("refuses %j", (text) => {
    expect(journalRecord(text)).toBeUndefined();
  });
});
