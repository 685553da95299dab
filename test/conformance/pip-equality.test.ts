// SPDX-License-Identifier: Apache-2.0
/*
 * Tare installs what pip installs: the same names, types, modes, owners, contents and links, but for the files that
 * docs/differences.md lists. Real wheels alone and in sets, and made ones that use every freedom of the format; through
 * `RUN pip install` and through the build of a project, on the same base with its own pip. Needs root and, once, the
 * network: the base's packages and 870 MB of wheels.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findInterpreter, installWheels } from "../../src/python/index.ts";
import { whyNoBusybox } from "../support/bases.ts";
import { MADE, SETS } from "../support/pip-cases.ts";
import type { RequirementSet } from "../support/pip-cases.ts";
import { DIFFERENCES, compareWithPip, documentedDifferences } from "../support/pip-differences.ts";
import type { Comparison } from "../support/pip-differences.ts";
import { openPipWorld } from "../support/pip-world.ts";
import type { Built, PipWorld } from "../support/pip-world.ts";
import { whyNoPythonBase } from "../support/python-base.ts";
import { folderTree } from "../support/tree.ts";
import { makeWheel } from "../support/wheel-fixture.ts";
import { TEST_WHEELS, fetchWheels, whyNoWheels } from "../support/wheels.ts";

const reason = whyNoBusybox() ?? whyNoPythonBase() ?? whyNoWheels();
if (reason !== undefined) console.log(`skipped: the same result as pip: ${reason}`);

let world: PipWorld;
let paths: readonly string[] = [];
let made: readonly string[] = [];
const met = new Set<string>();

async function open(): Promise<void> {
  paths = await fetchWheels(TEST_WHEELS);
  const folder = fs.mkdtempSync(join(tmpdir(), "made-"));
  made = MADE.map((fixture) => {
    const { fileName, bytes } = makeWheel(fixture);
    fs.writeFileSync(join(folder, fileName), bytes);
    return join(folder, fileName);
  });
  world = await openPipWorld("pip", [...paths, ...made]);
}

function check({ unexplained, met: permitted, files }: Comparison): void {
  for (const name of permitted) met.add(name);
  expect(unexplained).toEqual([]);
  expect(files).toBeGreaterThan(3);
}

describe.skipIf(reason !== undefined)("the same result as pip", () => {
  beforeAll(open);
  afterAll(() => world.close());

  it("of each wheel alone", async () => {
    const tree = await installedAlone();
    const target = findInterpreter(tree, { env: [], architecture: "amd64" });
    const settings = { scheme: target.scheme, executable: target.executable, python: target.version, slim: [] };
    const wrong: string[] = [];
    for (const [at, { fileName }] of TEST_WHEELS.entries()) {
      const ours = join(world.folder, "ours");
      fs.mkdirSync(ours);
      await installWheels([{ file: paths[at] ?? "", fileName, isRequested: true }], ours, settings);
      const theirs = tree.lookup(`out/${fileName}`)?.hostPath ?? "";
      const { unexplained } = compareWithPip(folderTree(theirs), folderTree(ours));
      wrong.push(...unexplained.map((line) => `${fileName}: ${line}`));
      fs.rmSync(ours, { recursive: true });
    }
    expect(wrong).toEqual([]);
  });

  it.each(SETS)("of $name", async (set) => {
    const theirs = await byPip(set);
    const memo = { memo: world.memo };
    check(compareWithPip(theirs.tree, (await byRun(set)).tree, memo));
    const project = compareWithPip(theirs.tree, (await byProject(set)).tree, { ...memo, below: "usr" });
    check(project);
  });

  it("of wheels that use every freedom of the format", async () => {
    const set = { name: "made", requirements: MADE.map(({ name = "" }) => name), imports: [], programs: [] };
    const theirs = await byPip(set);
    check(compareWithPip(theirs.tree, (await byRun(set)).tree));
    check(compareWithPip(theirs.tree, (await byProject(set)).tree, { below: "usr" }));
  });

  it("differs only in what docs/differences.md lists", () => {
    expect(documentedDifferences()).toEqual(DIFFERENCES.map(({ name }) => name));
  });
});

/** All wheels, each below a root of its own. */
async function installedAlone(): Promise<Built["tree"]> {
  const options = "-q --no-cache-dir --no-deps --no-compile --ignore-installed --no-warn-script-location";
  const files = {
    list: TEST_WHEELS.map(({ name, version, fileName }) => `${name}==${version} ${fileName}\n`).join(""),
    one: `set -e; pip install ${options} --root-user-action=ignore --root /out/"$2" "$1"\n`,
    Dockerfile: `FROM python:3.11-slim\nARG PIP_INDEX_URL\nCOPY list one /\nRUN xargs -P 2 -n 2 sh /one </list\n`,
  };
  return (await world.build("alone", files, { accelerate: false })).tree;
}

function idOf({ name }: RequirementSet): string {
  return name.replaceAll(" ", "-");
}

function dockerfile({ requirements }: RequirementSet, options: string): string {
  const words = requirements.map((word) => `'${word}'`).join(" ");
  return `FROM python:3.11-slim\nARG PIP_INDEX_URL\nRUN pip install ${options} ${words}\n`;
}

function byPip(set: RequirementSet): Promise<Built> {
  const file = dockerfile(set, "--no-cache-dir --no-compile");
  return world.build(`${idOf(set)}-pip`, { Dockerfile: file }, { accelerate: false });
}

async function byRun(set: RequirementSet): Promise<Built> {
  const built = await world.build(idOf(set), { Dockerfile: dockerfile(set, "--no-cache-dir --no-compile") });
  expect(built.log).toMatch(/tare: installed \d+ wheels/);
  return built;
}

function byProject(set: RequirementSet): Promise<Built> {
  const files = { "requirements.txt": `${set.requirements.join("\n")}\n`, "main.py": "print('main')\n" };
  return world.build(`${idOf(set)}-project`, files, { python: { bytecode: "none" }, buildArgs: {} });
}
