// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { readScript } from "./shell-command.ts";

const environment = new Map([
  ["VERSION", "2.3.5"],
  ["FLAGS", "--no-cache-dir -q"],
  ["EMPTY", ""],
  ["HOME", "/root"],
]);

function words(script: string): unknown {
  const reading = readScript(script, environment);
  return "reason" in reading ? reading.reason : reading.commands.map((command) => command.words);
}

describe("readScript", () => {
  it.each([
    ["pip install numpy", [["pip", "install", "numpy"]]],
    ["pip install 'numpy<2' \"pandas>=2\"", [["pip", "install", "numpy<2", "pandas>=2"]]],
    ["pip install numpy==$VERSION", [["pip", "install", "numpy==2.3.5"]]],
    ["pip install $FLAGS numpy", [["pip", "install", "--no-cache-dir", "-q", "numpy"]]],
    ['pip install "$FLAGS"', [["pip", "install", "--no-cache-dir -q"]]],
    ["pip install $EMPTY numpy", [["pip", "install", "numpy"]]],
    ['pip install "$EMPTY" numpy', [["pip", "install", "", "numpy"]]],
    ["pip install \\\n  numpy \\\n  pandas", [["pip", "install", "numpy", "pandas"]]],
    ["pip install a#b", [["pip", "install", "a#b"]]],
    [
      "pip install a && pip install b",
      [
        ["pip", "install", "a"],
        ["pip", "install", "b"],
      ],
    ],
    ["pip install numpy<2", "a redirection"],
    ["pip install *.whl", "a word that begins with a wildcard"],
    ["pip install uvicorn[standard] a/*.whl", [["pip", "install", "uvicorn[standard]", "a/*.whl"]]],
    ["rm -rf ~/.cache ~", [["rm", "-rf", "/root/.cache", "/root"]]],
    ["rm -rf ~other", "a home directory"],
    ["pip install $(cat x)", "a substitution"],
    ["pip install ${X:-y}", "a substitution"],
    [
      "pip install a; rm b",
      [
        ["pip", "install", "a"],
        ["rm", "b"],
      ],
    ],
    [
      "set -e\n\n# first\npip install a # all\nrm b;\n",
      [
        ["set", "-e"],
        ["pip", "install", "a"],
        ["rm", "b"],
      ],
    ],
    ["pip install a &&", "an empty command"],
    ["pip install a && \n", "an empty command"],
    [
      "pip install a &&\n pip check",
      [
        ["pip", "install", "a"],
        ["pip", "check"],
      ],
    ],
    [";", "an empty command"],
    ["a;;b", "a case"],
    ["X=1", "an assignment alone"],
    ["X=1; pip install a", "an assignment alone"],
    ["pip install $UNKNOWN", "the variable UNKNOWN, which only the shell knows"],
    ["pip install a || true", "a pipe or `||`"],
    ["pip install a &", "a background command"],
    ["pip install 'a", "an unclosed quote"],
    ["# nothing", "no command"],
    ["", "no command"],
  ])("%j", (script, expected) => {
    expect(words(script)).toEqual(expected);
  });

  it("takes assignments before the command and keeps its text", () => {
    expect(readScript(" PIP_NO_CACHE_DIR=1 X='a b' pip install numpy ", environment)).toEqual({
      commands: [
        {
          assignments: [
            ["PIP_NO_CACHE_DIR", "1"],
            ["X", "a b"],
          ],
          words: ["pip", "install", "numpy"],
          text: "PIP_NO_CACHE_DIR=1 X='a b' pip install numpy",
        },
      ],
    });
  });

  it("reads what sh reads, or gives up", () => {
    const piece = fc.constantFrom(
      "a",
      "-b",
      " ",
      "'c d'",
      '"e $VERSION"',
      "$FLAGS",
      "$EMPTY",
      "\\ ",
      "=",
      '"',
      "'",
      "\t",
      "\\$",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const script = `printf ${pieces.join("")}`;
        const reading = readScript(script, environment);
        if ("reason" in reading) return;
        const shown = execFileSync("sh", ["-c", `set -- ${script}; for word; do printf '%s\\0' "$word"; done`], {
          env: Object.fromEntries(environment),
          encoding: "utf8",
        });
        expect(reading.commands[0]?.words).toEqual(shown.split("\0").slice(0, -1));
      }),
      { numRuns: 150 },
    );
  });
});
