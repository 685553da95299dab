// SPDX-License-Identifier: Apache-2.0
/* docs/compatibility.md cannot claim what is not so: every row has a status, and every status its ground. */
import { describe, expect, it } from "vitest";
import { DIFFERENT, NOT_PLANNED } from "../scripts/compatibility-reasons.ts";
import { DOCKER_HELP, compatibilityRows } from "../scripts/compatibility.ts";
import { COMPATIBILITY_CASES } from "./conformance/compatibility/cases.ts";

const rows = await compatibilityRows();
const names = new Set(rows.map(({ name }) => name));

describe("the table of compatibility", () => {
  it("has the flags of Docker's help", () => {
    expect(Object.keys(DOCKER_HELP.commands)).toEqual(expect.arrayContaining(["run", "volume create", "network ls"]));
    expect(DOCKER_HELP.commands["run"]).toEqual(expect.arrayContaining(["publish", "gpus", "health-cmd"]));
    expect(rows.length).toBeGreaterThan(380);
  });

  it("gives reasons only for rows that there are", () => {
    expect([...Object.keys(DIFFERENT), ...Object.keys(NOT_PLANNED)].filter((name) => !names.has(name))).toEqual([]);
  });

  it("tests only rows that there are", () => {
    const tested = COMPATIBILITY_CASES.flatMap((item) => item.rows);
    expect(tested.filter((name) => !names.has(name))).toEqual([]);
  });

  it("has each case once", () => {
    const cases = COMPATIBILITY_CASES.map(({ name }) => name);
    expect(new Set(cases).size).toBe(cases.length);
  });

  it("has a status for every row", () => {
    const open = rows.filter(({ status }) => status === "missing" || status === "untested");
    expect(open.map(({ name, status }) => `${name}: ${status}`)).toEqual([]);
  });

  it("says of nothing that it is not planned that is here", () => {
    expect(rows.filter(({ status, isHere }) => status === "not planned" && isHere).map(({ name }) => name)).toEqual([]);
  });
});
