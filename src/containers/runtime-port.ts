// SPDX-License-Identifier: Apache-2.0
import type { OciSpec, OverlayMount } from "../runtime/index.ts";
import type { ContainerFiles } from "./context.ts";
import type { LogWriter } from "./logs/writer.ts";
import type { ExecRequest, ProcessIo, ResourceRequest } from "./request.ts";
import type { ContainerRecord } from "./types.ts";

/** A container whose folder is ready to be started. */
export interface Launch {
  readonly record: ContainerRecord;
  readonly files: ContainerFiles;
  /** Absent with the host's network and without any. */
  readonly network?: LaunchNetwork;
  /** Path of the process namespace that is joined; absent: one of its own, or the host's. */
  readonly processes?: string;
}

/** The network namespace that a container joins, and what its files in /etc say of it. */
export interface LaunchNetwork {
  /** `/proc/PID/ns/net`; there once `ready`. */
  readonly namespace: string;
  readonly ready: Promise<void>;
  /** Its own addresses. */
  readonly addresses: readonly string[];
  /** The user namespace that it belongs to, where that is the container's own. */
  readonly userNamespace?: string;
  /** What `host-gateway` stands for. */
  readonly gateway: string;
  /** Further lines of /etc/hosts, `NAME:ADDRESS`. */
  readonly hosts: readonly string[];
  /** Name servers of networks with names, instead of the host's; empty: the host's. */
  readonly nameServers: readonly string[];
  /** The folder of the container whose files in /etc are shared too. */
  readonly etcOf?: string | undefined;
}

/** A process with a root file system of its own that is no container of the store. */
export interface BesideLaunch {
  /** By `besideId`, so that prune can tell whether its owner lives. */
  readonly id: string;
  /** Private existing folder for the runtime's files. */
  readonly folder: string;
  readonly spec: OciSpec;
  readonly overlays: readonly OverlayMount[];
  /** A running process whose whole tree of mounts is attached at the path, for this session alone. */
  readonly attach?: { readonly pid: number; readonly target: string };
  /** `--runtime` of the container. */
  readonly runtime?: string | undefined;
}

/** How the first process of a container ended. */
export interface Outcome {
  /** The program's own, or 128 + signal. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** The user sent a signal that was meant to end it. */
  readonly endedByUser?: boolean;
}

/** What this area needs of the OCI runtime and conmon. */
export interface ContainerRuntime {
  /** Starts, waits for the end and cleans the runtime's state. Throws when the program could not be started. */
  runForeground(launch: Launch, io: ProcessIo, log: LogWriter | undefined): Promise<Outcome>;
  /**
   * Starts under conmon. Throws when the program could not be started. `onCreated` is called when all is ready, before
   * the program starts.
   */
  startDetached(
    launch: Launch,
    onCreated?: () => Promise<void>,
  ): Promise<{ readonly supervisorPid: number; readonly pid: number }>;
  /** Runs a further process in a running container; the exit code, 0 at once when detached. */
  exec(launch: Launch, request: ExecRequest, io: ProcessIo): Promise<number>;
  /** The command line that runs a further process, without a terminal, as often as wanted; its files are in `folder`. */
  execCommand(launch: Launch, command: readonly string[], folder: string): Promise<readonly string[]>;
  /** Sends a signal by number to the first process, or to all. */
  kill(record: ContainerRecord, signal: number, all: boolean): Promise<void>;
  pause(record: ContainerRecord): Promise<void>;
  resume(record: ContainerRecord): Promise<void>;
  /** Gives a running container other limits. */
  update(record: ContainerRecord, limits: ResourceRequest): Promise<void>;
  /** Kills what is left and removes the runtime's state, cgroup and mounts; nothing left is no error. */
  cleanup(launch: Launch): Promise<void>;
  /** Ids of all containers that the runtime's state of this store knows. */
  list(): Promise<readonly string[]>;
  /** Pids on this host of all processes of a running container. */
  processes(record: ContainerRecord): Promise<readonly number[]>;
  /** Runs a process beside a container, or on an image's files, to its end. */
  runBeside(session: BesideLaunch, io: ProcessIo): Promise<Outcome>;
  /** `cleanup` for a container of which only the id is known. */
  discard(id: string): Promise<void>;
}
