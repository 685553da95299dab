// SPDX-License-Identifier: Apache-2.0
/*
 * The image's configuration and the flags of `run` become one, as in Docker (Engine API, "Create a container"):
 * an entrypoint from the user drops the image's Cmd too; variables of the user stand first and hide the image's;
 * labels, volumes and exposed ports are united.
 */
import { TareError } from "../base/index.ts";
import { mergeHealthcheck } from "./health-config.ts";
import { signalNumber } from "./signals.ts";
import type { CreateRequest } from "./request.ts";
import type { ContainerConfig, ImageDefaults } from "./types.ts";

/** What Docker gives a Linux container whose image says nothing. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The merged configuration of container `id`. Throws `E_NO_COMMAND`, `E_ENV`, `E_WORKDIR`, `E_SIGNAL`. */
export function mergeConfig(image: ImageDefaults, request: CreateRequest, id: string): ContainerConfig {
  const command = mergeCommand(image, request);
  const stopSignal = request.stopSignal ?? nonEmpty(image.StopSignal);
  if (stopSignal !== undefined) signalNumber(stopSignal);
  return {
    Hostname: request.hostname ?? id.slice(0, 12),
    Domainname: request.domainname ?? "",
    User: request.user ?? image.User ?? "",
    Tty: request.tty,
    OpenStdin: request.interactive,
    Env: mergeEnv(image.Env ?? [], request.env),
    ...command,
    WorkingDir: workingDirectory(nonEmpty(request.workdir) ?? image.WorkingDir ?? ""),
    Labels: { ...image.Labels, ...request.labels },
    Volumes: image.Volumes && Object.keys(image.Volumes).length > 0 ? image.Volumes : null,
    ExposedPorts: image.ExposedPorts ?? null,
    StopSignal: stopSignal,
    StopTimeout: request.stopTimeout,
    Healthcheck: mergeHealthcheck(image.Healthcheck, request.noHealthcheck ? { Test: ["NONE"] } : request.healthcheck),
    ...(image.Shell && image.Shell.length > 0 ? { Shell: image.Shell } : {}),
  };
}

/** The process that a configuration starts: entrypoint and command in a row, never empty. */
export function processArguments(config: Pick<ContainerConfig, "Entrypoint" | "Cmd">): readonly string[] {
  return [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
}

function mergeCommand(image: ImageDefaults, request: CreateRequest): Pick<ContainerConfig, "Entrypoint" | "Cmd"> {
  const own = request.entrypoint;
  const entrypoint = own === undefined ? (image.Entrypoint ?? []) : own === "" ? [] : [own];
  const inherited = own === undefined ? (image.Cmd ?? []) : [];
  const cmd = request.command.length > 0 ? request.command : inherited;
  if (entrypoint.length + cmd.length === 0) {
    throw new TareError("E_NO_COMMAND", `starting \`${request.image}\`: no command given`, {
      hint: "the image has neither ENTRYPOINT nor CMD: write the command after the image's name",
    });
  }
  return { Entrypoint: orNull(entrypoint), Cmd: orNull(cmd) };
}

/** The user's variables first, then the image's that the user does not name. `KEY` alone removes the image's. */
export function mergeEnv(image: readonly string[], own: readonly string[]): readonly string[] {
  for (const entry of own) checkVariable(entry);
  const named = new Set(own.map(keyOf));
  return [...own, ...image.filter((entry) => !named.has(keyOf(entry)))];
}

/** A process's environment: defaults replaced in place by `Env`; an entry without `=` removes. `tty`: it has a terminal. */
export function processEnvironment(
  config: Pick<ContainerConfig, "Hostname" | "Tty" | "Env">,
  tty: boolean = config.Tty,
): readonly string[] {
  const result = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${config.Hostname}`, ...(tty ? ["TERM=xterm"] : [])];
  return overrideEnvironment(result, config.Env);
}

/** Replaces in place, appends what is new, removes what is named without `=`; the last of equals wins. */
export function overrideEnvironment(base: readonly string[], overrides: readonly string[]): readonly string[] {
  const values = new Map(base.map((entry) => [keyOf(entry), entry]));
  for (const entry of overrides) {
    if (entry.includes("=")) values.set(keyOf(entry), entry);
    else values.delete(entry);
  }
  return [...values.values()];
}

function checkVariable(entry: string): void {
  if (!entry.startsWith("=") && entry !== "" && !entry.includes("\0")) return;
  throw new TareError("E_ENV", `setting the environment variable \`${entry.replaceAll("\0", "\\0")}\`: invalid name`, {
    hint: "write NAME=value, or NAME to take the value from your own environment",
  });
}

function workingDirectory(path: string): string {
  if (path === "" || path.startsWith("/")) return path;
  throw new TareError("E_WORKDIR", `setting the working directory \`${path}\`: not an absolute path`, {
    hint: "begin it with `/`",
  });
}

function keyOf(entry: string): string {
  const equals = entry.indexOf("=");
  return equals < 0 ? entry : entry.slice(0, equals);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function orNull(words: readonly string[]): readonly string[] | null {
  return words.length > 0 ? words : null;
}
