// SPDX-License-Identifier: Apache-2.0
/** Scores the Dockerfile room against tables that were made elsewhere; see ../shared/conformance/README.md. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import {
  PatternMatcher,
  chompTabs,
  detectDirective,
  detectSyntax,
  expandWord,
  expandWords,
  formatGitReference,
  heredocOf,
  heredocsOnLine,
  parseDevice,
  parseDockerfile,
  parseGitReference,
  parseHeredoc,
  parseInstruction,
  parseNodes,
  readIgnoreFile,
} from "../../src/dockerfile/index.ts";
import type { Node } from "../../src/dockerfile/index.ts";

const root = process.env["TARE_CONFORMANCE"] ?? resolve(import.meta.dirname, "../../../shared/conformance");
const present = existsSync(root);
if (!present) console.log(`skipped: no conformance data at ${root}`);

/** The data is checked by use: a row of another shape scores as different. */
type Row = Record<string, unknown>;

function load<T>(name: string): T {
  return JSON.parse(readFileSync(join(root, name), "utf8")) as T;
}

interface Table {
  readonly func: string;
  readonly name: string;
  readonly rows: unknown;
  readonly text?: string;
}

function rowsOf<T>(file: string, func: string, name: string): readonly T[] {
  const found = load<readonly Table[]>(`tables/${file}.json`).filter(
    (table) => table.func === func && table.name === name,
  );
  return found.flatMap((table) => (Array.isArray(table.rows) ? (table.rows as T[]) : [table.rows as T]));
}

/** Counts the rows for which `isEqual` holds, prints the figure and asserts the share. */
function score<T>(title: string, rows: readonly T[], isEqual: (row: T) => boolean, share: number = 1): void {
  const different = rows.filter((row) => !quiet(() => isEqual(row)));
  console.log(`${title}: ${rows.length - different.length}/${rows.length} equal`);
  for (const row of different) console.log(`  differs: ${JSON.stringify(row)}`);
  expect(rows.length).toBeGreaterThan(0);
  expect((rows.length - different.length) / rows.length).toBeGreaterThanOrEqual(share);
}

function quiet(action: () => boolean): boolean {
  try {
    return action();
  } catch (error) {
    console.log(`  threw: ${String(error)}`);
    return false;
  }
}

function throws(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch {
    return true;
  }
}

function messageFrom(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll("`", "") : "";
  }
}

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function dump(node: Node): unknown {
  const args = node.trigger === undefined ? node.args : [dump(node.trigger)];
  return { cmd: node.keyword.toLowerCase(), flags: node.flags, args };
}

