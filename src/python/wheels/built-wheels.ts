// SPDX-License-Identifier: Apache-2.0
/*
 * Wheels that were built here from sources. The wheel itself is a blob as any other; a document says what it was built
 * from, so that it is built once and can be handed to others (`tare wheels`).
 */
import { digestOfValue } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { DocumentStore, Store } from "../../store/index.ts";
import type { PythonTarget } from "../types.ts";

/** What decides a built wheel. The base's other files do not count: what matters of it is in the target. */
export interface BuildInput {
  /** Identity of the sources: `sha256:…` of an archive or of a folder's files, `git:<commit>`. */
  readonly source: string;
  /** Folder of the project inside the sources. */
  readonly subdirectory?: string;
  readonly target: PythonTarget;
  /** Debian packages that the build could use. */
  readonly packages: readonly string[];
}

/** A wheel that was built from sources: a document of kind `built-wheel`, by its `builtWheelKey`. */
export interface BuiltWheel {
  readonly key: Digest;
  readonly fileName: string;
  /** sha256 of the wheel: a blob of the store, unless prune removed it. */
  readonly digest: Digest;
  readonly size: number;
  /** Normalised. */
  readonly name: string;
  readonly version: string;
  /** As in `BuildInput`. */
  readonly source: string;
  /** `3.11`. */
  readonly python: string;
  /** `linux/amd64`. */
  readonly platform: string;
  /** How long the build took. */
  readonly seconds: number;
}

const BUILT = "built-wheel";
/** Raise it when the same sources may give another wheel than before. */
const METHOD = 1;

/** The key of a wheel: equal keys are built to wheels that can stand for each other. */
export function builtWheelKey({ source, subdirectory = "", target, packages }: BuildInput): Digest {
  const python = minorOf(target);
  const { implementation, architecture, libc, isFreeThreaded = false } = target;
  return digestOfValue({
    method: METHOD,
    source,
    subdirectory,
    target: { implementation, python, architecture, libc, isFreeThreaded },
    packages: [...packages].sort(),
  });
}

/** `3.11`. */
function minorOf({ version }: PythonTarget): string {
  return version.split(".").slice(0, 2).join(".");
}

/** The documents of built wheels. */
export function builtWheels(store: Store): DocumentStore<BuiltWheel> {
  return store.documents<BuiltWheel>(BUILT);
}
