// SPDX-License-Identifier: Apache-2.0
import { array, assert, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { accountName, planMaps } from "./map-plan.ts";
import { lendCommand, mapArguments, parseSubIds, planMap } from "./sub-ids.ts";

const OWNER = { uid: 1001, name: "ann" };

describe("parseSubIds", () => {
  it.each([
    { name: "a row by name", text: "bob:1:2\nann:100000:65536\n", found: [{ start: 100_000, count: 65_536 }] },
    { name: "a row by number", text: "1001:200000:10\n", found: [{ start: 200_000, count: 10 }] },
    {
      name: "several rows in their order",
      text: "ann:300000:5\n1001:100000:7\n",
      found: [
        { start: 300_000, count: 5 },
        { start: 100_000, count: 7 },
      ],
    },
    { name: "no row of that user", text: "anna:100000:65536\n", found: [] },
    { name: "a comment and an empty line", text: "# ann:1:1\n\n", found: [] },
    { name: "a count that is no number", text: "ann:100000:many\n", found: [] },
    { name: "a range of nothing", text: "ann:100000:0\n", found: [] },
    { name: "a range that begins at root", text: "ann:0:65536\n", found: [] },
    { name: "a range beyond the last id", text: "ann:4294967290:100\n", found: [] },
    { name: "a row that lacks a field", text: "ann:100000\n", found: [] },
  ])("reads $name", ({ text, found }) => {
    expect(parseSubIds(text, OWNER)).toEqual(found);
  });
});

describe("planMap", () => {
  it("makes the user root and the lent ids the next ones, without a gap or an overlap", () => {
    const range = record({ start: integer({ min: 1, max: 1e9 }), count: integer({ min: 1, max: 1e6 }) });
    assert(
      property(integer({ min: 1, max: 60_000 }), array(range, { maxLength: 8 }), (own, lent) => {
        const rows = planMap(own, lent);
        expect(rows[0]).toEqual({ inside: 0, outside: own, count: 1 });
        let next = 0;
        for (const { inside, count } of rows) {
          expect(inside).toBe(next);
          next += count;
        }
        expect(mapArguments(rows)).toHaveLength(rows.length * 3);
      }),
    );
  });
});

describe("planMaps", () => {
  const tables = { passwd: "root:x:0:0::/root:\nann:x:1001:1002::/home/ann:\n", subuid: "ann:5000:10\n", subgid: "" };

  it("takes lent ids only when there are users and groups", () => {
    const account = { uid: 1001, gid: 1002 };
    expect(planMaps(account, tables)).toMatchObject({
      kind: "single",
      uids: [{ inside: 0, outside: 1001, count: 1 }],
      gids: [{ inside: 0, outside: 1002, count: 1 }],
    });
    const full = planMaps(account, { ...tables, subgid: "1001:7000:3\n" });
    expect(full.kind).toBe("full");
    expect(full.uids).toContainEqual({ inside: 1, outside: 5000, count: 10 });
    expect(full.gids).toContainEqual({ inside: 1, outside: 7000, count: 3 });
  });

  it("knows an account's name", () => {
    expect(accountName(1001, tables.passwd)).toBe("ann");
    expect(accountName(5, tables.passwd)).toBeUndefined();
  });
});

describe("lendCommand", () => {
  it.each([
    { name: "to the first user", subuid: "", subgid: "", range: "100000-165535" },
    { name: "after what others have", subuid: "bob:100000:65536\n", subgid: "", range: "165536-231071" },
    {
      name: "after the highest of both tables",
      subuid: "b:100000:10\n",
      subgid: "b:300000:5\n",
      range: "300005-365540",
    },
  ])("lends ids $name", ({ subuid, subgid, range }) => {
    expect(lendCommand("ann", subuid, subgid)).toBe(`usermod --add-subuids ${range} --add-subgids ${range} ann`);
  });
});
