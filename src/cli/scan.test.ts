// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { CREATE_OPTIONS } from "./create-options.ts";
import { parseArguments } from "./parsed.ts";
import { scan } from "./scan.ts";
import type { CommandBody, OptionSpec } from "./command.ts";

const RUN: readonly OptionSpec[] = [
  ...CREATE_OPTIONS,
  { name: "rm", type: "boolean", description: "" },
  { name: "detach", short: "d", type: "boolean", description: "" },
  { name: "sig-proxy", type: "boolean", default: true, description: "" },
];

function run(words: readonly string[]): { options: unknown[]; words: readonly string[] } {
  const { occurrences, positionals } = scan(words, { options: RUN, stopAtPositional: true });
  return { options: occurrences.map(({ option, value }) => [option.name, value]), words: positionals };
}

function ls(words: readonly string[]): { options: unknown[]; words: readonly string[] } {
  const options: readonly OptionSpec[] = [
    { name: "all", short: "a", type: "boolean", description: "" },
    { name: "filter", short: "f", type: "list", description: "" },
    { name: "format", type: "string", description: "", choices: ["table", "json"] },
  ];
  const { occurrences, positionals } = scan(words, { options, stopAtPositional: false });
  return { options: occurrences.map(({ option, value }) => [option.name, value]), words: positionals };
}

describe("scan reads flags as Docker does", () => {
  it("takes a whole docker run line", () => {
    const line = ["-it", "--rm", "-e", "A=1", "-eB=2", "-e", "KEY", "--env=C=3", "-v", "/a:/b", "img"];
    expect(run([...line, "-e", "X", "--rm", "bash", "-c", "echo -it"])).toEqual({
      options: [
        ["interactive", true],
        ["tty", true],
        ["rm", true],
        ["env", "A=1"],
        ["env", "B=2"],
        ["env", "KEY"],
        ["env", "C=3"],
        ["volume", "/a:/b"],
      ],
      words: ["img", "-e", "X", "--rm", "bash", "-c", "echo -it"],
    });
  });

  const good: readonly (readonly [string, readonly string[], unknown[], readonly string[]])[] = [
    ["a glued value", ["-p8080:80", "i"], [["publish", "8080:80"]], ["i"]],
    ["a glued value with =", ["-e=A=1", "i"], [["env", "A=1"]], ["i"]],
    [
      "a group whose last takes the next word",
      ["-ite", "A=1", "i"],
      [
        ["interactive", true],
        ["tty", true],
        ["env", "A=1"],
      ],
      ["i"],
    ],
    [
      "a group whose last has its value glued on",
      ["-itw/x", "i"],
      [
        ["interactive", true],
        ["tty", true],
        ["workdir", "/x"],
      ],
      ["i"],
    ],
    ["a short boolean with a value", ["-i=false", "i"], [["interactive", false]], ["i"]],
    ["a long boolean with a value", ["--rm=F", "i"], [["rm", false]], ["i"]],
    ["a boolean does not take the next word", ["--rm", "false"], [["rm", true]], ["false"]],
    ["a value that begins with a dash", ["-e", "--rm", "i"], [["env", "--rm"]], ["i"]],
    ["a value that is two dashes", ["--name", "--", "i"], [["name", "--"]], ["i"]],
    ["an empty value", ["--entrypoint=", "i"], [["entrypoint", ""]], ["i"]],
    ["two dashes before the image", ["--rm", "--", "-i"], [["rm", true]], ["-i"]],
    ["two dashes after the image stay", ["i", "--", "x"], [], ["i", "--", "x"]],
    ["a single dash is a word", ["-", "-i"], [], ["-", "-i"]],
    ["nothing", [], [], []],
  ];
  it.each(good)("takes %s", (_name, words, options, positionals) => {
    expect(run(words)).toEqual({ options, words: positionals });
  });

  it("mixes options and words where no command follows", () => {
    expect(ls(["x", "-a", "y", "--filter", "k=v", "--", "-a"])).toEqual({
      options: [
        ["all", true],
        ["filter", "k=v"],
      ],
      words: ["x", "y", "-a"],
    });
  });

  const bad: readonly (readonly [string, readonly string[], string, string | undefined])[] = [
    ["an unknown flag", ["--detached"], "unknown flag: --detached", "did you mean `--detach`?"],
    ["an unknown flag with a value", ["--zzzzzz=1"], "unknown flag: --zzzzzz", undefined],
    ["an unknown letter", ["-Z"], "unknown shorthand flag: 'Z' in -Z", undefined],
    ["an unknown letter in a group", ["-iZ"], "unknown shorthand flag: 'Z' in -iZ", undefined],
    ["a long name with one dash", ["-rm"], "unknown shorthand flag: 'r' in -rm", "did you mean `--rm`?"],
    ["a missing value", ["--env"], "flag needs an argument: --env", undefined],
    ["a missing value in a group", ["-ie"], "flag needs an argument: 'e' in -ie", undefined],
    ["three dashes", ["---rm"], "bad flag syntax: ---rm", undefined],
    ["no name", ["--=x"], "bad flag syntax: --=x", undefined],
    ["a bad boolean", ["--rm=maybe"], 'invalid argument "maybe" for "--rm" flag: expected true or false', undefined],
    [
      "a bad choice",
      ["--pull=allways"],
      'invalid argument "allways" for "--pull" flag: expected one of always, missing, never',
      "did you mean `always`?",
    ],
  ];
  it.each(bad)("refuses %s", (_name, words, message, hint) => {
    expect(() => run(words)).toThrow(expect.objectContaining({ code: "E_USAGE", exitCode: 125, message, hint }));
  });
});

describe("parseArguments", () => {
  const body: CommandBody = {
    usage: "A B",
    count: { min: 2, max: 2 },
    options: [
      { name: "number", short: "n", type: "string", description: "" },
      { name: "later", type: "boolean", description: "", unsupported: "it comes later" },
    ],
    examples: [],
    run: () => Promise.resolve(),
  };

  it("counts words with exit code 1", () => {
    expect(() => parseArguments("tag", body, ["a"])).toThrow(
      expect.objectContaining({ exitCode: 1, message: "`tare tag` requires 2 arguments" }),
    );
  });

  it("lets --help pass whatever the count", () => {
    expect(parseArguments("tag", body, ["-h"]).boolean("help")).toBe(true);
  });

  it("refuses what is not there yet with the reason", () => {
    expect(() => parseArguments("tag", body, ["a", "b", "--later"])).toThrow(
      expect.objectContaining({ code: "E_UNSUPPORTED", message: "option `--later`: it comes later" }),
    );
  });

  it("reads whole numbers within bounds", () => {
    const number = (text: string): number | undefined =>
      parseArguments("tag", body, ["a", "b", "-n", text]).integer("number", { min: 0, max: 9 });
    expect(number("7")).toBe(7);
    for (const text of ["-1", "10", "1.5", "x", ""])
      expect(() => number(text)).toThrow(/invalid argument ".*" for "-n, --number" flag: expected a whole number/);
  });

  it("takes the last of repeated values", () => {
    expect(parseArguments("tag", body, ["a", "-n1", "b", "-n", "2"]).string("number")).toBe("2");
  });
});
