// SPDX-License-Identifier: Apache-2.0
/*
 * A Dockerfile becomes a graph. Stages are compiled when something needs them, so unused ones cost nothing, not even
 * a look at their base image. A stage that waits for itself is reported with the chain.
 */
import { TareError, isTareError, suggest } from "../base/index.ts";
import { parseInstruction } from "../dockerfile/index.ts";
import { normalizeReference, parsePlatform } from "../oci/index.ts";
import { applyAdd, applyCopy } from "./apply-copy.ts";
import * as apply from "./apply-config.ts";
import { applyRun } from "./apply-run.ts";
import { globalArguments } from "./arguments.ts";
import { Expander, atInstruction } from "./expand.ts";
import { StageTable } from "./stages.ts";
import { StageState, stepLabel } from "./stage-state.ts";
import type { Instruction, Stage } from "../dockerfile/index.ts";
import type { VertexId } from "../graph/index.ts";
import type { ImageConfig, Platform } from "../oci/index.ts";
import type { StageLabel } from "./stage-state.ts";
import type { Compilation, CompiledStage, DraftHistory, NamedContext, ResolvedImage, StageVariables } from "./types.ts";

/** The main context's vertex name. */
export const MAIN_CONTEXT = "context";

/** Compiles the target stage. Throws syntax and stage errors with their place in the file. */
export async function compile(compilation: Compilation): Promise<CompiledStage> {
  const table = new StageTable(compilation.dockerfile);
  const target = table.target(compilation.options.target);
  const globals = await globalArguments(compilation, target.name ?? "default");
  const compiler = new Compiler(compilation, table, globals);
  const compiled = await compiler.stage(target, []);
  const { labels } = compilation.options;
  if (Object.keys(labels).length === 0) return compiled;
  return { ...compiled, config: { ...compiled.config, Labels: { ...compiled.config.Labels, ...labels } } };
}

/** Where a stage or mount gets its files from. */
interface Origin {
  readonly vertex: VertexId;
  readonly base: ImageConfig | undefined;
  readonly history: readonly DraftHistory[];
  readonly platform: Platform;
  /** Triggers that the stage on top must run. */
  readonly triggers: readonly string[];
  /** The variables of a stage below. */
  readonly inherited?: StageVariables;
  /** 1 when getting it is a step of the stage: its base image. */
  readonly steps?: 0 | 1;
}

class Compiler {
  readonly #compilation: Compilation;
  readonly #table: StageTable;
  readonly #globals: ReadonlyMap<string, string>;
  readonly #compiled = new Map<number, Promise<CompiledStage>>();

  constructor(compilation: Compilation, table: StageTable, globals: ReadonlyMap<string, string>) {
    this.#compilation = compilation;
    this.#table = table;
    this.#globals = globals;
  }

  stage(stage: Stage, waiting: readonly Stage[]): Promise<CompiledStage> {
    if (waiting.includes(stage)) throw cycle([...waiting, stage]);
    const known = this.#compiled.get(stage.index);
    if (known) return known;
    const made = this.#compileStage(stage, [...waiting, stage]);
    this.#compiled.set(stage.index, made);
    return made;
  }

  async #compileStage(stage: Stage, waiting: readonly Stage[]): Promise<CompiledStage> {
    const { dockerfile, options } = this.#compilation;
    const replaced =
      stage.name === undefined
        ? undefined
        : await this.#compilation.resolver.namedContext(stage.name, options.platform);
    const origin = await atInstruction(dockerfile, stage.from, () =>
      replaced ? this.#contextOrigin(replaced) : this.#origin(stage, waiting),
    );
    const triggers = replaced ? [] : origin.triggers.map((text) => parseInstruction(text));
    const instructions = replaced ? [] : stage.instructions;
    const state = this.#start(stage, origin, [...triggers, ...instructions]);
    for (const [index, instruction] of [...triggers, ...instructions].entries()) {
      state.isOnbuild = index < triggers.length;
      const place = state.isOnbuild ? stage.from : instruction;
      await atInstruction(dockerfile, place, () => this.#apply(state, instruction, stage, waiting));
    }
    return state.finish();
  }

  #start(stage: Stage, origin: Origin, instructions: readonly Instruction[]): StageState {
    const { options } = this.#compilation;
    const noCache = options.noCache || (stage.name !== undefined && options.noCacheFilter.includes(stage.name));
    const label = this.#labelOf(stage, instructions, origin.steps ?? 0);
    const state = new StageState({ compilation: this.#compilation, label, ignoreCache: noCache, ...origin });
    if (origin.triggers.length > 0) delete state.config.OnBuild;
    return state;
  }

  /** How a stage's steps are counted: its base image, when it is no other stage, is the first. */
  #labelOf(stage: Stage, instructions: readonly Instruction[], first: number): StageLabel {
    const own = instructions.filter(({ kind }) => ["copy", "add", "run", "workdir"].includes(kind)).length;
    const name = this.#table.count > 1 ? (stage.name ?? `stage-${stage.index}`) : "";
    return { name, steps: own + first, first };
  }

