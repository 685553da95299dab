// SPDX-License-Identifier: Apache-2.0
import type { BootReport } from "../containers/index.ts";

export type { BootReport } from "../containers/index.ts";

/** Whether systemd starts this store's containers with the machine. */
export interface BootService {
  /** `tare.service`, or with a number for a store that is not the usual one. */
  readonly unit: string;
  /** Where the unit is, or would be. */
  readonly path: string;
  /** A service of the whole machine, or of a user. */
  readonly scope: "system" | "user";
  /** False where systemd does not run: then nothing can be installed. */
  readonly hasSystemd: boolean;
  readonly isInstalled: boolean;
  readonly isEnabled: boolean;
  /** User services start at the user's first log-in, with lingering at boot. */
  readonly lingers: boolean;
}

/** What makes containers with a restart policy survive the end of the machine. */
export interface BootApi {
  /** Starts what runs by its restart policy and does not run: `always`, `unless-stopped` unless a user stopped it. */
  start(): Promise<BootReport>;
  /** Stops what runs and has a restart policy; the next `start` starts it again. */
  stop(): Promise<BootReport>;
  service(): Promise<BootService>;
  /** Writes and enables the unit. `program`: how systemd starts Tare. Throws `E_UNSUPPORTED` without systemd. */
  install(program: readonly string[]): Promise<BootService>;
  /** Disables and removes it; containers go on. */
  uninstall(): Promise<BootService>;
  /** True once per store, while the service is not installed: the user should hear of it. */
  shouldMention(): Promise<boolean>;
}
