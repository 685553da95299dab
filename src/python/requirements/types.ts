// SPDX-License-Identifier: Apache-2.0
/** What requirements, markers and project files say, as data. */

/** Names of marker variables (dependency specifiers; PEP 751 adds the last two). */
export type MarkerVariable =
  | "python_version"
  | "python_full_version"
  | "os_name"
  | "sys_platform"
  | "platform_release"
  | "platform_system"
  | "platform_version"
  | "platform_machine"
  | "platform_python_implementation"
  | "implementation_name"
  | "implementation_version"
  | "extra"
  | "extras"
  | "dependency_groups";

/** Operators of markers. */
export type MarkerOperator = "===" | "==" | "~=" | "!=" | "<=" | ">=" | "<" | ">" | "in" | "not in";

/** One side of a comparison: a variable, or a quoted string. */
export type MarkerOperand =
  | { readonly kind: "variable"; readonly name: MarkerVariable }
  | { readonly kind: "string"; readonly value: string };

/** An environment marker as a tree. `and` and `or` have two parts or more. */
export type Marker =
  | {
      readonly kind: "compare";
      readonly left: MarkerOperand;
      readonly operator: MarkerOperator;
      readonly right: MarkerOperand;
    }
  | { readonly kind: "and" | "or"; readonly parts: readonly Marker[] };

/** The values of marker variables for one interpreter. */
export interface MarkerEnvironment {
  /** `3.11`. */
  readonly python_version: string;
  /** `3.11.2`. */
  readonly python_full_version: string;
  readonly os_name: string;
  readonly sys_platform: string;
  readonly platform_machine: string;
  readonly platform_python_implementation: string;
  readonly platform_release: string;
  readonly platform_system: string;
  readonly platform_version: string;
  readonly implementation_name: string;
  readonly implementation_version: string;
  /** The extra in whose name a dependency is looked at; absent means none (`extra == "x"` is false). */
  readonly extra?: string;
  /** PEP 751: extras asked for. */
  readonly extras?: readonly string[];
  /** PEP 751: dependency groups asked for. */
  readonly dependency_groups?: readonly string[];
}

/** A dependency specifier (PEP 508). */
export interface Requirement {
  /** Normalised (PEP 503). */
  readonly name: string;
  /** Normalised, sorted, each once. */
  readonly extras: readonly string[];
  /** Clauses joined by commas, without spaces, in the order written: `>=1.0,<2`; empty for any version. */
  readonly specifier: string;
  /** `name @ url`: as written, so it may hold credentials; show it through `redactUrls` only. */
  readonly url?: string;
  readonly marker?: Marker;
}

/** One clause of a version specifier. `version` may end in `.*`. */
export interface SpecifierClause {
  readonly operator: "===" | "==" | "~=" | "!=" | "<=" | ">=" | "<" | ">";
  readonly version: string;
}

/** Whether pre-releases fit: default is true only when the specifier names one. */
export interface SpecifierOptions {
  readonly prereleases?: boolean;
}

/** A place in a text file; lines count from 1. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/** A version control URL, in parts. */
export interface VcsReference {
  readonly kind: "git" | "hg" | "svn" | "bzr";
  /** Without `git+`, reference and fragment; may hold credentials. */
  readonly url: string;
  /** Branch, tag or commit. */
  readonly ref?: string;
  /** Folder of the project inside the repository. */
  readonly subdirectory?: string;
}

/** Options that stand on a requirement's own line. */
export interface RequirementOptions {
  /** `--config-settings`; a key given more than once has every value. */
  readonly configSettings: Readonly<Record<string, readonly string[]>>;
  /** `--global-option`. */
  readonly globalOptions: readonly string[];
}

/** One requirement or constraint of a requirements file. */
export interface RequirementLine extends SourceLine {
  /** Absent when the line names only a place (`.`, an archive's URL) and the name is not in it. */
  readonly requirement?: Requirement;
  /** Those of the requirement, or of the place (`./local[dev]`). */
  readonly extras: readonly string[];
  /** That of the requirement, or of the place (`./x.whl ; python_version < "3.9"`). */
  readonly marker?: Marker;
  readonly editable: boolean;
  /** The URL without fragment, for archives and files; may hold credentials, show it through `redactUrls` only. */
  readonly url?: string;
  /** Absolute path of a file or folder on this machine. */
  readonly path?: string;
  readonly vcs?: VcsReference;
  /** Folder of the project inside the archive or repository. */
  readonly subdirectory?: string;
  /** Lower-case hexadecimal digests by algorithm (`sha256`, `sha384`, `sha512`), from `--hash` or the URL's fragment. */
  readonly hashes: Readonly<Record<string, readonly string[]>>;
  readonly options: RequirementOptions;
  /** The line as written (continuations joined, variables not expanded), without credentials: safe to show. */
  readonly text: string;
}

/** Options that stand on lines of their own, after all files were read. URLs may hold credentials. */
export interface RequirementsOptions {
  /** `-i`: replaces the configured index and, as in pip, every extra index named before it. */
  readonly indexUrl?: string;
  readonly extraIndexUrls: readonly string[];
  readonly noIndex: boolean;
  /** URLs, or absolute paths. */
  readonly findLinks: readonly string[];
  /** Normalised names, or `:all:`. */
  readonly noBinary: readonly string[];
  readonly onlyBinary: readonly string[];
  readonly preferBinary: boolean;
  readonly requireHashes: boolean;
  readonly pre: boolean;
  readonly trustedHosts: readonly string[];
  readonly useFeatures: readonly string[];
}

