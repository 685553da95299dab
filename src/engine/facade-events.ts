// SPDX-License-Identifier: Apache-2.0
import type { Filters } from "./facade.ts";

export type { StoreEvent } from "../store/index.ts";

/** `events`. Times in milliseconds since the epoch. */
export interface EventsRequest {
  /** Absent: only what comes from now on. */
  readonly since?: number;
  /** Absent: until `signal` fires. */
  readonly until?: number;
  /** container, event, image, label, network, scope, type, volume. */
  readonly filters: Filters;
  readonly signal?: AbortSignal;
}