  async #origin(stage: Stage, waiting: readonly Stage[]): Promise<Origin> {
    const { dockerfile } = this.#compilation;
    const expander = new Expander(dockerfile, this.#globals);
    const base = expander.word(stage.base);
    if (base === "") throw blankBase(stage);
    const platform = this.#platformOf(stage, expander);
    if (base === "scratch") return scratchOrigin(this.#compilation, platform);
    const earlier = this.#table.before(base, stage.index);
    if (earlier) return this.#stageOrigin(await this.stage(earlier, waiting));
    const label = stepLabel({ ...this.#labelOf(stage, stage.instructions, 1), number: 1 }, `FROM ${base}`);
    return { ...(await this.#imageOrigin(base, platform, label)), steps: 1 };
  }

  #platformOf(stage: Stage, expander: Expander): Platform {
    const { options } = this.#compilation;
    if (stage.platform === undefined) return options.platform;
    const text = expander.word(stage.platform);
    if (text === "")
      throw new TareError("E_PLATFORM", `empty platform value from expression ${stage.platform}`, {
        hint: "give the ARG a default",
      });
    return parsePlatform(text, options.buildPlatform);
  }

  #stageOrigin(compiled: CompiledStage): Origin {
    const base: ImageConfig = {
      ...(compiled.base ?? { rootfs: { type: "layers", diff_ids: [] } }),
      architecture: compiled.platform.architecture,
      os: compiled.platform.os,
      config: compiled.config,
      ...(compiled.author === undefined ? {} : { author: compiled.author }),
    };
    const triggers = compiled.config.OnBuild ?? [];
    return {
      vertex: compiled.vertex,
      base,
      history: compiled.history,
      platform: compiled.platform,
      triggers,
      inherited: compiled,
    };
  }

  async #imageOrigin(reference: string, platform: Platform, label: string): Promise<Origin> {
    const { resolver } = this.#compilation;
    const replaced = await resolver.namedContext(reference, platform);
    if (replaced) return this.#contextOrigin(replaced);
    const image = await this.#resolve(reference, platform);
    return imageOrigin(this.#compilation, image, reference, platform, label);
  }

  async #resolve(reference: string, platform: Platform): Promise<ResolvedImage> {
    try {
      normalizeReference(reference);
      return await this.#compilation.resolver.image(reference, platform);
    } catch (error) {
      if (!isTareError(error, "E_IMAGE_NOTFOUND")) throw error;
      const near = suggest(reference, this.#table.names());
      if (!near) throw error;
      throw new TareError(error.code, error.message, { hint: `did you mean the stage \`${near}\`?`, cause: error });
    }
  }

  async #contextOrigin(context: NamedContext): Promise<Origin> {
    const { options, graph } = this.#compilation;
    if (context.kind === "image")
      return imageOrigin(
        this.#compilation,
        context.image,
        context.image.name,
        options.platform,
        `FROM ${context.image.name}`,
      );
    if (context.kind === "stage") return this.#stageOrigin(await this.stage(this.#table.target(context.target), []));
    const empty = graph.add({ type: "scratch" }, [], { label: "scratch" });
    const local = graph.add({ type: "local", name: context.name }, [], { label: `[context ${context.name}] load` });
    const vertex = graph.add(wholeCopy(), [empty, local], { label: `[context ${context.name}] load from client` });
    return { vertex, base: emptyConfig(options.platform), history: [], platform: options.platform, triggers: [] };
  }

  /** The vertex for `--from=name`: a named context, a stage, or an image. */
  async #sourceVertex(name: string, stage: Stage, waiting: readonly Stage[]): Promise<VertexId> {
    if (name.includes("$")) {
      throw new TareError(
        "E_DF_FLAG",
        "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround",
      );
    }
    const source = name === "scratch" ? undefined : this.#table.source(name, stage.index);
    if (source) return (await this.stage(source, waiting)).vertex;
    const { options, resolver, graph } = this.#compilation;
    const context = await resolver.namedContext(name, options.platform);
    if (context?.kind === "local")
      return graph.add({ type: "local", name: context.name }, [], { label: `[context ${context.name}] load` });
    if (context) return (await this.#contextOrigin(context)).vertex;
    if (name === "scratch") return graph.add({ type: "scratch" }, [], { label: "scratch" });
    return (await this.#imageOrigin(name, options.platform, `FROM ${name}`)).vertex;
  }

  /** A mount's source as a root file system: files of a folder are copied first, so that the step sees a fixed state. */
  async #mountVertex(
    from: string | undefined,
    path: string,
    stage: Stage,
    waiting: readonly Stage[],
  ): Promise<VertexId> {
    const { graph } = this.#compilation;
    const vertex = from === undefined ? this.#contextVertex() : await this.#sourceVertex(from, stage, waiting);
    if (graph.get(vertex)?.op.type !== "local") return vertex;
    const empty = graph.add({ type: "scratch" }, [], { label: "scratch" });
    const op = path === "/" ? wholeCopy() : { ...wholeCopy(), parents: true, sources: [{ from: 1, paths: [path] }] };
    return graph.add(op, [empty, vertex], {
      label: `[internal] load ${from ?? "build context"}${path === "/" ? "" : `: ${path}`}`,
    });
  }

  #contextVertex(): VertexId {
    return this.#compilation.graph.add({ type: "local", name: MAIN_CONTEXT }, [], {
      label: "[internal] load build context",
    });
  }

  async #apply(state: StageState, instruction: Instruction, stage: Stage, waiting: readonly Stage[]): Promise<void> {
    switch (instruction.kind) {
      case "copy": {
        const { from } = instruction;
        return applyCopy(
          state,
          instruction,
          from === undefined ? this.#contextVertex() : await this.#sourceVertex(from, stage, waiting),
        );
      }
      case "add":
        return applyAdd(state, instruction, this.#contextVertex());
      case "run":
        return applyRun(state, instruction, (from, path) => this.#mountVertex(from, path, stage, waiting));
      case "arg":
        return apply.applyArg(state, instruction, this.#globals);
      default:
        return applySimple(state, instruction);
    }
  }
}

type SimpleInstruction = Exclude<Instruction, { kind: "copy" | "add" | "run" | "arg" }>;

/** Instructions that need nothing but the stage. */
function applySimple(state: StageState, instruction: SimpleInstruction): void {
  switch (instruction.kind) {
    case "env":
      return apply.applyEnv(state, instruction);
    case "label":
      return apply.applyLabel(state, instruction);
    case "user":
      return apply.applyUser(state, instruction);
    case "workdir":
      return apply.applyWorkdir(state, instruction);
    case "shell":
      return apply.applyShell(state, instruction.shell);
    case "entrypoint":
      return apply.applyEntrypoint(state, instruction);
    case "cmd":
      return apply.applyCmd(state, instruction);
    case "expose":
      return apply.applyExpose(state, instruction);
    case "volume":
      return apply.applyVolume(state, instruction);
    case "stopsignal":
      return apply.applyStopsignal(state, instruction.signal);
    case "maintainer":
      return apply.applyMaintainer(state, instruction.maintainer);
    case "healthcheck":
      return apply.applyHealthcheck(state, instruction);
    case "onbuild":
      return apply.applyOnbuild(state, instruction);
  }
}

function scratchOrigin({ graph }: Compilation, platform: Platform): Origin {
  return {
    vertex: graph.add({ type: "scratch" }, [], { label: "scratch" }),
    base: undefined,
    history: [],
    platform,
    triggers: [],
  };
}

function imageOrigin(
  compilation: Compilation,
  image: ResolvedImage,
  reference: string,
  platform: Platform,
  label: string,
): Origin {
  const { graph, options } = compilation;
  const layers = image.config.rootfs.diff_ids;
  const prefix = options.isMultiPlatform ? `[${platform.os}/${platform.architecture}] ` : "";
  const vertex = graph.add({ type: "image", reference, manifest: image.manifest, layers }, [], {
    label: prefix + label,
  });
  const history = (image.config.history ?? []).map((entry) => ({ ...entry, layer: !entry.empty_layer }));
  const found: Platform = {
    os: image.config.os,
    architecture: image.config.architecture,
    ...(image.config.variant ? { variant: image.config.variant } : {}),
  };
  return { vertex, base: image.config, history, platform: found, triggers: image.config.config?.OnBuild ?? [] };
}

function emptyConfig(platform: Platform): ImageConfig {
  return {
    architecture: platform.architecture,
    os: platform.os,
    config: { WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [] },
  };
}

/** Everything of input 1 laid at the root. */
function wholeCopy() {
  return {
    type: "copy",
    sources: [{ from: 1, paths: ["/"] }],
    destination: "/",
    parents: false,
    link: false,
    command: "COPY",
  } as const;
}

function blankBase(stage: Stage): TareError {
  return new TareError("E_DF_EXPAND", `base name (${stage.base}) should not be blank`, {
    hint: "give the ARG a default before the first FROM, or pass it with `--build-arg`",
  });
}

function cycle(chain: readonly Stage[]): TareError {
  const names = chain.map((stage) => stage.name ?? `stage ${stage.index}`);
  return new TareError("E_DF_STAGE", `circular dependency detected on stage: ${names.join(" → ")}`);
}
