// SPDX-License-Identifier: Apache-2.0
/* Instructions that change the image config and make no layer; WORKDIR, which may make one. */
import { TareError } from "../base/index.ts";
import { parsePorts } from "../dockerfile/index.ts";
import { parseSignal } from "../options/index.ts";
import { workdirPath } from "./paths.ts";
import type {
  ArgInstruction,
  CmdInstruction,
  CommandLine,
  EntrypointInstruction,
  EnvInstruction,
  ExposeInstruction,
  HealthcheckInstruction,
  LabelInstruction,
  OnbuildInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from "../dockerfile/index.ts";
import type { OwnerSpec } from "../graph/index.ts";
import type { Healthcheck } from "../oci/index.ts";
import type { StageState } from "./stage-state.ts";

const DEFAULT_SHELL = ["/bin/sh", "-c"];

/** The arguments of a command: shell form goes through the stage's shell. */
export function commandArguments(state: StageState, command: CommandLine): readonly string[] {
  if (command.form === "exec") return command.args;
  const shell = state.config.Shell?.length ? state.config.Shell : DEFAULT_SHELL;
  return [...shell, command.command];
}

export function applyEnv(state: StageState, instruction: EnvInstruction): void {
  const { expander } = state;
  const pairs = instruction.assignments.map(({ key, value }) => [expander.word(key), expander.word(value)] as const);
  for (const [key, value] of pairs) state.setEnvironment(key, value);
  state.record(`ENV ${pairs.map(([key, value]) => `${key}=${value}`).join(" ")}`, false);
}

export function applyArg(state: StageState, instruction: ArgInstruction, globals: ReadonlyMap<string, string>): void {
  const shown: string[] = [];
  for (const { key, value } of instruction.definitions) {
    const given = state.compilation.options.buildArgs[key];
    const fallback = value === undefined ? globals.get(key) : state.expander.word(value);
    const effective = given ?? fallback;
    if (effective !== undefined) state.environment.set(key, effective);
    state.declared.set(key, effective);
    shown.push(effective === undefined ? key : `${key}=${effective}`);
  }
  state.record(`ARG ${shown.join(" ")}`, false);
}

export function applyLabel(state: StageState, instruction: LabelInstruction): void {
  const { expander } = state;
  const pairs = instruction.assignments.map(({ key, value }) => [expander.word(key), expander.word(value)] as const);
  state.config.Labels = { ...state.config.Labels, ...Object.fromEntries(pairs) };
  state.record(`LABEL ${pairs.map(([key, value]) => `${key}=${value}`).join(" ")}`, false);
}

export function applyUser(state: StageState, instruction: UserInstruction): void {
  state.config.User = state.expander.word(instruction.user);
  state.record(`USER ${state.config.User}`, false);
}

export function applyWorkdir(state: StageState, instruction: WorkdirInstruction): void {
  const written = state.expander.word(instruction.path);
  const path = workdirPath(state.workdir, written);
  state.workdir = path;
  // BuildKit keeps an absolute path in the config as it was written, trailing slash and all.
  state.config.WorkingDir = written.startsWith("/") ? written : path;
  if (path !== "/") {
    const owner = state.config.User ? { owner: ownerSpec(state.config.User) } : {};
    const label = state.stepLabel(`WORKDIR ${path}`);
    const notes = { label, ignoreCache: false, source: state.sourceOf(instruction) };
    state.vertex = state.compilation.graph.add({ type: "mkdir", path, mode: 0o755, ...owner }, [state.vertex], notes);
  }
  state.record(`WORKDIR ${path}`, path !== "/");
}

/** Splits `user[:group]`. */
export function ownerSpec(text: string): OwnerSpec {
  const at = text.indexOf(":");
  return at < 0 ? { user: text } : { user: text.slice(0, at), group: text.slice(at + 1) };
}

export function applyCmd(state: StageState, instruction: CmdInstruction): void {
  const args = commandArguments(state, instruction.command);
  state.config.Cmd = args;
  state.config.ArgsEscaped = true;
  state.isCommandSet = true;
  state.record(`CMD ${goList(args)}`, false);
}

export function applyEntrypoint(state: StageState, instruction: EntrypointInstruction): void {
  const args = commandArguments(state, instruction.command);
  state.config.Entrypoint = args;
  if (!state.isCommandSet) delete state.config.Cmd;
  state.record(`ENTRYPOINT ${goList(args)}`, false);
}

/** How Docker writes a list in the history: `["a" "b"]`. */
function goList(args: readonly string[]): string {
  return `[${args.map((argument) => JSON.stringify(argument)).join(" ")}]`;
}

export function applyHealthcheck(state: StageState, instruction: HealthcheckInstruction): void {
  const { check } = instruction;
  state.config.Healthcheck = check ? healthcheckConfig(check) : { Test: ["NONE"] };
  state.record(`HEALTHCHECK ${JSON.stringify(state.config.Healthcheck)}`, false);
}

function healthcheckConfig(check: NonNullable<HealthcheckInstruction["check"]>): Healthcheck {
  const { command } = check;
  const test = command.form === "exec" ? ["CMD", ...command.args] : ["CMD-SHELL", command.command];
  return {
    Test: test,
    ...(check.interval ? { Interval: check.interval } : {}),
    ...(check.timeout ? { Timeout: check.timeout } : {}),
    ...(check.startPeriod ? { StartPeriod: check.startPeriod } : {}),
    ...(check.startInterval ? { StartInterval: check.startInterval } : {}),
    ...(check.retries ? { Retries: check.retries } : {}),
  };
}

export function applyExpose(state: StageState, instruction: ExposeInstruction): void {
  const words = instruction.ports.flatMap((word) => state.expander.split(word));
  const ports = words.flatMap((word) => parsePorts(word).ports);
  const added = Object.fromEntries(ports.map((port) => [port, {}]));
  state.config.ExposedPorts = { ...state.config.ExposedPorts, ...added };
  state.record(`EXPOSE ${goMap(ports)}`, false);
}

function goMap(keys: readonly string[]): string {
  return `[${keys.join(" ")}]`;
}

export function applyVolume(state: StageState, instruction: VolumeInstruction): void {
  const volumes = instruction.volumes.map((volume) => state.expander.word(volume));
  if (volumes.includes("")) throw new TareError("E_DF_ARGS", "VOLUME specified can not be an empty string");
  state.config.Volumes = { ...state.config.Volumes, ...Object.fromEntries(volumes.map((volume) => [volume, {}])) };
  state.record(`VOLUME ${goMap(volumes)}`, false);
}

export function applyStopsignal(state: StageState, signal: string): void {
  const name = state.expander.word(signal);
  parseSignal(name);
  state.config.StopSignal = name;
  state.record(`STOPSIGNAL ${name}`, false);
}

export function applyShell(state: StageState, shell: readonly string[]): void {
  state.config.Shell = shell;
  state.record(`SHELL ${goMap(shell)}`, false);
}

export function applyMaintainer(state: StageState, maintainer: string): void {
  state.author = maintainer;
  state.record(`MAINTAINER ${maintainer}`, false);
}

export function applyOnbuild(state: StageState, instruction: OnbuildInstruction): void {
  state.config.OnBuild = [...(state.config.OnBuild ?? []), instruction.expression];
}