/** `-r https://…` or `-c https://…`: not read here. */
export interface RemoteInclude extends SourceLine {
  readonly kind: "requirements" | "constraints";
  /** May hold credentials. */
  readonly url: string;
}

/** Something that pip ignores silently and that the user should know. */
export interface RequirementsWarning extends SourceLine {
  readonly message: string;
}

/** A requirements file with everything it includes, in the order pip sees it. */
export interface RequirementsFile {
  readonly requirements: readonly RequirementLine[];
  readonly constraints: readonly RequirementLine[];
  readonly options: RequirementsOptions;
  readonly remote: readonly RemoteInclude[];
  /** Absolute paths of every file that was read, each once. */
  readonly files: readonly string[];
  readonly warnings: readonly RequirementsWarning[];
}

/** How `readRequirements` sees the machine. */
export interface RequirementsReader {
  /** The content of a file (bytes are decoded as pip does), or undefined when there is none. */
  read(path: string): Uint8Array | string | undefined;
  /** What lies at a path. Without it, a file is what `read` gives, and a path is known by its look. */
  kind?(path: string): "file" | "directory" | undefined;
  /** For `${NAME}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Local paths in requirements are relative to it, as in pip. */
  readonly cwd: string;
}

/** A dependency of a project file and where it stands (`project.dependencies[2]`). */
export interface PlacedRequirement {
  readonly requirement: Requirement;
  /** As written, without credentials. */
  readonly text: string;
  readonly place: string;
}

/** `[project]` (PEP 621), with normalised names of extras. */
export interface ProjectTable {
  /** As written. */
  readonly name: string;
  readonly version?: string;
  readonly requiresPython?: string;
  readonly dependencies: readonly PlacedRequirement[];
  readonly optionalDependencies: Readonly<Record<string, readonly PlacedRequirement[]>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly guiScripts: Readonly<Record<string, string>>;
  readonly entryPoints: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly dynamic: readonly string[];
}

/** `[build-system]` (PEP 518, PEP 517). */
export interface BuildSystemTable {
  readonly requires: readonly PlacedRequirement[];
  readonly buildBackend?: string;
  readonly backendPath: readonly string[];
}

/** `[[tool.uv.index]]`. */
export interface UvIndex {
  readonly name?: string;
  /** May hold credentials. */
  readonly url: string;
  readonly isDefault: boolean;
  readonly isExplicit: boolean;
}

/** `[tool.uv]`: what decides which files are taken. */
export interface UvTable {
  readonly indexes: readonly UvIndex[];
  /** By normalised name; each as written, one or several. */
  readonly sources: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  readonly devDependencies: readonly PlacedRequirement[];
  /** `default-groups`; absent means `dev` where it exists. */
  readonly defaultGroups?: readonly string[] | "all";
  /** `package`: whether the project itself is installed. */
  readonly isPackage?: boolean;
}

/** A dependency in Poetry's own notation, translated. */
export interface PoetryDependency {
  readonly requirement: Requirement;
  readonly place: string;
  /** True when the constraint is a union that no specifier can say: the specifier is the span of it all. */
  readonly isApproximate?: boolean;
  /** Installed only with an extra that names it. */
  readonly isOptional: boolean;
  readonly vcs?: VcsReference;
  /** As written, relative to the project. */
  readonly path?: string;
  readonly isEditable: boolean;
  /** Name of the index it must come from. */
  readonly source?: string;
}

/** `[tool.poetry]`. */
export interface PoetryTable {
  readonly name?: string;
  readonly version?: string;
  /** The constraint on `python`, translated. */
  readonly requiresPython?: string;
  readonly dependencies: readonly PoetryDependency[];
  /** By normalised name; `dev-dependencies` are group `dev`. */
  readonly groups: Readonly<Record<string, PoetryGroup>>;
  /** Extra to normalised names of optional dependencies. */
  readonly extras: Readonly<Record<string, readonly string[]>>;
  readonly scripts: Readonly<Record<string, string>>;
  /** `package-mode = false`: the project itself is not installed. */
  readonly isPackage: boolean;
  readonly sources: readonly Readonly<Record<string, unknown>>[];
}

/** `[tool.poetry.group.NAME]`. */
export interface PoetryGroup {
  readonly isOptional: boolean;
  readonly dependencies: readonly PoetryDependency[];
}

/** A `pyproject.toml`. */
export interface PyprojectFile {
  /** As given to `readPyproject`. */
  readonly file: string;
  readonly project?: ProjectTable;
  readonly buildSystem?: BuildSystemTable;
  /** PEP 735, by normalised name, includes resolved. */
  readonly dependencyGroups: Readonly<Record<string, readonly PlacedRequirement[]>>;
  /** `[tool.tare]`, as data. */
  readonly tare?: Readonly<Record<string, unknown>>;
  readonly uv?: UvTable;
  readonly poetry?: PoetryTable;
}
