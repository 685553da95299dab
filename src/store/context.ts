// SPDX-License-Identifier: Apache-2.0
import type { Database } from "./database.ts";
import type { Effects } from "./effects.ts";
import type { Layout } from "./layout.ts";
import type { Leases } from "./leases.ts";
import type { Lease } from "./types.ts";

/** What the parts of one open store share. */
export interface StoreContext {
  readonly layout: Layout;
  readonly effects: Effects;
  readonly leases: Leases;
  /** state.db, opened at its first use. */
  readonly database: Database;
  readonly readonly: boolean;
  readonly sync: "full" | "none";
  /** The lease that this process's own writes lie in; made at the first write. */
  lease(): Lease;
}
