// SPDX-License-Identifier: Apache-2.0
/*
 * `--change` of import and commit: Dockerfile instructions that only alter the config. They are applied in order, so
 * that a later ENV may use an earlier one.
 */
import { TareError, messageOf } from "../base/index.ts";
import { expandWord, expandWords, parseInstruction, parsePorts } from "../dockerfile/index.ts";
import type { CommandLine, HealthcheckInstruction, Instruction } from "../dockerfile/index.ts";
import type { ContainerConfig } from "../oci/index.ts";

/** The config after these instructions. Throws `E_CHANGE` naming the instruction. */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  return changes.reduce((current, text) => {
    try {
      return applyChange(current, parseInstruction(text, { fileName: "--change" }));
    } catch (error) {
      throw new TareError("E_CHANGE", `applying \`${text.slice(0, 200)}\`: ${messageOf(error)}`, {
        hint: `instructions that can be given: ${ALLOWED}`,
        cause: error,
      });
    }
  }, config);
}

const ALLOWED = "CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR";

function applyChange(config: ContainerConfig, change: Instruction): ContainerConfig {
  const environment = environmentOf(config);
  const expand = (word: string): string => expandWord(word, environment).value;
  switch (change.kind) {
    case "cmd":
      return { ...config, Cmd: commandOf(change.command, config) };
    case "entrypoint":
      return { ...config, Entrypoint: commandOf(change.command, config) };
    case "env":
      return {
        ...config,
        Env: change.assignments.reduce(
          (env, { key, value }) => setVariable(env, expand(key), expand(value)),
          config.Env ?? [],
        ),
      };
    case "label": {
      const labels = change.assignments.map(({ key, value }): [string, string] => [expand(key), expand(value)]);
      return { ...config, Labels: { ...config.Labels, ...Object.fromEntries(labels) } };
    }
    case "expose": {
      const words = change.ports.flatMap((port) => expandWords(port, environment));
      const exposed = words.flatMap((word) => parsePorts(word).ports);
      return { ...config, ExposedPorts: { ...config.ExposedPorts, ...asSet(exposed) } };
    }
    case "volume":
      return { ...config, Volumes: { ...config.Volumes, ...asSet(change.volumes.map(expand)) } };
    case "user":
      return { ...config, User: expand(change.user) };
    case "workdir":
      return { ...config, WorkingDir: joinWorkdir(config.WorkingDir ?? "/", expand(change.path)) };
    case "stopsignal":
      return { ...config, StopSignal: expand(change.signal) };
    case "onbuild":
      return { ...config, OnBuild: [...(config.OnBuild ?? []), change.expression] };
    case "healthcheck":
      return { ...config, Healthcheck: healthcheckOf(change, config) };
    default:
      throw new TareError("E_CHANGE", `${change.keyword.toUpperCase()} changes more than the config`);
  }
}

function environmentOf(config: ContainerConfig): Readonly<Record<string, string>> {
  const pairs = (config.Env ?? []).map((pair): [string, string] => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

function commandOf(command: CommandLine, config: ContainerConfig): readonly string[] {
  if (command.form === "exec") return command.args;
  return [...(config.Shell ?? ["/bin/sh", "-c"]), command.command];
}

function setVariable(env: readonly string[], name: string, value: string): readonly string[] {
  const pair = `${name}=${value}`;
  const at = env.findIndex((old) => old.startsWith(`${name}=`));
  return at < 0 ? [...env, pair] : env.with(at, pair);
}

function asSet(names: readonly string[]): Readonly<Record<string, Readonly<Record<string, never>>>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function joinWorkdir(current: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${current}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function healthcheckOf(
  { check }: HealthcheckInstruction,
  config: ContainerConfig,
): NonNullable<ContainerConfig["Healthcheck"]> {
  if (!check) return { Test: ["NONE"] };
  const shell = config.Shell;
  const { command } = check;
  const test = command.form === "exec" ? ["CMD", ...command.args] : shellTest(command.command, shell);
  const times = {
    Interval: check.interval,
    Timeout: check.timeout,
    StartPeriod: check.startPeriod,
    StartInterval: check.startInterval,
    Retries: check.retries,
  };
  return { Test: test, ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== 0)) };
}

function shellTest(command: string, shell: readonly string[] | undefined): readonly string[] {
  return shell === undefined ? ["CMD-SHELL", command] : ["CMD", ...shell, command];
}
