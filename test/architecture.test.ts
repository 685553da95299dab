// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../src/base/index.ts";
import {
  REPOSITORY,
  ROOMS,
  brokenCodes,
  brokenEnvironment,
  brokenImports,
  brokenPurity,
  brokenRows,
  brokenShape,
  moduleOf,
  readModules,
  roomOf,
} from "./architecture.ts";

const modules = readModules(REPOSITORY);
const rooms = [...new Set(modules.map(({ path }) => roomOf(path)))];

describe("the rooms of src/", () => {
  it("are seen by this test", () => {
    expect(modules.length).toBeGreaterThan(100);
    expect(modules.flatMap(({ imports }) => imports).length).toBeGreaterThan(modules.length);
    expect(rooms).toContain("base");
    expect(rooms).toContain("cli");
  });

  it("stand in one order", () => {
    expect(brokenRows(ROOMS)).toEqual([]);
  });

  it("import only rooms of their row, by index.ts", () => {
    expect(brokenImports(modules)).toEqual([]);
  });

  it("do no I/O where they promise so", () => {
    expect(brokenPurity(modules)).toEqual([]);
  });

  it("leave the environment to cli", () => {
    expect(brokenEnvironment(modules)).toEqual([]);
  });

  it.each(rooms)("%s has a face and a README", (room) => {
    expect(existsSync(join(REPOSITORY, "src", room, "index.ts"))).toBe(true);
    const readme = join(REPOSITORY, "src", room, "README.md");
    expect(existsSync(readme), `src/${room}/README.md`).toBe(true);
    expect(readFileSync(readme, "utf8").split("\n").length).toBeLessThanOrEqual(81);
  });

  it.each(rooms)("%s stands in docs/ARCHITECTURE.md", (room) => {
    expect(readFileSync(join(REPOSITORY, "docs/ARCHITECTURE.md"), "utf8")).toContain(`| \`${room}/\` |`);
  });
});

describe("the packages", () => {
  it("stand in the decision about dependencies, with what they are for", () => {
    const record = readFileSync(join(REPOSITORY, "docs/decisions/0003-dependencies.md"), "utf8");
    const manifest = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")) as Record<string, object>;
    const fields = ["dependencies", "optionalDependencies", "devDependencies"];
    const names = fields.flatMap((field) => Object.keys(manifest[field] ?? {}));
    expect(names).toContain("koffi");
    expect(names.filter((name) => !record.includes(`\`${name}\``))).toEqual([]);
  });

  it("are locked without addresses of one registry", () => {
    const lock = readFileSync(join(REPOSITORY, "package-lock.json"), "utf8");
    expect(/"resolved": "https?:/.test(lock)).toBe(false);
  });
});

describe("the files of src/", () => {
  it("are short, licensed, and export by name", () => {
    expect(brokenShape(modules)).toEqual([]);
  });

  it("use the error codes of the table, and all of them", () => {
    expect(brokenCodes(modules, Object.keys(ERROR_CODES))).toEqual([]);
  });
});

describe("the rules", () => {
  it("see a room that imports one after it, in imports of every kind", () => {
    const texts = ['import { x } from "../cli/index.ts";', 'export type { X } from "../cli/index.ts";'];
    for (const text of [...texts, 'const x = await import("../cli/index.ts");']) {
      const planted = moduleOf("src/store/planted.ts", text);
      expect(brokenImports([planted])).toEqual(["src/store/planted.ts -> src/cli/index.ts: store may not import cli"]);
    }
  });

  it("see an import past a room's face, and a room of no row", () => {
    const past = moduleOf("src/store/folder/planted.ts", 'import { x } from "../../base/files.ts";');
    expect(brokenImports([past])).toEqual([
      "src/store/folder/planted.ts -> src/base/files.ts: import base by its index.ts",
    ]);
    expect(brokenImports([moduleOf("src/shed/planted.ts", "")])).toHaveLength(1);
  });

  it("see I/O in a pure room, and leave pure functions of Node alone", () => {
    const planted = moduleOf("src/graph/planted.ts", 'import * as fs from "node:fs";\nimport { x } from "koffi";');
    expect(brokenPurity([planted])).toHaveLength(2);
    expect(brokenPurity([moduleOf("src/graph/planted.ts", 'import { isIP } from "node:net";')])).toEqual([]);
    expect(brokenPurity([moduleOf("src/graph/planted.ts", 'import { isIP, connect } from "node:net";')])).toHaveLength(
      1,
    );
  });

  it("see a wrong row, a long file, a read of the environment, and a code that is not in the table", () => {
    expect(brokenRows({ a: ["b"], b: [] })).toEqual(["a may not import b"]);
    expect(brokenShape([moduleOf("src/base/planted.ts", "\n".repeat(500).concat("x"))])).toHaveLength(2);
    expect(brokenEnvironment([moduleOf("src/store/planted.ts", "process.env['X']")])).toHaveLength(1);
    const planted = moduleOf("src/base/planted.ts", 'throw new TareError("E_PLANTED", "x")');
    expect(brokenCodes([planted], ["E_IDLE"])).toHaveLength(2);
  });
});
