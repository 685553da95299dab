// SPDX-License-Identifier: Apache-2.0
/* Claims live in state.db: one transaction sees that the old owner is dead and takes over. */
import type { StoreContext } from "./context.ts";
import { identityOf, livenessOf } from "./leases.ts";

/** Takes a key for this process alone; undefined when a living process has it. Call the result to end the claim. */
export function takeClaim(context: StoreContext, key: string): (() => void) | undefined {
  const { database } = context;
  const owner = context.lease().id;
  const taken = database.write(() => {
    if (isClaimed(context, key)) return false;
    database.run(
      "INSERT INTO claims (id, owner) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner",
      key,
      owner,
    );
    return true;
  });
  if (!taken) return undefined;
  return () => {
    database.write(() => database.run("DELETE FROM claims WHERE id = ? AND owner = ?", key, owner));
  };
}

/** Whether a process that lives, or may live, has claimed a key. */
export function isClaimed(context: StoreContext, key: string): boolean {
  const owner = context.database.get("SELECT owner FROM claims WHERE id = ?", key)?.["owner"];
  const holder = typeof owner === "string" ? identityOf(owner) : undefined;
  return holder !== undefined && livenessOf(holder, context.leases.self) !== "dead";
}
