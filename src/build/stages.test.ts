// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseDockerfile } from "../dockerfile/index.ts";
import { StageTable } from "./stages.ts";

const table = new StageTable(parseDockerfile("FROM a AS One\nFROM b\nFROM c AS two\nFROM d AS one\n"));
const index = (stage: { readonly index: number } | undefined): number | undefined => stage?.index;

describe("the stages of a Dockerfile", () => {
  it.each([
    [undefined, 3],
    ["", 3],
    ["TWO", 2],
    ["one", 3],
    ["1", 1],
  ])("target %j is stage %d", (name, wanted) => {
    expect(table.target(name).index).toBe(wanted);
  });

  it.each([
    ["tow", "did you mean `two`?"],
    ["nothing-alike", "the stages are: one, two, one"],
    ["4", "the stages are: one, two, one"],
  ])("target %s does not exist", (name, hint) => {
    expect(() => table.target(name)).toThrow(expect.objectContaining({ code: "E_STAGE_NOTFOUND", hint }));
  });

  it("FROM means the nearest stage before, --from any stage by its last name", () => {
    expect([table.before("one", 3), table.before("one", 0), table.before("ONE", 1)].map(index)).toEqual([
      0,
      undefined,
      0,
    ]);
    expect([table.source("two", 3), table.source("0", 3), table.source("image", 3)].map(index)).toEqual([
      2,
      0,
      undefined,
    ]);
  });

  it.each([
    ["two", 1, "it needs to be defined before"],
    ["3", 3, "invalid stage index 3"],
    ["9", 3, "invalid stage index 9"],
  ])("--from=%s in stage %d is an error", (name, at, text) => {
    const error = expect.objectContaining({ code: "E_DF_STAGE", message: expect.stringContaining(text) });
    expect(() => table.source(name, at)).toThrow(error);
  });
});
