// SPDX-License-Identifier: Apache-2.0
/* Volumes: that part of the face. */
import type { Filters, InspectDocument } from "./facade.ts";

/** `volume create`. */
export interface CreateVolumeRequest {
  /** Absent: a name is made up, and the volume is an anonymous one. */
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Options of the driver `local`: `type`, `device`, `o`. */
  readonly options: Readonly<Record<string, string>>;
}

/** A row of `volume ls`. */
export interface VolumeSummary {
  readonly name: string;
  readonly driver: "local";
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** The folder that containers see. */
  readonly mountpoint: string;
  /** Nobody named it: it goes with its container, and with a prune. */
  readonly anonymous: boolean;
  /** Names of the containers that have it. */
  readonly users: readonly string[];
  /** Bytes on disk; only when asked for. */
  readonly size?: number;
}

/** What a prune took. */
export interface VolumePruneReport {
  readonly volumes: readonly { readonly name: string; readonly size: number }[];
  readonly reclaimed: number;
}

/** Volumes. Absent ones throw `E_VOLUME_NOTFOUND`. */
export interface VolumesApi {
  /** One that exists stays as it is. Throws `E_VOLUME_NAME`, `E_VOLUME_OPTION`, `E_VOLUME_EXISTS`, `E_UNSUPPORTED`. */
  create(request: CreateVolumeRequest): Promise<{ readonly name: string; readonly existed: boolean }>;
  /** By name. Filters: name, label, driver, dangling. */
  list(request?: { readonly filters?: Filters; readonly size?: boolean }): Promise<readonly VolumeSummary[]>;
  inspect(name: string): Promise<InspectDocument>;
  /** Throws `E_VOLUME_INUSE`. */
  remove(name: string): Promise<void>;
  /** Volumes without a container: anonymous ones, with `all` the others too. Filters: label, label!, until, all. */
  prune(request: {
    readonly all: boolean;
    readonly filters: Filters;
    /** Says what would go and removes nothing. */
    readonly dryRun?: boolean;
  }): Promise<VolumePruneReport>;
  /** All names, for completion; fast. */
  names(): Promise<readonly string[]>;
}
