// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { recipeNames } from "../bases/index.ts";
import { matchesSpecifier } from "../python/index.ts";
import type { Decision, Project } from "../project/index.ts";

/** What is taken when nothing says: its base is small, and nearly every wheel is built for it. */
const USUAL = "3.11";

/** The base of a project: its own choice, or the slim image of the Python that it wants. */
export function chooseBase(project: Project, asked?: string): Decision<string> {
  const { config, python, requiresPython } = project;
  if (config.base !== undefined) return { value: config.base, reason: "from [tool.tare]" };
  const version = asked === undefined ? (python ?? fitting(requiresPython)) : { value: asked, reason: "from --python" };
  return { value: `python:${version.value}-slim`, reason: version.reason };
}

/** The usual version when it satisfies `requires-python`, else the newest that can be assembled and does. */
function fitting(requiresPython: string | undefined): Decision<string> {
  if (requiresPython === undefined) return { value: USUAL, reason: "nothing asks for another" };
  const versions = recipeNames().flatMap(({ name }) => /^python:(3\.\d+)-slim$/.exec(name)?.[1] ?? []);
  const order = [USUAL, ...versions.toSorted((a, b) => Number(b.slice(2)) - Number(a.slice(2)))];
  const found = order.find(
    (version) => matchesSpecifier(`${version}.99`, requiresPython) || matchesSpecifier(`${version}.0`, requiresPython),
  );
  if (found !== undefined) return { value: found, reason: `fits requires-python ${requiresPython}` };
  throw new TareError(
    "E_PYTHON_NOTFOUND",
    `choosing a Python: none of ${versions.join(", ")} satisfies requires-python \`${requiresPython}\``,
    {
      hint: "name a base that has it: `base` in [tool.tare]",
    },
  );
}
