// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import { parseGpus } from "./index.ts";

interface Row {
  readonly value: string;
  readonly request?: {
    readonly Driver: string;
    readonly Count: number;
    readonly DeviceIDs: readonly string[] | null;
    readonly Capabilities: readonly (readonly string[])[];
    readonly Options: Readonly<Record<string, string>>;
  };
  readonly error?: string;
}

const ROWS = (JSON.parse(readFileSync(join(import.meta.dirname, "testdata/gpus.json"), "utf8")) as { rows: Row[] })
  .rows;

const BOTH = "cannot set both Count and DeviceIDs on device request";
const TWICE = "gpu request key 'count' can be specified only once";
const NAMELESS = "a device of the gpu request has no name";

/** What Docker's client sends and its daemon refuses, or what can't have been meant so. */
const STRICTER: Readonly<Record<string, string>> = {
  "device=0,1": BOTH,
  "2,device=0": BOTH,
  "device=0,count=all": BOTH,
  "device=": NAMELESS,
  "1,2": TWICE,
  "count=1,all": TWICE,
  "-2": 'invalid count (-2): value must be either "all" or an integer above 0',
};

/** Refused by both, in other words. */
const WORDING: Readonly<Record<string, string>> = {
  "": "reading comma-separated values: the value is empty",
  "device=,": NAMELESS,
};

function outcomeOf(value: string): Omit<Row, "value"> {
  try {
    const { driver, count, deviceIds, capabilities, options } = parseGpus(value);
    const ids = deviceIds.length === 0 ? null : deviceIds;
    return {
      request: { Driver: driver, Count: count, DeviceIDs: ids, Capabilities: [capabilities], Options: options },
    };
  } catch (error) {
    if (!isTareError(error, "E_USAGE")) throw error;
    return { error: error.message };
  }
}

describe("--gpus beside what Docker's client made of it", () => {
  it.each(ROWS)("$value", ({ value, ...measured }) => {
    const stricter = STRICTER[value];
    if (stricter !== undefined) expect(measured.request).toBeDefined();
    const wording = WORDING[value];
    if (wording !== undefined) expect(measured.error).toBeDefined();
    const other = stricter ?? wording;
    expect(outcomeOf(value)).toEqual(other === undefined ? measured : { error: other });
  });

  it("lists only values of the table as different", () => {
    const values = ROWS.map(({ value }) => value);
    expect(values).toEqual(expect.arrayContaining([...Object.keys(STRICTER), ...Object.keys(WORDING)]));
  });
});

describe("a list without its quotes", () => {
  it.each([
    ["device=0,1", `'"device=0,1"'`],
    ["device=0,1,GPU-a", `'"device=0,1,GPU-a"'`],
    ["device=GPU-a,GPU-b", `'"device=GPU-a,GPU-b"'`],
    ["all,capabilities=compute,utility", `'all,"capabilities=compute,utility"'`],
    ["device=0,1,capabilities=utility", `'"device=0,1",capabilities=utility'`],
  ])("%s is refused with the right form", (value, form) => {
    let hint = "";
    try {
      parseGpus(value);
    } catch (error) {
      if (isTareError(error)) hint = error.hint ?? "";
    }
    expect(hint).toBe(`a comma ends a field: quote a list as a whole inside the value: --gpus ${form}`);
    expect(() => parseGpus(form.slice(1, -1))).not.toThrow();
  });
});
