// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../../base/index.ts";
import type { PythonTarget } from "../types.ts";

/** What is to be resolved. */
export interface ResolveRequest {
  /** Absolute path of the project: relative paths in requirements start here. */
  readonly folder: string;
  /** Absolute paths of requirements files, or of one pyproject.toml. */
  readonly files: readonly string[];
  readonly constraints?: readonly string[];
  /** Extras and groups of pyproject.toml. */
  readonly extras?: readonly string[];
  readonly groups?: readonly string[];
  readonly target: PythonTarget;
  /** `cpu`, `cu126`, `rocm6.3` …: which builds of torch and its kin; decided already, never `auto`. */
  readonly accelerator?: string;
  /** For every platform and Python from the target's on. */
  readonly isUniversal?: boolean;
  /** Take the files as complete: nothing more is needed. */
  readonly noDependencies?: boolean;
  /** A lock whose versions are kept where they still fit. */
  readonly previous?: string;
  /** Names to move to their newest versions; `true` for all. */
  readonly upgrade?: true | readonly string[];
  /** Asks again although the answer is known. */
  readonly refresh?: boolean;
  /** Runs uv where sources can be built, when they must be to know what they need. Absent: that is an error. */
  readonly runIsolated?: IsolatedUv;
}

/** uv with a real interpreter; gives the lock that it wrote. */
export type IsolatedUv = (run: {
  /** Besides `--python` and `--output-file`. */
  readonly args: readonly string[];
  /** Absolute paths of files that it reads besides those of the folder. */
  readonly files: readonly string[];
  readonly request: ResolveRequest;
}) => Promise<{ readonly pylock: string; /** That paths in it are relative to. */ readonly folder: string }>;

/** A resolved set. */
export interface Resolution {
  /** A lock in the format of PEP 751; paths in it are relative to `folder`. */
  readonly pylock: string;
  readonly isFromCache: boolean;
  /** Identifies what was asked: equal questions have equal keys. */
  readonly key: Digest;
  /** What uv warned of, one sentence each; nothing for an answer from the cache. */
  readonly warnings: readonly string[];
}
