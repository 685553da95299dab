// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { filesOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { findView } from "./find.ts";
import { overrideEnvironment, processEnvironment } from "./merge-config.ts";
import { PLAIN_REQUEST } from "./plain-request.ts";
import { addedByDevices, startedDeviceRules } from "./requested-devices.ts";
import type { ContainerImage, HostSettings, MountPoint } from "./types.ts";
import type { Digest } from "../base/index.ts";

/** What is looked into: a running container, one that does not run, or an image. */
export interface DebugSubject {
  readonly name: string;
  /** Its first process, while it runs. */
  readonly pid?: number;
  readonly layers: readonly Digest[];
  /** Its own changes, of a container that does not run. */
  readonly upper?: string;
  readonly host: Pick<HostSettings, "security" | "runtime">;
  readonly env: readonly string[];
  readonly workdir: string;
  readonly mounts: readonly MountPoint[];
  /** Devices that a running container was given by name, which the session may use too. */
  readonly deviceRules?: readonly string[];
}

const PLAIN: DebugSubject["host"] = { runtime: undefined, security: PLAIN_REQUEST.security };

/** What a request names, as it is at this moment. Throws `E_CONTAINER_NOTFOUND`, `E_CONTAINER_STATE`. */
export function settledSubject(context: ContainersContext, subject: string | ContainerImage): DebugSubject {
  if (typeof subject !== "string") return imageSubject(subject);
  const { record, state } = findView(context, subject);
  if (state.paused) {
    throw new TareError("E_CONTAINER_STATE", `looking into the container \`${record.name}\`: it is paused`, {
      hint: `let it go on with \`tare unpause ${record.name}\``,
    });
  }
  const { config, host, layers, mounts, name } = record;
  const env = processEnvironment(config);
  const base = { name, layers, host, mounts, env, workdir: config.WorkingDir || "/" };
  const { folder, upper } = filesOf(context, record.id);
  if (state.status !== "running" || state.pid === 0) return { ...base, upper };
  const added = addedByDevices(record, folder, { env, groups: [] });
  const own = added.env.filter((entry) => !entry.startsWith("HOME="));
  return {
    ...base,
    pid: state.pid,
    env: overrideEnvironment(env, own),
    deviceRules: startedDeviceRules(record, folder),
  };
}

function imageSubject({ reference, diffIds, defaults }: ContainerImage): DebugSubject {
  const config = { Hostname: "debug", Tty: false, Env: defaults.Env ?? [] };
  const env = processEnvironment(config);
  return { name: reference, layers: diffIds, host: PLAIN, env, workdir: defaults.WorkingDir || "/", mounts: [] };
}
