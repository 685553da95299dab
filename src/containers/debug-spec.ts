// SPDX-License-Identifier: Apache-2.0
/* From what is looked into and the tools to the OCI configuration of the session. */
import * as fs from "node:fs";
import { buildSpec, cgroupMode, namespaceLimits } from "../runtime/index.ts";
import type { NamespaceChoice, OciSpec, SpecMount } from "../runtime/index.ts";
import type { DebugSubject } from "./debug-subject.ts";
import { DEFAULT_CGROUP, securityInput, specMount } from "./launch-spec.ts";
import { overrideEnvironment, processEnvironment } from "./merge-config.ts";
import { consoleOf } from "./console-size.ts";
import type { ProcessIo } from "./request.ts";
import type { ContainerImage } from "./types.ts";

export type { DebugSubject } from "./debug-subject.ts";

/** Where the tools come from. */
export type DebugToolbox =
  | {
      readonly kind: "folder";
      /** Absolute, with `bin/sh`; its programs need nothing else. */
      readonly folder: string;
    }
  | { readonly kind: "image"; readonly image: ContainerImage };

/** `debug`. */
export interface DebugRequest {
  /** A container's name or id, or an image. */
  readonly subject: string | ContainerImage;
  readonly toolbox: DebugToolbox;
  /** Empty: a shell. */
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly privileged: boolean;
}

/** Parts of a session that are decided before its configuration. */
export interface DebugPlaces {
  readonly id: string;
  /** Where the root file system, and with tools of an image the container's files, are mounted. */
  readonly root: string;
  readonly target: string;
  readonly io: ProcessIo;
}

/**
 * Where tools are put in a running container: a folder that the kernel has in every container and that is empty there.
 * Mounting on it needs no new folder, so nothing is written into the container.
 */
const KERNEL_FOLDER = "/sys/kernel/debug";
/** Of what does not run: in the layer that is dropped. */
const OWN_FOLDER = "/.tare-debug";
const FIND_SHELL = "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi";

/** Makes config.json of a session. */
export function debugSpec(request: DebugRequest, subject: DebugSubject, places: DebugPlaces): OciSpec {
  const { toolbox } = request;
  const tools = subject.pid === undefined ? OWN_FOLDER : KERNEL_FOLDER;
  const spec = buildSpec({
    args: argumentsOf(request, tools),
    env: environmentOf(request, subject, tools),
    cwd: toolbox.kind === "folder" ? subject.workdir : "/",
    user: request.user,
    terminal: request.tty,
    ...consoleOf(places.io),
    ...securityOf(request, subject),
    rootfs: places.root,
    hostname: subject.name.replaceAll(/[^A-Za-z0-9.-]/g, "-").slice(0, 63),
    cgroupMode: cgroupMode(),
    cgroupsPath: `${DEFAULT_CGROUP}/${places.id}`,
    mounts: mountsOf(request, subject, { ...places, tools }),
    deviceCgroupRules: subject.deviceRules ?? [],
    namespace: namespaceLimits(),
    ...namespacesOf(subject),
  });
  if (subject.pid === undefined) return spec;
  const { hostname: _, ...rest } = spec;
  const { sysctl: __, ...linux } = spec.linux;
  const joined = { ...rest, linux };
  // The container's own /proc, /sys and /dev are among its mounts; a bound /dev tells the runtime to leave it alone.
  const device = { destination: "/dev", type: "bind", source: `${places.root}/dev`, options: ["rbind"] };
  if (toolbox.kind === "image") return joined;
  return { ...joined, mounts: [device, ...spec.mounts.filter(({ destination }) => destination === tools)] };
}

function argumentsOf({ toolbox, command }: DebugRequest, tools: string): readonly string[] {
  if (command.length > 0) return command;
  return toolbox.kind === "folder" ? [`${tools}/bin/sh`] : ["/bin/sh", "-c", FIND_SHELL];
}

/** The container's own programs go before those of the tools. */
function environmentOf({ toolbox, tty }: DebugRequest, subject: DebugSubject, tools: string): readonly string[] {
  const own = ["HOME=/root", ...(tty ? ["TERM=xterm", "PS1=debug:\\w# "] : [])];
  if (toolbox.kind === "image") {
    const Env = toolbox.image.defaults.Env ?? [];
    return overrideEnvironment(own, processEnvironment({ Hostname: "debug", Tty: tty, Env }));
  }
  const path = subject.env.find((entry) => entry.startsWith("PATH=")) ?? "PATH=";
  return overrideEnvironment([...own, ...subject.env], [`${path}:${tools}/bin`]);
}

/** What the container may do, and looking at its processes. */
function securityOf({ privileged }: DebugRequest, { host }: DebugSubject): ReturnType<typeof securityInput> {
  const { security } = host;
  return securityInput(
    { ...host, security: { ...security, capAdd: [...security.capAdd, "SYS_PTRACE"] } },
    privileged || security.privileged,
  );
}

function mountsOf(
  { toolbox }: DebugRequest,
  subject: DebugSubject,
  places: DebugPlaces & { readonly tools: string },
): readonly SpecMount[] {
  const volumes =
    subject.pid === undefined
      ? subject.mounts
          .filter(({ type }) => type === "bind" || type === "volume")
          .map((mount) => specMount({ ...mount, readOnly: true }))
      : [];
  if (toolbox.kind === "folder") {
    return [...volumes, { destination: places.tools, type: "bind", source: toolbox.folder, options: ["ro"] }];
  }
  const inTarget = volumes.map((mount) => ({ ...mount, destination: `/target${mount.destination}` }));
  return [{ destination: "/target", type: "bind", source: places.target }, ...inTarget];
}

type JoinedNamespace = Exclude<NamespaceChoice, "private">;

function namespacesOf({ pid }: DebugSubject): {
  readonly network: "none" | JoinedNamespace;
  readonly pid?: JoinedNamespace;
  readonly ipc?: JoinedNamespace;
  readonly uts?: JoinedNamespace;
} {
  if (pid === undefined) return { network: "none" };
  const at = (name: string): JoinedNamespace => joinable(pid, name);
  return { network: at("net"), pid: at("pid"), ipc: at("ipc"), uts: at("uts") };
}

/** One that is this process's own anyway is not joined: an ordinary user may not enter the host's. */
function joinable(pid: number, name: string): JoinedNamespace {
  const path = `/proc/${pid}/ns/${name}`;
  return fs.readlinkSync(path) === fs.readlinkSync(`/proc/self/ns/${name}`) ? "host" : { path };
}