describe.skipIf(!present)("BuildKit's parser", () => {
  it("parses every instruction the same", () => {
    const files = load<{ dockerfile: string; instructions: unknown[] }[]>("buildkit-parser-cases.json");
    const pairs = files.flatMap((file) => {
      const nodes = parseNodes(file.dockerfile).nodes.map((node) => dump(node));
      const count = Math.max(nodes.length, file.instructions.length);
      return Array.from({ length: count }, (_, index) => ({ want: file.instructions[index], got: nodes[index] }));
    });
    score("buildkit-parser-cases", pairs, ({ want, got }) => same(want, got));
  });

  it("refuses the negative files", () => {
    const names = readdirSync(join(root, "parser-negative"));
    const text = (name: string): string => readFileSync(join(root, "parser-negative", name, "Dockerfile"), "utf8");
    score("parser-negative", names, (name) => throws(() => parseDockerfile(text(name))));
  });

  it("reads JSON arrays, words and key-value pairs", () => {
    const args = (line: string): readonly string[] | undefined => parseNodes(line).nodes[0]?.args;
    const invalid = rowsOf<string>("buildkit-parser", "", "invalidJSONArraysOfStrings");
    score("invalid JSON arrays", invalid, (text) => throws(() => parseNodes(`CMD ${text}`)));
    const valid = Object.entries(rowsOf<Row>("buildkit-parser", "", "validJSONArraysOfStrings")[0] ?? {});
    score("valid JSON arrays", valid, ([text, want]) => same(args(`CMD ${text}`), Array.isArray(want) ? want : []));
    const words = rowsOf<{ input: string[]; expect: string[] }>("buildkit-parser", "TestParseWords", "tests");
    score("words", words, ({ input, expect: want }) => same(args(`ARG ${input.join("")}`), want));
  });

  it("detects directives in every notation", () => {
    const text = (func: string): string[] =>
      load<readonly Table[]>("tables/buildkit-parser.json")
        .filter((table) => table.func === func)
        .map(({ text: body }) => body ?? "");
    const found = "dockerfile:experimental";
    const wanted = [found, found, undefined, undefined, "foo", "x", undefined];
    score(
      "syntax",
      text("TestDetectSyntax").map((body, index) => ({ body, want: wanted[index] })),
      ({ body, want }) => detectSyntax(body)?.value === want,
    );
    const checks = ["skip=all", "skip=all", undefined, undefined, undefined];
    score(
      "check",
      text("TestParseDirective").map((body, index) => ({ body, want: checks[index] })),
      ({ body, want }) => detectDirective(body, "check")?.value === want,
    );
  });

  it("reads heredocs", () => {
    score(
      "heredoc words",
      rowsOf<string>("buildkit-parser", "TestParseHeredocHelpers", "validHeredocs"),
      (word) => parseHeredoc(word)?.name === "EOF",
    );
    score(
      "malformed heredoc words",
      rowsOf<string>("buildkit-parser", "TestParseHeredocHelpers", "invalidHeredocs"),
      (word) => throws(() => parseHeredoc(word)),
    );
    score(
      "no heredoc words",
      rowsOf<string>("buildkit-parser", "TestParseHeredocHelpers", "notHeredocs"),
      (word) => parseHeredoc(word) === undefined,
    );
    // As in the table's own test, `<<- EOF` finds no mark: what is found must be what is named.
    const lines = rowsOf<{ line: string; heredocNames: string[] | null }>(
      "buildkit-parser",
      "TestHeredocsFromLine",
      "srcs",
    );
    score("heredocs on a line", lines, ({ line, heredocNames }) =>
      heredocsOnLine(line).every(({ name }, index) => name === heredocNames?.[index]),
    );
    expect(chompTabs("\thello\n\tworld\n")).toBe("hello\nworld\n");
  });
});

