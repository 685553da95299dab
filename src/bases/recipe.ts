// SPDX-License-Identifier: Apache-2.0
import { TareError, suggest } from "../base/index.ts";
import type { Suite } from "./suites.ts";
import { SUITES, findSuite, suitesWithPython } from "./suites.ts";

/** What a base is made of. */
export interface Recipe {
  /** As in official images: `python:3.11-slim`. */
  readonly name: string;
  readonly suite: Suite;
  /** `major.minor` when the base is one for Python. */
  readonly python?: string;
  /** Without documentation, manual pages and translations. */
  readonly slim: boolean;
  /** Packages besides the minimal system. */
  readonly packages: readonly string[];
}

/** Choices that overrule a recipe's name. */
export interface RecipeOptions {
  readonly suite?: string;
  readonly packages?: readonly string[];
}

const PACKAGE = /^[a-z0-9][a-z0-9+.-]*(?::[a-z0-9]+)?(?:=[A-Za-z0-9.+:~-]+)?$/;
const PYTHON_PACKAGES = ["ca-certificates", "netbase", "python3", "python3-venv", "tzdata"];
/** What the official images without `-slim` are used for: building packages. */
const PYTHON_FULL_PACKAGES = ["build-essential", "curl", "git", "pkg-config", "python3-dev"];

/** Parses `debian:bookworm-slim`, `ubuntu:24.04`, `python:3.11-slim-bookworm` … Throws `E_BASE_UNKNOWN`, `E_USAGE`. */
export function parseRecipe(text: string, options: RecipeOptions = {}): Recipe {
  const [family = "", tag = "latest"] = text.replace(/^docker\.io\/library\//, "").split(":");
  const recipe = recipeOf(family, tag, options.suite) ?? unknownRecipe(text);
  const extra = (options.packages ?? []).flatMap((list) => list.split(/[\s,]+/)).filter((name) => name !== "");
  const bad = extra.find((name) => !PACKAGE.test(name));
  if (bad !== undefined) {
    throw new TareError("E_USAGE", `choosing packages for \`${text}\`: \`${bad}\` is not a package name`);
  }
  return { ...recipe, packages: [...new Set([...recipe.packages, ...extra])].sort() };
}

function recipeOf(family: string, tag: string, suiteOption: string | undefined): Recipe | undefined {
  const words = tag.split("-").filter((word) => word !== "slim");
  const slim = words.length < tag.split("-").length;
  const name = `${family}:${tag}`;
  if (family === "python") return pythonRecipe(name, words, slim, suiteOption);
  if (family !== "debian" && family !== "ubuntu") return undefined;
  const suite = findSuite(family, suiteOption ?? words[0] ?? "latest");
  if (!suite || words.length > 1) return undefined;
  return { name, suite, slim: slim || family === "ubuntu", packages: [] };
}

function pythonRecipe(
  name: string,
  words: readonly string[],
  slim: boolean,
  suiteOption: string | undefined,
): Recipe | undefined {
  const version = words.find((word) => /^\d+(\.\d+)*$/.test(word)) ?? "3";
  const suiteName = suiteOption ?? words.find((word) => !/^\d|^latest$/.test(word));
  const named = suiteName === undefined ? undefined : findSuite(undefined, suiteName);
  if (suiteName !== undefined && !named) return undefined;
  const suite = named ?? (version === "3" ? findSuite("debian", "stable") : suitesWithPython(version)[0]);
  if (!suite?.python || (version !== "3" && suite.python !== version)) return noSuchPython(name, version, suite);
  const packages = slim ? PYTHON_PACKAGES : [...PYTHON_PACKAGES, ...PYTHON_FULL_PACKAGES];
  return { name, suite, python: suite.python, slim, packages };
}

function noSuchPython(name: string, version: string, suite: Suite | undefined): never {
  const where = suite ? `${suite.name} has Python ${suite.python ?? "of no fixed version"}` : "no release has it";
  const list = SUITES.flatMap((entry) => (entry.python ? [`${entry.python} (${entry.name})`] : []));
  throw new TareError("E_BASE_UNKNOWN", `assembling \`${name}\`: Python ${version} is not available: ${where}`, {
    hint: `available from signed packages: ${list.join(", ")}; other versions can be pulled from a registry`,
  });
}

function unknownRecipe(text: string): never {
  const names = recipeNames().map((entry) => entry.name);
  const near = suggest(text, names);
  throw new TareError("E_BASE_UNKNOWN", `assembling \`${text}\`: no such base`, {
    hint: near === undefined ? `known: ${names.join(", ")}` : `did you mean \`${near}\``,
  });
}

/** The bases that can be assembled, with one line each. */
export function recipeNames(): readonly { readonly name: string; readonly summary: string }[] {
  return SUITES.flatMap((suite) => {
    const tag = suite.distribution === "ubuntu" ? (suite.aliases[0] ?? suite.name) : `${suite.name}-slim`;
    const system = { name: `${suite.distribution}:${tag}`, summary: `minimal ${suite.distribution} ${suite.name}` };
    if (suite.python === undefined) return [system];
    const name = `python:${suite.python}-slim`;
    return [system, { name, summary: `Python ${suite.python} with pip and venv on ${suite.name}` }];
  });
}
