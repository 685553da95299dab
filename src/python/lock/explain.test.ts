// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { explain, explainFailure } from "./explain.ts";
import { proofOf } from "./proof.ts";
import type { ProofSource } from "./proof.ts";

/** What uv 0.13.9 said, each of a real failure; paths and ports of the machine were taken out. */
const FOLDER = join(import.meta.dirname, "testdata/failures");
const EXPECTED = join(FOLDER, "expected.json");

const SOURCES: Readonly<Record<string, ProofSource>> = {
  "project-pin": { files: ["pyproject.toml"], project: "my-app" },
  "project-extra": { files: ["pyproject.toml"], project: "my_app" },
  "requires-python": { files: ["pyproject.toml"], project: "x" },
};

const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".txt"))
  .map((name) => basename(name, ".txt"))
  .toSorted();

function textOf(name: string): string {
  return readFileSync(join(FOLDER, `${name}.txt`), "utf8");
}

const explained = Object.fromEntries(
  names.map((name) => [name, explain(textOf(name), SOURCES[name] ?? { files: ["requirements.txt"] })]),
);
if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(EXPECTED, `${JSON.stringify(explained, undefined, 2)}\n`);

describe("what uv says", () => {
  const expected = JSON.parse(readFileSync(EXPECTED, "utf8")) as Readonly<Record<string, unknown>>;

  it.each(names)("is explained: %s", (name) => {
    expect(explained[name]).toEqual(expected[name]);
  });

  it("is explained without paths, URLs with passwords or uv's own words for every kind", () => {
    for (const { message, hint } of Object.values(explained)) {
      expect(message).toMatch(/^resolving: /);
      expect(`${message} ${hint}`).not.toMatch(/we can conclude|unsatisfiable|cause:|\.$/);
      expect(hint.length).toBeGreaterThan(10);
    }
  });

  it("stays with the error, for those who want to see it", () => {
    const error = explainFailure(textOf("own-pin"), { files: ["/project/requirements.txt"] });
    expect(error.code).toBe("E_RESOLVE");
    expect(error.details["output"]).toContain("we can conclude");
  });

  it("is told in part when it is of an unknown kind", () => {
    expect(explain("error: something new\n  cause: inner\n  cause: innermost\n", { files: [] })).toMatchObject({
      code: "E_RESOLVE",
      message: "resolving: something new: innermost",
    });
    expect(explain("", { files: [] }).message).toBe("resolving: uv failed without a word");
  });

  it("is read in time that grows with its length alone", () => {
    const line = "Because pandas>=2.2.3 depends on numpy>=1.23.2 and you require numpy<1.20, we can conclude that x. ";
    const began = performance.now();
    proofOf(`No solution found ${line.repeat(5000)}${"a,".repeat(50_000)}`, { files: [] });
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
