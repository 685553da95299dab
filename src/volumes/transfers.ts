// SPDX-License-Identifier: Apache-2.0
/* What makes copies of whole volumes and takes them back: whoever starts a container does without. */
export { backupVolume, cloneVolume, measureVolume, readableVolume, restoreVolume, verifyBackup } from "./copies.ts";
export { pushVolume } from "./registry/push.ts";
export { pullVolume } from "./registry/pull.ts";
