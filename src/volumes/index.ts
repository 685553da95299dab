// SPDX-License-Identifier: Apache-2.0
export { anonymousName, checkVolumeName } from "./names.ts";
export { isAnonymous } from "./record.ts";
export type { VolumeRecord, VolumeStore } from "./record.ts";
export { volumeBacking } from "./local-options.ts";
export type { VolumeBacking } from "./local-options.ts";
export {
  createVolume,
  dataPath,
  findVolume,
  folderOf,
  listVolumes,
  placeOf,
  removeVolume,
  requireVolume,
} from "./volumes.ts";
export type { CreateVolume, VolumeUsers } from "./volumes.ts";
export { clearWork } from "./work.ts";
export { fillVolume } from "./fill.ts";
export type { BackupRequest, CopyCall } from "./copies.ts";
export type { BackupContents } from "./backup/read.ts";
export type { Publication } from "./publish.ts";
export type { PushedVolume, RemoteVolume } from "./registry/push.ts";
export type { PulledVolume } from "./registry/pull.ts";

/** Backups, clones and transfers of whole volumes: loaded when there is one, not whenever a container starts. */
export function volumeTransfers(): Promise<typeof import("./transfers.ts")> {
  return import("./transfers.ts");
}
