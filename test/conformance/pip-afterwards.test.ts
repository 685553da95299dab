// SPDX-License-Identifier: Apache-2.0
/*
 * What Tare installed is used as if pip had installed it: every module can be imported, programs run, and pip itself
 * checks, lists, upgrades and uninstalls it, and leaves what it leaves of its own.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { SETS } from "../support/pip-cases.ts";
import type { RequirementSet } from "../support/pip-cases.ts";
import { compareWithPip } from "../support/pip-differences.ts";
import { openPipWorld } from "../support/pip-world.ts";
import type { Built, PipWorld } from "../support/pip-world.ts";
import { whyNoPythonBase } from "../support/python-base.ts";
import { TEST_WHEELS, fetchWheels, whyNoWheels } from "../support/wheels.ts";

const reason = whyNoBusybox() ?? whyNoPythonBase() ?? whyNoWheels();
if (reason !== undefined) console.log(`skipped: after an installation by Tare: ${reason}`);

let world: PipWorld;

async function open(): Promise<void> {
  // The wheel over 500 MB can't be imported without a GPU's libraries.
  world = await openPipWorld("after", await fetchWheels(TEST_WHEELS.filter(({ size }) => size < 500e6)));
}

/** Imports the top-level modules of every distribution; prints what fails, and how many did not. */
const IMPORT_ALL = `import importlib, importlib.metadata as metadata, re, sys, warnings
warnings.simplefilter("ignore")
names, good = set(), 0
for found in metadata.distributions():
    for file in found.files or ():
        first = re.sub(r"\\.(py|so|.*-linux-gnu\\.so|abi3\\.so)$", "", file.parts[0])
        if first.isidentifier() and not first.startswith("_") and str(file).endswith((".py", ".so")):
            names.add(first)
for name in sorted(names):
    try:
        importlib.import_module(name)
        good += 1
    except BaseException as error:
        print("FAILED", name, type(error).__name__)
print("IMPORTED", good)
`;

function dockerfile({ requirements, imports, programs }: RequirementSet): string {
  const words = requirements.map((word) => `'${word}'`).join(" ");
  return [
    "FROM python:3.11-slim",
    "ARG PIP_INDEX_URL",
    `RUN pip install ${words}`,
    "RUN pip check && pip list",
    `RUN python -c 'import ${imports.join(", ")}'`,
    "COPY all.py /",
    "RUN python /all.py",
    ...programs.map((program) => `RUN ${program} >/dev/null || echo 'FAILED ${program}'`),
    "",
  ].join("\n");
}

function build(set: RequirementSet, name: string, accelerate: boolean): Promise<Built> {
  const files = { Dockerfile: dockerfile(set), "all.py": IMPORT_ALL };
  return world.build(`${name}-${set.name.replaceAll(" ", "-")}`, files, { accelerate });
}

function failures({ log }: Built): readonly string[] {
  return log.split("\n").filter((line) => line.startsWith("FAILED "));
}

describe.skipIf(reason !== undefined)("after an installation by Tare", () => {
  beforeAll(open);
  afterAll(() => world.close());

  it.each(SETS)("pip agrees, modules are imported and programs run: $name", async (set) => {
    const ours = await build(set, "ours", true);
    expect(ours.log).toMatch(/tare: installed \d+ wheels/);
    expect(ours.log).toContain("No broken requirements found.");
    expect(Number(/^IMPORTED (\d+)$/m.exec(ours.log)?.[1])).toBeGreaterThan(set.requirements.length);
    // What can't be imported or run here can't be either where pip installed it.
    if (failures(ours).length > 0) expect(failures(ours)).toEqual(failures(await build(set, "theirs", false)));
  });

  it("pip uninstalls and upgrades as it does its own", async () => {
    const steps = [
      "FROM python:3.11-slim",
      "ARG PIP_INDEX_URL",
      "RUN pip install --no-cache-dir jmespath idna==3.10 docutils pybind11-global greenlet protobuf==3.20.3 aenum",
      "RUN pip uninstall -y jmespath docutils pybind11-global greenlet aenum && find / -xdev -name __pycache__ -path '*pip*' -prune -exec rm -r {} +",
      "RUN pip install --no-cache-dir --upgrade idna protobuf && find / -xdev -name __pycache__ -path '*pip*' -prune -exec rm -r {} +",
    ];
    const Dockerfile = `${steps.join("\n")}\n`;
    const theirs = await world.build("uninstall-theirs", { Dockerfile }, { accelerate: false });
    const ours = await world.build("uninstall-ours", { Dockerfile }, { python: { bytecode: "all" } });
    expect(ours.log).toMatch(/Successfully uninstalled/);
    expect(compareWithPip(theirs.tree, ours.tree, { memo: world.memo }).unexplained).toEqual([]);
    expect(ours.tree.lookup("usr/local/bin/jp.py")).toBeUndefined();
  });
});
