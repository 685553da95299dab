// SPDX-License-Identifier: Apache-2.0
import { Expander } from "./expand.ts";
import type { SourceRange, VertexId } from "../graph/index.ts";
import type { ContainerConfig, ImageConfig, Platform } from "../oci/index.ts";
import type { Dockerfile, Instruction } from "../dockerfile/index.ts";
import type { Compilation, CompiledStage, DraftHistory, StageVariables } from "./types.ts";

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };

/** How a stage shows in the progress. */
export interface StageLabel {
  /** `build`, `stage-1`, or empty for the only stage. */
  readonly name: string;
  readonly steps: number;
  /** Steps before the stage's first instruction. */
  readonly first: number;
}

/** `[build 2/5] RUN make`. */
export function stepLabel(
  label: StageLabel & { readonly number: number },
  text: string,
  platform: string = "",
): string {
  const number = String(label.number).padStart(String(label.steps).length);
  return `[${platform}${label.name ? `${label.name} ` : ""}${number}/${label.steps}] ${text}`;
}

const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A stage while its instructions are applied: the last vertex, the config so far, and the variables in force. */
export class StageState {
  readonly compilation: Compilation;
  readonly platform: Platform;
  readonly label: StageLabel;
  readonly ignoreCache: boolean;
  /** ENV and ARG in force, in the order of their first appearance. */
  readonly environment: Map<string, string>;
  /** ARGs declared in this stage, for the history of RUN. */
  readonly declared: Map<string, string | undefined>;
  readonly config: Draft<ContainerConfig>;
  readonly #base: ImageConfig | undefined;
  readonly #history: DraftHistory[];
  vertex: VertexId;
  author: string | undefined;
  workdir: string;
  isCommandSet = false;
  isOnbuild = false;
  #step = 0;

  constructor(start: {
    readonly compilation: Compilation;
    readonly platform: Platform;
    readonly label: StageLabel;
    readonly ignoreCache: boolean;
    readonly vertex: VertexId;
    readonly base: ImageConfig | undefined;
    readonly history: readonly DraftHistory[];
    /** Of the stage below, whose ARGs stay in force. */
    readonly inherited?: StageVariables;
  }) {
    this.compilation = start.compilation;
    this.platform = start.platform;
    this.label = start.label;
    this.ignoreCache = start.ignoreCache;
    this.vertex = start.vertex;
    this.#base = start.base;
    this.#history = [...start.history];
    this.environment = new Map(start.inherited?.environment);
    this.declared = new Map(start.inherited?.declared);
    this.config = { ...start.base?.config };
    this.author = start.base?.author;
    if (!start.base) this.config.WorkingDir = "/";
    const env = [...(this.config.Env ?? [])];
    if (!env.some((entry) => entry.startsWith("PATH="))) env.push(DEFAULT_PATH);
    this.config.Env = env;
    for (const entry of env) this.environment.set(...splitPair(entry));
    this.workdir = this.config.WorkingDir || "/";
  }

  get dockerfile(): Dockerfile {
    return this.compilation.dockerfile;
  }

  get expander(): Expander {
    return new Expander(this.dockerfile, this.environment);
  }

  /** `[build 2/5] RUN make`; counts one step up. */
  stepLabel(text: string): string {
    this.#step += 1;
    const { options } = this.compilation;
    const platform = options.isMultiPlatform ? `${this.platform.os}/${this.platform.architecture} ` : "";
    const trigger = this.isOnbuild ? "ONBUILD " : "";
    return stepLabel({ ...this.label, number: this.#step + this.label.first }, trigger + text, platform);
  }

  setEnvironment(name: string, value: string): void {
    this.environment.set(name, value);
    const env = [...(this.config.Env ?? [])];
    const at = env.findIndex((entry) => splitPair(entry)[0] === name);
    if (at < 0) env.push(`${name}=${value}`);
    else env[at] = `${name}=${value}`;
    this.config.Env = env;
  }

  /** Adds a history line. */
  record(command: string, layer: boolean): void {
    const created = new Date(this.compilation.options.epoch * 1000).toISOString().replace(".000Z", "Z");
    const line = { created, created_by: command, comment: "buildkit.dockerfile.v0", layer };
    this.#history.push(layer ? { ...line, vertex: this.vertex } : line);
  }

  sourceOf(instruction: Instruction): SourceRange {
    return { file: this.dockerfile.fileName, ...instruction.location };
  }

  finish(): CompiledStage {
    const { platform, config, author, vertex, environment, declared } = this;
    return { vertex, platform, author, config, base: this.#base, history: this.#history, environment, declared };
  }
}

/** Splits `NAME=value`. */
export function splitPair(entry: string): [string, string] {
  const at = entry.indexOf("=");
  return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
}