describe.skipIf(!present)("BuildKit's instructions", () => {
  it("reads devices", () => {
    const rows = rowsOf<{ input: string; expected: { Name: string; Required: boolean } | null }>(
      "buildkit-instructions",
      "TestParseDevice",
      "cases",
    );
    score("devices", rows, ({ input, expected }) =>
      expected === null
        ? throws(() => parseDevice(input))
        : same(parseDevice(input), { name: expected.Name, required: expected.Required }),
    );
  });

  it("reads heredocs of COPY and RUN", () => {
    interface Copy {
      dockerfile: string;
      sourcesAndDest: {
        DestPath: string;
        SourcePaths?: string[];
        SourceContents?: { Data: string; Expand: boolean; Path: string }[];
      };
    }
    score(
      "COPY heredocs",
      rowsOf<Copy>("buildkit-instructions", "TestCopyHeredoc", "cases"),
      ({ dockerfile, sourcesAndDest: want }) => {
        const copy = parseInstruction(dockerfile);
        const files = (want.SourceContents ?? []).map(({ Data, Expand, Path }) => ({
          name: Path,
          content: Data,
          expand: Expand,
        }));
        return (
          copy.kind === "copy" &&
          copy.destination === want.DestPath &&
          same(copy.sources, want.SourcePaths ?? []) &&
          same(copy.inlineFiles, files)
        );
      },
    );
    interface Run {
      dockerfile: string;
      command: string[];
      shell: boolean;
      files?: { Data: string; Name: string; Chomp?: boolean }[];
    }
    score(
      "RUN heredocs",
      rowsOf<Run>("buildkit-instructions", "TestRunHeredoc", "cases"),
      ({ dockerfile, command, shell, files = [] }) => {
        const run = parseInstruction(dockerfile);
        if (run.kind !== "run") return false;
        const want = shell ? { form: "shell", command: command.join(" ") } : { form: "exec", args: command };
        const got = run.heredocs.map(({ name, content, chomp }) => [name, content, chomp]);
        return (
          same(run.command, want) &&
          same(
            got,
            files.map(({ Name, Data, Chomp }) => [Name, Data, Chomp ?? false]),
          )
        );
      },
    );
  });

  it("counts arguments", () => {
    const message = (text: string): string => messageFrom(() => parseInstruction(text));
    const fileMessage = (text: string): string => messageFrom(() => parseDockerfile(text));
    const commands = (func: string): readonly string[] => rowsOf<string>("buildkit-instructions", func, "commands");
    score("exactly one argument", commands("TestCommandsExactlyOneArgument"), (keyword) =>
      message(keyword).includes(`${keyword} requires exactly one argument`),
    );
    score("at least one argument", commands("TestCommandsAtLeastOneArgument"), (keyword) =>
      message(keyword).includes(`${keyword} requires at least one argument`),
    );
    score("destination", commands("TestCommandsNoDestinationArgument"), (keyword) =>
      message(`${keyword} arg1`).includes("Destination could not be determined"),
    );
    score("blank names", commands("TestCommandsBlankNames"), (keyword) =>
      message(`${keyword} =arg2`).includes(`${keyword} names can not be blank`),
    );
    const cases = rowsOf<{ dockerfile: string; expectedError: string }>(
      "buildkit-instructions",
      "TestErrorCases",
      "cases",
    );
    score("error cases", cases, ({ dockerfile, expectedError }) => {
      const want = expectedError.replaceAll("`", "").replace("instruction: ", "instruction ");
      return fileMessage(dockerfile).includes(want);
    });
  });
});

const ENVIRONMENT = { PWD: "/home", SHELL: "bash", KOREAN: "한국어", NULL: "" };

describe.skipIf(!present)("word expansion", () => {
  it("expands as the table says", () => {
    const rows = load<{ platform: string; in: string; out: string }[]>("shell-envvar.json");
    const isEqual = (row: { in: string; out: string }): boolean =>
      row.out === "error"
        ? throws(() => expandWord(row.in, ENVIRONMENT))
        : expandWord(row.in, ENVIRONMENT).value === row.out;
    score(
      "shell-envvar",
      rows.filter(({ platform }) => platform !== "W"),
      isEqual,
    );
  });

  it("says which names were used", () => {
    interface Match {
      input: string;
      envs: Record<string, string>;
      expected?: string;
      expectedErr?: boolean;
      matches?: Row | null;
      unmatched?: Row | null;
    }
    const rows = rowsOf<Match>("buildkit-shell", "TestProcessWithMatches", "tc");
    score("buildkit-shell matches", rows, (row) => {
      if (row.expectedErr === true) return throws(() => expandWord(row.input, row.envs));
      const word = expandWord(row.input, row.envs);
      const names = (set: ReadonlySet<string>): string[] => [...set].toSorted();
      const keys = (record: Row | null | undefined): string[] => Object.keys(record ?? {}).toSorted();
      return (
        word.value === row.expected &&
        same(names(word.used), keys(row.matches)) &&
        same(names(word.unmatched), keys(row.unmatched))
      );
    });
  });

  it("accepts and refuses patterns, and turns them round", () => {
    const table = rowsOf<Record<string, string>>("buildkit-shell", "TestConvertShellPatternToRegex", "cases")[0] ?? {};
    const trim = (pattern: string, value: string): string => expandWord("${V##$P}", { V: value, P: pattern }).value;
    score("patterns", Object.keys(table), (pattern) => typeof trim(pattern, "abc") === "string");
    score(
      "malformed patterns",
      rowsOf<string>("buildkit-shell", "TestConvertShellPatternToRegex", "invalid"),
      (pattern) => throws(() => trim(pattern, "abc")),
    );
  });

  it("splits words", () => {
    const environment = { hi: "hi", space: "abc  def", leading: "  ab c", trailing: "ab c   " };
    const rows: [string, string[]][] = [
      ["hello${space}bye", ["helloabc", "defbye"]],
      ['hello"${space}"bye', ["helloabc  defbye"]],
      ["hello${leading}def", ["hello", "ab", "cdef"]],
      ["hello${trailing}d", ["helloab", "c", "d"]],
      ['hello\\" there', ['hello"', "there"]],
    ];
    score("words after expansion", rows, ([word, want]) => same(expandWords(word, environment), want));
  });
});

