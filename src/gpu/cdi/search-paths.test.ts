// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { joinEdits } from "./join-edits.ts";
import { withSearchPaths } from "./search-paths.ts";

const LIB = "LD_LIBRARY_PATH";

describe("folders put in front of a list of folders", () => {
  const cases: readonly (readonly [
    name: string,
    env: readonly string[],
    folders: readonly string[],
    result: readonly string[],
  ])[] = [
    ["a variable that is not there", ["A=1"], ["/n"], ["A=1", `${LIB}=/n`]],
    ["one that is empty", [`${LIB}=`, "A=1"], ["/n"], [`${LIB}=/n`, "A=1"]],
    ["one with others", [`${LIB}=/a:/b`], ["/n", "/m"], [`${LIB}=/n:/m:/a:/b`]],
    ["one that has it: it stays where it is", [`${LIB}=/cuda/compat:/n`], ["/n"], [`${LIB}=/cuda/compat:/n`]],
    ["one that has one of them", [`${LIB}=/a:/n`], ["/m", "/n"], [`${LIB}=/m:/a:/n`]],
    ["an empty folder in the list, which is the working directory", [`${LIB}=/a:`], ["/n"], [`${LIB}=/n:/a:`]],
    ["a longer name", [`${LIB}_X=/a`], ["/n"], [`${LIB}_X=/a`, `${LIB}=/n`]],
  ];
  it.each(cases)("%s", (_, env, folders, result) => expect(withSearchPaths(env, { [LIB]: folders })).toEqual(result));

  it("are joined, each once", () => {
    const joined = joinEdits([
      { searchPaths: { PATH: ["/a"] } },
      {},
      { searchPaths: { PATH: ["/b", "/a"], [LIB]: ["/n"] } },
    ]);
    expect(joined).toEqual({ searchPaths: { PATH: ["/a", "/b"], [LIB]: ["/n"] } });
  });
});
