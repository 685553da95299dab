// SPDX-License-Identifier: Apache-2.0
import type { Heredoc } from "./heredoc.ts";
import type { Location } from "./problem.ts";

/** A command in shell form (one string for the shell) or in exec form (a list of arguments, from a JSON array). */
export type CommandLine =
  | { readonly form: "shell"; readonly command: string }
  | { readonly form: "exec"; readonly args: readonly string[] };

/** What every instruction has. */
export interface InstructionBase {
  /** The keyword as written (`run`, `RUN`). */
  readonly keyword: string;
  /** The logical line: continuations joined, comments between them removed, without heredoc contents; may end in blanks. */
  readonly text: string;
  readonly location: Location;
  /** Comments directly before the instruction, without `#`. */
  readonly comments: readonly string[];
  /** The heredocs on the line, contents as in the file. */
  readonly heredocs: readonly Heredoc[];
}

/** A name and its value, both unexpanded. */
export interface Assignment {
  readonly key: string;
  readonly value: string;
  /** Written in the old form `key value`. */
  readonly isLegacy: boolean;
}

/** One name of an ARG; `value` is undefined when no default was given. */
export interface ArgumentDefinition {
  readonly key: string;
  readonly value: string | undefined;
  /** `# key description` among the comments before the instruction. */
  readonly description: string | undefined;
}

/** A file whose content stands in the Dockerfile. */
export interface InlineFile {
  readonly name: string;
  /** Leading tabs are removed already where `<<-` asked for it. */
  readonly content: string;
  /** Whether variables in the content are to be expanded. */
  readonly expand: boolean;
}

/** What COPY and ADD share. All values are unexpanded. */
export interface CopySources {
  readonly sources: readonly string[];
  readonly inlineFiles: readonly InlineFile[];
  readonly destination: string;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly exclude: readonly string[];
}

/** A device of `RUN --device`. */
export interface DeviceRequest {
  readonly name: string;
  readonly required: boolean;
}

export interface FromInstruction extends InstructionBase {
  readonly kind: "from";
  readonly base: string;
  readonly platform: string | undefined;
  /** The stage's name in small letters. */
  readonly name: string | undefined;
  /** The stage's name as written. */
  readonly nameAsWritten: string | undefined;
}

export interface RunInstruction extends InstructionBase {
  readonly kind: "run";
  /** With heredocs, `runScript` says what it means. */
  readonly command: CommandLine;
  /** Values of `--mount`, to be read by `parseMount` once variables are known. */
  readonly mounts: readonly string[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  readonly devices: readonly DeviceRequest[];
  /** Names of the flags that were given. */
  readonly flagsUsed: readonly string[];
}

export interface CopyInstruction extends InstructionBase, CopySources {
  readonly kind: "copy";
  readonly from: string | undefined;
  readonly parents: boolean;
}

export interface AddInstruction extends InstructionBase, CopySources {
  readonly kind: "add";
  readonly checksum: string | undefined;
  /** Undefined when not given: the source decides. */
  readonly keepGitDir: boolean | undefined;
  /** Undefined when not given: the source decides. */
  readonly unpack: boolean | undefined;
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: "arg";
  readonly definitions: readonly ArgumentDefinition[];
}

export interface EnvInstruction extends InstructionBase {
  readonly kind: "env";
  readonly assignments: readonly Assignment[];
}

export interface LabelInstruction extends InstructionBase {
  readonly kind: "label";
  readonly assignments: readonly Assignment[];
}

export interface UserInstruction extends InstructionBase {
  readonly kind: "user";
  readonly user: string;
}

export interface WorkdirInstruction extends InstructionBase {
  readonly kind: "workdir";
  readonly path: string;
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: "shell";
  readonly shell: readonly string[];
}

export interface EntrypointInstruction extends InstructionBase {
  readonly kind: "entrypoint";
  readonly command: CommandLine;
}

export interface CmdInstruction extends InstructionBase {
  readonly kind: "cmd";
  readonly command: CommandLine;
}

export interface ExposeInstruction extends InstructionBase {
  readonly kind: "expose";
  /** Unexpanded words, sorted; `parsePorts` reads them. */
  readonly ports: readonly string[];
}

export interface VolumeInstruction extends InstructionBase {
  readonly kind: "volume";
  readonly volumes: readonly string[];
}

export interface StopsignalInstruction extends InstructionBase {
  readonly kind: "stopsignal";
  readonly signal: string;
}

export interface MaintainerInstruction extends InstructionBase {
  readonly kind: "maintainer";
  readonly maintainer: string;
}

export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: "healthcheck";
  /** Undefined for `HEALTHCHECK NONE`. */
  readonly check: Healthcheck | undefined;
}

/** A health check; times in nanoseconds, 0 where the default counts. */
export interface Healthcheck {
  readonly command: CommandLine;
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: "onbuild";
  /** The trigger's text as the image config stores it, heredocs included. */
  readonly expression: string;
  /** The trigger, understood; undefined when it is malformed, which counts only once it runs. */
  readonly trigger: Instruction | undefined;
  /** Why `trigger` is undefined. */
  readonly triggerProblem: string | undefined;
}

/** An instruction inside a stage. */
export type Instruction =
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | ArgInstruction
  | EnvInstruction
  | LabelInstruction
  | UserInstruction
  | WorkdirInstruction
  | ShellInstruction
  | EntrypointInstruction
  | CmdInstruction
  | ExposeInstruction
  | VolumeInstruction
  | StopsignalInstruction
  | MaintainerInstruction
  | HealthcheckInstruction
  | OnbuildInstruction;
