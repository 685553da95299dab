// SPDX-License-Identifier: Apache-2.0
import { withLifeEvents } from "../store/index.ts";
import type { DocumentStore, Store } from "../store/index.ts";

/** The label that Docker gives volumes that nobody named. */
export const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

/** A volume as kept in the store. Never changed in place. */
export interface VolumeRecord {
  readonly version: 1;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  /** `-o`, as written. */
  readonly options: Readonly<Record<string, string>>;
  /** A container made it by naming it; Docker shows such ones otherwise. */
  readonly byContainer?: boolean;
}

/** What of the store this room works with. */
export type VolumeStore = Pick<Store, "root" | "documents" | "events" | "lease" | "claim">;

/** The records of volumes, by name. */
export function recordsOf(store: Pick<Store, "documents" | "events">): DocumentStore<VolumeRecord> {
  return withLifeEvents(store.documents<VolumeRecord>("volume"), store.events, ({ name }) => ({
    type: "volume",
    id: name,
    attributes: { driver: "local" },
  }));
}

/** Whether nobody named it: it goes with its container, and with a prune. */
export function isAnonymous({ labels }: Pick<VolumeRecord, "labels">): boolean {
  return Object.hasOwn(labels, ANONYMOUS_LABEL);
}
