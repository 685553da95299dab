// SPDX-License-Identifier: Apache-2.0
/* What a developer does with containers besides running them: that part of the face. */
import type { LaunchEntry, WatchEvent } from "../develop/index.ts";
import type { CreateRequest, ProcessIo } from "./facade-containers.ts";
import type { LongCall } from "./facade.ts";

export type { LaunchEntry, WatchEvent } from "../develop/index.ts";

/** `run --debug`. */
export interface DebugOptions extends LongCall {
  /** Of this machine; absent: 5678, or the next one that is free. */
  readonly port?: number;
  /** The program begins when an editor has attached. */
  readonly wait: boolean;
}

/** A container whose Python program runs under debugpy, to be started with `containers.run`. */
export interface DebugPlan {
  readonly request: CreateRequest;
  readonly host: string;
  readonly port: number;
  /** Of debugpy. */
  readonly version: string;
  /** Of the image's Python. */
  readonly python: string;
  /** For VS Code's `launch.json`. */
  readonly entry: LaunchEntry;
}

/** `run --notebook`. */
export interface NotebookOptions extends LongCall {
  /** Of this machine; absent: 8888, or the next one that is free. */
  readonly port?: number;
}

/** A container that serves notebooks, to be started with `containers.run`. */
export interface NotebookPlan {
  readonly request: CreateRequest;
  /** With the token. */
  readonly url: string;
  /** The folder of this machine that is at `workdir`; absent when the user mounts one himself. */
  readonly source?: string;
  readonly workdir: string;
  /** Of the JupyterLab that is put beside an image without Jupyter. */
  readonly version?: string;
}

/** `run --watch`. */
export interface WatchOptions {
  /** `SRC:DST`; absent: the folder of the engine's `cwd` over the image's working directory. */
  readonly place?: string;
  readonly onEvent: (event: WatchEvent) => void;
  /** Builds the image again, when what it is built from changes. */
  readonly rebuild?: () => Promise<void>;
  /** Fires when the user wants it to end; `kill` when he can't wait. */
  readonly end: AbortSignal;
  readonly kill: AbortSignal;
}

/** `debug`. */
export interface DebugShellRequest extends LongCall {
  /** A container's name or id, else an image's name. */
  readonly subject: string;
  /** The image that has the tools; absent: busybox of this machine. */
  readonly image?: string;
  /** Empty: a shell. */
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly privileged: boolean;
}

/** Containers under development. */
export interface DevelopApi {
  /**
   * Puts debugpy in front of a container's Python program, fetching it for the image's Python at the first use. The image
   * stays as it is. Throws `E_NOT_PYTHON`, `E_PYTHON_NOTFOUND`, `E_PORT_BUSY`, `E_IMAGE_NOTFOUND`, and what fetching throws.
   */
  debug(request: CreateRequest, options: DebugOptions): Promise<DebugPlan>;
  /**
   * Serves notebooks with the image's Jupyter, or with JupyterLab mounted beside the image, in the engine's `cwd`. Throws
   * `E_USAGE`, `E_PYTHON_NOTFOUND`, `E_PORT_BUSY`, `E_RESOLVE`, `E_IMAGE_NOTFOUND`, and what fetching throws.
   */
  notebook(request: CreateRequest, options: NotebookOptions): Promise<NotebookPlan>;
  /**
   * Runs in the foreground with the sources mounted, and starts anew when they change, until `end` fires; the last exit
   * code. Throws `E_WORKDIR`, `E_USAGE`, and what running throws.
   */
  watch(request: CreateRequest, options: WatchOptions, io: ProcessIo): Promise<number>;
  /**
   * A shell with tools in a container that may have none, or on the files of a stopped one or of an image; the exit code.
   * Throws `E_CONTAINER_NOTFOUND`, `E_CONTAINER_STATE`, `E_NO_TOOLS`, `E_IMAGE_NOTFOUND`.
   */
  shell(request: DebugShellRequest, io: ProcessIo): Promise<number>;
}
