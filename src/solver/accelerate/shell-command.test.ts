// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { readScript } from "./shell-command.ts";

const environment = new Map([
  ["VERSION", "2.3.5"],
  ["FLAGS", "--no-cache-dir -q"],
  ["EMPTY", ""],
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
    ["pip install *.whl", "a wildcard"],
    ["pip install $(cat x)", "a substitution"],
    ["pip install ${X:-y}", "a substitution"],
    ["pip install a; rm b", "several commands joined by `;`"],
    ["pip install a || true", "a pipe or `||`"],
    ["pip install a &", "a background command"],
    ["pip install ~/x.whl", "a home directory"],
    ["pip install 'a", "an unclosed quote"],
    ["pip install a\npip install b", "several lines"],
    ["# nothing", "a comment"],
    ["", "an empty command"],
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
