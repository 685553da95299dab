// SPDX-License-Identifier: Apache-2.0
/* CDI devices of this host: that part of the face. */

/** A device that containers and build steps can ask for by name. */
export interface CdiDeviceSummary {
  /** `vendor.com/class=name`. */
  readonly name: string;
  readonly kind: string;
  /** The specification that it stands in; absent for one that is generated. */
  readonly file?: string;
  /** Device nodes, by their paths in the container. */
  readonly nodes: readonly string[];
  /** Paths in the container where something is mounted. */
  readonly mounts: readonly string[];
  /** Names of variables. */
  readonly env: readonly string[];
  /** Programs of the host that are called, with the moment: `createContainer /usr/bin/nvidia-cdi-hook`. */
  readonly hooks: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Files of this host that it needs and that are gone: it can't be had. */
  readonly missing: readonly string[];
}

/** A file that can't be used, or a device that two files claim. */
export interface CdiProblemReport {
  readonly files: readonly string[];
  readonly device?: string;
  readonly message: string;
}

/** What of CDI is on this host. */
export interface CdiListing {
  /** Folders that are read, the last wins. */
  readonly directories: readonly string[];
  readonly devices: readonly CdiDeviceSummary[];
  readonly problems: readonly CdiProblemReport[];
}