describe.skipIf(!present)("ignore patterns", () => {
  type MatchRow = readonly [string, string, boolean, unknown?];

  it("matches as the tables say", () => {
    const rows = rowsOf<MatchRow>("patternmatcher", "", "matchTests");
    score("patternmatcher matchTests", rows, ([pattern, path, want, error]) =>
      error === null
        ? new PatternMatcher([pattern]).matchesOrParentMatches(path) === want
        : throws(() => new PatternMatcher([pattern])),
    );
    const single = rowsOf<MatchRow>("patternmatcher", "TestMatches", "tests");
    score(
      "patternmatcher tests",
      single,
      ([pattern, path, want]) => new PatternMatcher([pattern]).matchesOrParentMatches(path) === want,
    );
    score(
      "patternmatcher tests, walking",
      single,
      ([pattern, path, want]) => new PatternMatcher([pattern]).matchBelow(path, undefined).matched === want,
    );
    const several = rowsOf<readonly [string[], string, boolean]>("patternmatcher", "TestMatches", "multiPatternTests");
    score(
      "patternmatcher several",
      several,
      ([patterns, path, want]) => new PatternMatcher(patterns).matchesOrParentMatches(path) === want,
    );
    const compiled = rowsOf<readonly [string, ...unknown[]]>("patternmatcher", "", "compileTests");
    score(
      "patternmatcher compileTests (accepted)",
      compiled,
      ([pattern]) => new PatternMatcher([pattern]).patterns.length === 1,
    );
  });

  it("cleans patterns", () => {
    const functions = ["", "StripEmptyPatterns", "ExceptionFlag", "LeadingSpaceTrimmed", "TrailingSpaceTrimmed"];
    score("clean patterns", functions, (name) => {
      const matcher = new PatternMatcher(rowsOf<string>("patternmatcher", `TestCleanPatterns${name}`, "patterns"));
      return matcher.patterns.length === 2 && matcher.hasExclusions === !["", "StripEmptyPatterns"].includes(name);
    });
  });

  it("reads a file", () => {
    const table = load<readonly Table[]>("tables/patternmatcher.json").find(
      ({ func, text }) => func === "TestReadAll" && text !== undefined,
    );
    const want = rowsOf<string>("patternmatcher", "TestReadAll", "expected");
    const got = readIgnoreFile(table?.text ?? "");
    score(
      "ReadAll",
      want.map((pattern, index) => ({ pattern, got: got[index] })),
      (row) => row.pattern === row.got,
    );
    expect(got.length).toBe(want.length);
  });
});

