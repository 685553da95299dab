// SPDX-License-Identifier: Apache-2.0

/** Something that was decided, and why. */
export interface Decision<T> {
  readonly value: T;
  /** Completes a sentence: `from .python-version`. */
  readonly reason: string;
}

/** Where a project's dependencies are written. Paths are relative to its folder. */
export interface Dependencies {
  /**
   * `lock` needs no resolving; `pins` are complete but name no files; the others are resolved: `lines` are requirements
   * that stand in another notation.
   */
  readonly kind: "lock" | "pins" | "lines" | "requirements" | "pyproject" | "none";
  readonly files: readonly string[];
  readonly reason: string;
  /** Normalised names that the user asks for by himself. */
  readonly requested: readonly string[];
  /** The project itself is among them (`-e .`). */
  readonly hasItself?: boolean;
  /** For `pins` and `lines`: requirements, one a line. */
  readonly pins?: readonly string[];
}

/** How a folder that is a package gets into an image. `folder` is relative to the project, empty for itself. */
export type OwnPackage =
  | {
      readonly kind: "in-place";
      readonly folder: string;
      /** As written. */
      readonly name: string;
      /** Normalised. */
      readonly version: string;
      /** Folders for the path, relative to the package. */
      readonly roots: readonly string[];
      /** Names of the programs that it installs. */
      readonly scripts: readonly string[];
      /** Its .dist-info, by file name. */
      readonly files: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "build";
      readonly folder: string;
      readonly name: string;
      readonly scripts: readonly string[];
      /** Why it can't be used as it lies. */
      readonly reason: string;
    };

/** `[tool.tare]` of pyproject.toml, or tare.toml, checked. */
export interface TareConfig {
  readonly base?: string;
  readonly python?: string;
  /** Debian packages. */
  readonly packages: readonly string[];
  /** Debian packages for builds of wheels alone, in no image. */
  readonly buildPackages: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly expose: readonly string[];
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly extras: readonly string[];
  readonly groups: readonly string[];
  readonly accelerator?: string;
  readonly layers?: number;
  readonly bytecode?: "imported" | "all" | "none";
  readonly slim?: readonly string[];
  readonly gpu?: GpuConfig;
  /** Whether the project itself is installed; absent: when it is a package. */
  readonly isPackage?: boolean;
}

/** `[tool.tare.gpu]`. */
export interface GpuConfig {
  /** Machines that the project shall run on, by the names that the user gives them: `driver=535,sm=70`. */
  readonly targets: Readonly<Record<string, string>>;
  /** What a build does where its packages can't run on one of them; absent: warn. */
  readonly check?: "error" | "warn" | "off";
}

/** What a source tree is, as far as its files tell; nothing of it was run. */
export interface Project {
  readonly name: string;
  /** `3.11`, or undefined when nothing says. */
  readonly python: Decision<string> | undefined;
  /** `requires-python`, when `python` is not told exactly. */
  readonly requiresPython: string | undefined;
  readonly dependencies: Dependencies;
  /** The project itself, when it is a package. */
  readonly own: OwnPackage | undefined;
  /** What a lock is made from: `dependencies`, or what stands behind its lock. */
  readonly inputs: Dependencies;
  /** Folders for PYTHONPATH, relative to the project. */
  readonly sourceRoots: readonly string[];
  readonly config: TareConfig;
}

/** How a project's files are read. Paths are relative to its folder, with `/`. */
export interface ProjectReader {
  read(path: string): string | undefined;
  isFolder(path: string): boolean;
  /** Names in a folder (`""` is the project's), sorted. */
  list(path: string): readonly string[];
}
