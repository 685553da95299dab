// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import type { TareError } from "../base/index.ts";
import { parseDockerfile, parseInstruction, printDockerfile } from "./index.ts";
import type { Instruction } from "./index.ts";

function first(text: string): Instruction {
  const instruction = parseDockerfile(`FROM x\n${text}`).stages[0]?.instructions[0];
  if (instruction === undefined) throw new Error("no instruction");
  return instruction;
}

function refusal(text: string): TareError {
  try {
    parseDockerfile(text);
  } catch (error) {
    if (isTareError(error)) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

describe("good inputs", () => {
  const cases: readonly (readonly [name: string, text: string, wanted: object])[] = [
    ["shell form", "RUN a  b", { kind: "run", command: { form: "shell", command: "a  b" } }],
    ["exec form", 'RUN ["a", "b c"]', { command: { form: "exec", args: ["a", "b c"] } }],
    ["JSON over a line break", 'ENTRYPOINT ["a", \\\n  "b"]', { command: { form: "exec", args: ["a", "b"] } }],
    ["broken JSON is shell form", "CMD ['a']", { command: { form: "shell", command: "['a']" } }],
    ["comment in continuation", "RUN a \\\n# no\n  b", { command: { form: "shell", command: "a   b" } }],
    ["empty line in continuation", "RUN a \\\n\n  b", { command: { form: "shell", command: "a   b" } }],
    ["escaped continuation", "ENV a=b\\\\\n", { assignments: [{ key: "a", value: "b\\\\", isLegacy: false }] }],
    ["CRLF", "RUN a \\\r\n b\r\n", { command: { form: "shell", command: "a  b" } }],
    [
      "run flags",
      "RUN --network=none --security=insecure --device=v/d=0,required x",
      { network: "none", security: "insecure", devices: [{ name: "v/d=0", required: true }] },
    ],
    [
      "copy flags",
      "COPY --from=b --chown=1:$G --chmod=0${M} --link --parents --exclude=*.a --exclude=b x y /z",
      {
        from: "b",
        chown: "1:$G",
        chmod: "0${M}",
        link: true,
        parents: true,
        exclude: ["*.a", "b"],
        sources: ["x", "y"],
        destination: "/z",
      },
    ],
    ["copy JSON", 'COPY ["a b", "c d/"]', { sources: ["a b"], destination: "c d/" }],
    [
      "add flags",
      "ADD --checksum=sha256:1 --keep-git-dir=false --unpack http://h/a /",
      { checksum: "sha256:1", keepGitDir: false, unpack: true },
    ],
    [
      "arg without and with value",
      "ARG a b=c d=",
      {
        definitions: [
          { key: "a", value: undefined },
          { key: "b", value: "c" },
          { key: "d", value: "" },
        ],
      },
    ],
    ["old env", "ENV a b  c", { assignments: [{ key: "a", value: "b  c", isLegacy: true }] }],
    [
      "health check",
      "HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=2s --start-interval=1s --retries=4 CMD a b",
      {
        check: {
          command: { form: "shell", command: "a b" },
          interval: 90e9,
          timeout: 5e8,
          startPeriod: 2e9,
          startInterval: 1e9,
          retries: 4,
        },
      },
    ],
    ["no health check", "HEALTHCHECK NONE", { check: undefined }],
    ["ports are sorted", "EXPOSE 90 80/udp", { ports: ["80/udp", "90"] }],
    ["trigger", "ONBUILD COPY a /b", { expression: "COPY a /b", trigger: { kind: "copy", destination: "/b" } }],
    ["malformed trigger", "ONBUILD COPPY a /b", { trigger: undefined, triggerProblem: "unknown instruction `COPPY`" }],
    ["trigger with heredoc", "ONBUILD RUN <<E\na\nE", { expression: "RUN <<E\na\nE" }],
  ];
  it.each(cases)("%s", (_name, text, wanted) => {
    expect(first(text)).toMatchObject(wanted);
  });
});

describe("bad inputs", () => {
  const cases: readonly (readonly [text: string, code: string, line: number, message: string, hint?: string])[] = [
    ["FORM alpine", "E_DF_UNKNOWN", 1, "unknown instruction `FORM`", "did you mean `FROM`?"],
    ["FROM a\n\nCOPPY b c", "E_DF_UNKNOWN", 3, "unknown instruction `COPPY`", "did you mean `COPY`?"],
    ["", "E_DF_EMPTY", 1, "file with no instructions"],
    ["# a\n\n", "E_DF_EMPTY", 2, "file with no instructions"],
    ["ARG a", "E_DF_NOFROM", 1, "dockerfile contains no stages to build"],
    ["RUN x\nFROM a", "E_DF_ORDER", 1, "no build stage in current context"],
    ["FROM", "E_DF_ARGS", 1, "FROM requires either one or three arguments"],
    ["FROM a AS", "E_DF_ARGS", 1, "FROM requires either one or three arguments"],
    ["FROM a AS 1b", "E_DF_STAGE", 1, 'invalid name for build stage: "1b"'],
    ["FROM --platfrom=x a", "E_DF_FLAG", 1, "unknown flag: --platfrom", "did you mean `--platform`?"],
    ["FROM a\nCOPY x", "E_DF_ARGS", 2, "requires at least two arguments"],
    ["FROM a\nCOPY --link=maybe x y", "E_DF_FLAG", 2, "expecting boolean value for flag --link, not: maybe"],
    ["FROM a\nCOPY --from=a --from=b x y", "E_DF_FLAG", 2, "duplicate flag specified: --from"],
    ["FROM a\nCOPY a <<E\nE", "E_DF_HEREDOC", 2, "COPY cannot accept a heredoc as a destination"],
    ["FROM a\nRUN <<EOF\nx\n", "E_DF_HEREDOC", 2, "unterminated heredoc `EOF`"],
    ["FROM a\nCMD [1]", "E_DF_JSON", 2, "arrays must be comprised of strings only"],
    ["FROM a\nSHELL sh", "E_DF_JSON", 2, "SHELL requires the arguments to be in JSON form"],
    ["FROM a\nENV A", "E_DF_ARGS", 2, "ENV must have two arguments"],
    ["FROM a\nENV a=1 b", "E_DF_ARGS", 2, "can't find = in"],
    ["FROM a\nENV =x", "E_DF_NAME", 2, "ENV names can not be blank"],
    ["FROM a\nARG =x", "E_DF_NAME", 2, "ARG names can not be blank"],
    ["FROM a\nHEALTHCHECK --interval=5 CMD x", "E_DF_DURATION", 2, "invalid duration `5`", "give a unit: `5s`?"],
    ["FROM a\nHEALTHCHECK --interval=5ns CMD x", "E_DF_DURATION", 2, "cannot be less than 1ms"],
    ["FROM a\nHEALTHCHECK PING x", "E_DF_ARGS", 2, 'Unknown type "PING"'],
    ["FROM a\nONBUILD ONBUILD RUN x", "E_DF_ONBUILD", 2, "Chaining ONBUILD"],
    ["FROM a\nONBUILD FROM x", "E_DF_ONBUILD", 2, "FROM isn't allowed as an ONBUILD trigger"],
    ["FROM a\nRUN --network=hots x", "E_DF_FLAG", 2, 'invalid network mode "hots"', "did you mean `host`?"],
    ["FROM a\nRUN --mount=from=$x y", "E_DF_MOUNT", 2, "'from' doesn't support variable expansion"],
    ['FROM a\nVOLUME [""]', "E_DF_ARGS", 2, "VOLUME specified can not be an empty string"],
    ["FROM a\nUSER", "E_DF_ARGS", 2, "USER requires exactly one argument"],
    ["# escape=x\nFROM a", "E_DF_DIRECTIVE", 1, "invalid escape token 'x'"],
    ["# syntax=a\n# syntax=b\nFROM a", "E_DF_DIRECTIVE", 2, "only one syntax parser directive can be used"],
    [`FROM a\nRUN ${"x".repeat(70_000)}`, "E_DF_TOOBIG", 2, "a line is longer than 65535 bytes"],
    ["F\0R\0O\0M\0", "E_DF_ENCODING", 1, "NUL character"],
  ];
  const rows = cases.map(([text, code, line, message, hint]) => ({ text, code, line, message, hint }));
  it.each(rows)("$text", ({ text, code, line, message, hint }) => {
    const error = refusal(text);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.message).toContain("parsing `Dockerfile` line");
    expect(error.details).toMatchObject({ file: "Dockerfile", line });
    if (hint !== undefined) expect(error.hint).toBe(hint);
  });

  it("names the file, the lines and the text", () => {
    const text = "FROM a\nRUN x \\\n y\nCOPY a \\\n  --\n";
    expect(() => parseDockerfile(`${text}COPY \\\n x\n`, { fileName: "web/Dockerfile" })).toThrow(
      "parsing `web/Dockerfile` lines 6-7: COPY requires",
    );
    const { details } = refusal("FROM a\n  COPPY b c");
    expect(details).toMatchObject({ line: 2, endLine: 2, column: 1, endColumn: 5, text: "COPPY b c" });
  });
});

describe("stages", () => {
  const tree = parseDockerfile(
    "# check=skip=StageNameCasing\nARG V=1\nFROM a:$V AS One\nRUN x\nfrom --platform=$P one\n",
    { fileName: "f" },
  );

  it("holds ARG before FROM apart", () => {
    expect(tree.metaArgs.map(({ definitions }) => definitions[0]?.key)).toEqual(["V"]);
  });

  it("keeps words unexpanded", () => {
    expect(tree.stages.map(({ index, name, base, platform }) => [index, name, base, platform])).toEqual([
      [0, "one", "a:$V", undefined],
      [1, undefined, "one", "$P"],
    ]);
  });

  it("reports what the file does not switch off", () => {
    expect(tree.warnings.map(({ rule }) => rule)).toEqual(["ConsistentInstructionCasing"]);
  });

  it("parses a trigger alone", () => {
    expect(parseInstruction("RUN x")).toMatchObject({ kind: "run", location: { line: 1, endLine: 1 } });
    expect(() => parseInstruction("RUN x\nRUN y")).toThrow("a trigger must be a single instruction");
  });
});

describe("printing", () => {
  it("writes one line for each instruction", () => {
    const text = "#escape=`\n# hello\nfrom a `\n  as b\nRUN <<E `\n x\ny\nE\n\n#c\nFROM b\n";
    expect(printDockerfile(parseDockerfile(text))).toBe(
      "# escape=`\n\n# hello\nfrom a   as b\nRUN <<E  x\ny\nE\n\n# c\nFROM b\n",
    );
  });

  it("breaks lines that would be too long", () => {
    const word = "a".repeat(60_000);
    const text = `FROM x\nRUN ${word} \\\n${word}\n`;
    const printed = printDockerfile(parseDockerfile(text));
    expect(parseDockerfile(printed).stages[0]?.instructions[0]).toMatchObject({
      command: { command: `${word} ${word}` },
    });
  });
});