describe.skipIf(!present)("Git references", () => {
  it("parses and refuses as the table says", () => {
    type Case = { ref: string; err?: string; expected?: Row | null };
    score(
      "git references",
      rowsOf<Case>("buildkit-dfgitutil", "TestParseGitRef", "cases"),
      ({ ref, err, expected }) => {
        if (err !== undefined) return throws(() => parseGitReference(ref));
        const got = parseGitReference(ref);
        if (got === undefined || expected === null || expected === undefined)
          return got === undefined && expected === null;
        const fields = {
          Remote: got.remote,
          ShortName: got.shortName,
          Ref: got.ref,
          SubDir: got.subdirectory,
          Checksum: got.checksum,
          MTime: got.mtime ?? "",
          FetchByCommit: got.fetchByCommit,
          UnencryptedTCP: got.isUnencrypted,
          IndistinguishableFromLocal: got.isIndistinguishableFromLocal,
        };
        return Object.entries(fields).every(([key, value]) =>
          same(value, expected[key] ?? (typeof value === "boolean" ? false : "")),
        );
      },
    );
  });

  it("writes them with a fragment", () => {
    type Case = { ref: string; ok: boolean; expected: string };
    const format =
      (withSubdirectory: boolean) =>
      ({ ref, ok, expected }: Case): boolean => {
        let got: string | undefined;
        try {
          const reference = parseGitReference(ref);
          got = reference === undefined ? undefined : formatGitReference(reference, withSubdirectory);
        } catch {
          got = undefined;
        }
        return ok ? got === expected : got === undefined;
      };
    score("fragments", rowsOf<Case>("buildkit-dfgitutil", "TestFragmentFormat", "cases"), format(false));
    score(
      "fragments with folder",
      rowsOf<Case>("buildkit-dfgitutil", "TestFragmentFormatWithSubdir", "cases"),
      format(true),
    );
  });
});

/** Rules that need variables, base images or the build context are the check command's, not the parser's. */
const PARSER_RULES: ReadonlySet<string> = new Set([
  "StageNameCasing",
  "FromAsCasing",
  "ConsistentInstructionCasing",
  "MaintainerDeprecated",
  "LegacyKeyValueFormat",
  "JSONArgsRecommended",
  "NoEmptyContinuation",
  "DuplicateStageName",
  "ReservedStageName",
  "MultipleInstructionsDisallowed",
  "InvalidDefinitionDescription",
  "ExposeInvalidFormat",
  "ExposeProtoCasing",
  "WorkdirRelativePath",
  "SecretsUsedInArgOrEnv",
]);

describe.skipIf(!present)("lint", () => {
  it("finds what BuildKit finds while it parses", () => {
    interface Case {
      dockerfile: string;
      attrs: Record<string, string> | null;
      warnings: { RuleName: string; Line: number; Detail: string }[] | null;
    }
    score("buildkit-lint (parser's rules)", load<Case[]>("buildkit-lint.json"), ({ dockerfile, attrs, warnings }) => {
      const check = attrs?.["build-arg:BUILDKIT_DOCKERFILE_CHECK"];
      const want = (warnings ?? [])
        .filter(({ RuleName }) => PARSER_RULES.has(RuleName))
        .map(({ RuleName, Line, Detail }) => `${RuleName} ${Line} ${Detail}`);
      return same(lint(dockerfile, check).toSorted(), want.toSorted());
    });
  });
});

function lint(text: string, check: string | undefined): string[] {
  try {
    const { warnings, stages } = parseDockerfile(text, check === undefined ? {} : { check });
    const built = builtStages(stages.map(({ name, base }) => ({ name, base })));
    return warnings
      .filter(({ stage }) => stage === undefined || built.has(stage))
      .map(({ rule, line, detail }) => `${rule} ${line} ${detail}`);
  } catch (error) {
    const details =
      error instanceof Error && "details" in error
        ? (error.details as { warnings?: { rule: string; line: number; detail: string }[] })
        : {};
    return (details.warnings ?? []).map(({ rule, line, detail }) => `${rule} ${line} ${detail}`);
  }
}

/** The last stage and what it is built on. */
function builtStages(stages: readonly { name: string | undefined; base: string }[]): ReadonlySet<number> {
  const built = new Set<number>();
  for (let index = stages.length - 1; index >= 0;) {
    built.add(index);
    const { base } = stages[index] ?? { base: "" };
    index = stages.slice(0, index).findLastIndex(({ name }) => name === base.toLowerCase());
  }
  return built;
}

describe.skipIf(!present)("heredoc marks", () => {
  it("are no marks when malformed", () => {
    expect(heredocOf("<<'EOF")).toBeUndefined();
  });
});
