// SPDX-License-Identifier: Apache-2.0
/*
 * What `--slim` leaves out: files that no program in an image can use, by rules that docs/slim.md explains. Nothing
 * that is imported by name, loaded by a library, or read as data is in a rule.
 */
import { TareError, suggest } from "../../base/index.ts";

/** A rule of `--slim`. */
export interface SlimRule {
  readonly name: string;
  /** What goes, and why nothing misses it. */
  readonly summary: string;
  readonly leavesOut: (path: string) => boolean;
}

/** The rules, each by name. */
export const SLIM_RULES: readonly SlimRule[] = [
  {
    name: "static-libraries",
    summary: "*.a beside Python packages: only a linker reads them",
    leavesOut: (path) => /\/(?:site|dist)-packages\/.*\.a$/.test(path),
  },
  {
    name: "headers",
    summary: "C and C++ headers inside packages: only a compiler reads them",
    leavesOut: (path) => /\/(?:site|dist)-packages\/.*\/include\/.*\.(?:h|hh|hpp|hxx|cuh|inc)$/.test(path),
  },
  {
    name: "debug-symbols",
    summary: "*.pdb, *.debug, *.dSYM: only a debugger reads them",
    leavesOut: (path) => /\/(?:site|dist)-packages\/.*(?:\.pdb|\.debug|\.dSYM\/.*)$/.test(path),
  },
  {
    name: "sources",
    summary: "*.c, *.cpp, *.cu, *.pyx beside compiled modules: the compiled module is what is imported",
    leavesOut: (path) => /\/(?:site|dist)-packages\/.*\.(?:c|cc|cpp|cxx|cu|pyx)$/.test(path),
  },
  {
    name: "tests",
    summary:
      "the test suites of numpy, scipy, pandas, scikit-learn, statsmodels, matplotlib, networkx, sympy: no module imports them",
    leavesOut: (path) =>
      /\/(?:site|dist)-packages\/(?:numpy|scipy|pandas|sklearn|statsmodels|matplotlib|networkx|sympy)\/(?:.*\/)?tests\/(?:.*\/)?[^/]+$/.test(
        path,
      ),
  },
];

/** True for paths that the named rules leave out. Throws `E_USAGE` for an unknown name. */
export function slimRules(names: readonly string[]): (path: string) => boolean {
  const rules = names.map((name) => {
    const rule = SLIM_RULES.find((known) => known.name === name);
    if (rule) return rule;
    const near = suggest(
      name,
      SLIM_RULES.map((known) => known.name),
    );
    throw new TareError("E_USAGE", `choosing what --slim leaves out: there is no rule \`${name}\``, {
      hint:
        near === undefined ? `rules: ${SLIM_RULES.map((known) => known.name).join(", ")}` : `did you mean \`${near}\``,
    });
  });
  return (path) => rules.some((rule) => rule.leavesOut(path));
}
