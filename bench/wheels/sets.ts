// SPDX-License-Identifier: Apache-2.0
/** The sets of distributions that are installed: whole closures, pinned, for Python 3.11 on Linux x86-64. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A requirement with its version. */
export interface Pin {
  readonly name: string;
  readonly version: string;
}

/** What a project installs, and what is asked of it. */
export interface WheelSet {
  readonly name: string;
  readonly title: string;
  readonly pins: readonly Pin[];
  /** The pin that is changed, as it becomes. */
  readonly changed: Pin;
  /** Other versions of some pins, for the similar projects. */
  readonly variants: readonly Pin[];
  /** Modules whose import is timed. */
  readonly imports: readonly string[];
  /** Free bytes that stores and caches may need. */
  readonly space: number;
  /** What the reader must know. */
  readonly note?: string;
}

interface Definition extends Omit<WheelSet, "name" | "pins" | "changed" | "variants"> {
  /** Names whose other versions make similar projects. */
  readonly varied: readonly string[];
}

const DEFINITIONS: Readonly<Record<string, Definition>> = {
  sklearn: {
    title: "scikit-learn API: numpy, scipy, scikit-learn, pandas, pyarrow, matplotlib, fastapi, uvicorn",
    imports: ["sklearn", "pandas", "fastapi"],
    varied: ["numpy", "pandas", "scikit-learn", "fastapi", "uvicorn", "pillow", "matplotlib"],
    space: 12e9,
  },
  torch: {
    title: "torch + transformers + scikit-learn + pandas + fastapi",
    imports: ["transformers", "sklearn", "pandas"],
    varied: ["numpy", "pandas", "scikit-learn", "scipy", "fastapi", "uvicorn"],
    space: 40e9,
    note: "torch is the CUDA build's wheel without its nvidia-* dependencies: indexes of CPU builds are not package registries that every machine reaches. It is installed and not imported.",
  },
  cuda: {
    title: "torch with its CUDA libraries (nvidia-*), transformers, scikit-learn, pandas, fastapi",
    imports: ["torch"],
    varied: ["numpy", "pandas", "scikit-learn", "scipy", "fastapi", "uvicorn"],
    space: 90e9,
  },
};

/** Names of the sets. */
export const SET_NAMES: readonly string[] = Object.keys(DEFINITIONS);

const CHANGED = "numpy";

/** A set by name; undefined when there is none. */
export function wheelSet(name: string): WheelSet | undefined {
  const definition = DEFINITIONS[name];
  if (!definition) return undefined;
  const { varied, ...rest } = definition;
  const others = readPins("variants");
  const changed = others.find((pin) => pin.name === CHANGED);
  if (!changed) throw new Error(`sets/variants.txt has no ${CHANGED}`);
  return { name, ...rest, pins: readPins(name), changed, variants: others.filter((pin) => varied.includes(pin.name)) };
}

function readPins(name: string): readonly Pin[] {
  const lines = readFileSync(join(import.meta.dirname, "sets", `${name}.txt`), "utf8").split("\n");
  return lines.flatMap((line) => {
    const [, pinned, version] = /^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)$/.exec(line) ?? [];
    return pinned === undefined || version === undefined ? [] : [{ name: pinned, version }];
  });
}

/** The pins with those of `others` in their place. */
export function withPins(pins: readonly Pin[], others: readonly Pin[]): readonly Pin[] {
  return pins.map((pin) => others.find(({ name }) => name === pin.name) ?? pin);
}
