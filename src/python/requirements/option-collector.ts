// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import type { LineOption } from "./file-options.ts";
import { isUrl } from "./location.ts";
import { normalizeName } from "./names.ts";
import { GrammarProblem } from "./problem.ts";
import type { RequirementsOptions, RequirementsReader } from "./types.ts";

/** Gathers options that stand on lines of their own, with pip's rules on which wins. */
export class OptionCollector {
  readonly #reader: RequirementsReader;
  readonly #noBinary = new Set<string>();
  readonly #onlyBinary = new Set<string>();
  readonly #flags = new Set<string>();
  readonly #lists: Record<"extra-index-url" | "find-links" | "trusted-host" | "use-feature", string[]> = {
    "extra-index-url": [],
    "find-links": [],
    "trusted-host": [],
    "use-feature": [],
  };
  #indexUrl: string | undefined;

  constructor(reader: RequirementsReader) {
    this.#reader = reader;
  }

  /** Takes one option of a line in a file of `folder`. Throws `GrammarProblem`. */
  add(option: LineOption, folder: string): void {
    switch (option.kind) {
      case "index-url":
        this.#setIndex(option.value);
        break;
      case "extra-index-url":
        if (!this.#flags.has("no-index")) this.#lists["extra-index-url"].push(option.value);
        break;
      case "no-index":
        this.#setNoIndex();
        break;
      case "find-links":
        this.#lists["find-links"].push(this.#linkPlace(option.value, folder));
        break;
      case "no-binary":
        control(option, this.#noBinary, this.#onlyBinary);
        break;
      case "only-binary":
        control(option, this.#onlyBinary, this.#noBinary);
        break;
      case "trusted-host":
      case "use-feature":
        this.#lists[option.kind].push(option.value);
        break;
      default:
        this.#flags.add(option.kind);
    }
  }

  /** All options. */
  result(): RequirementsOptions {
    const unique = (values: Iterable<string>): readonly string[] => [...new Set(values)];
    return {
      ...(this.#indexUrl === undefined ? {} : { indexUrl: this.#indexUrl }),
      extraIndexUrls: unique(this.#lists["extra-index-url"]),
      noIndex: this.#flags.has("no-index"),
      findLinks: unique(this.#lists["find-links"]),
      noBinary: [...this.#noBinary].toSorted(),
      onlyBinary: [...this.#onlyBinary].toSorted(),
      preferBinary: this.#flags.has("prefer-binary"),
      requireHashes: this.#flags.has("require-hashes"),
      pre: this.#flags.has("pre"),
      trustedHosts: unique(this.#lists["trusted-host"]),
      useFeatures: unique(this.#lists["use-feature"]),
    };
  }

  /** An index replaces those named before it, extra ones too; `--no-index` wins over all. */
  #setIndex(url: string): void {
    if (this.#flags.has("no-index")) return;
    this.#indexUrl = url;
    this.#lists["extra-index-url"] = [];
  }

  #setNoIndex(): void {
    this.#flags.add("no-index");
    this.#indexUrl = undefined;
    this.#lists["extra-index-url"] = [];
  }

  /** A path that exists beside the file is that; another is relative to the working directory. */
  #linkPlace(value: string, folder: string): string {
    if (isUrl(value)) return value;
    const { kind, cwd } = this.#reader;
    const beside = posix.resolve(folder, value);
    if (kind === undefined || kind(beside) !== undefined) return beside;
    return posix.resolve(cwd, value);
  }
}

/** `--no-binary` and `--only-binary`: `:all:` replaces, `:none:` clears, a name leaves the other list. */
function control(option: LineOption, target: Set<string>, other: Set<string>): void {
  if (option.value.startsWith("-")) throw new GrammarProblem(`option \`--${option.kind}\` needs a value`);
  const names = option.value.split(",");
  const all = names.lastIndexOf(":all:");
  if (all >= 0) {
    other.clear();
    target.clear();
    target.add(":all:");
    // Names behind `:all:` say nothing new, unless `:none:` takes it back.
    if (!names.includes(":none:", all)) return;
  }
  for (const name of names.slice(all + 1)) {
    if (name === ":none:") target.clear();
    else if (name !== "") {
      other.delete(normalizeName(name));
      target.add(normalizeName(name));
    }
  }
}
