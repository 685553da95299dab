// SPDX-License-Identifier: Apache-2.0
import { readTextIfPresent } from "../base/index.ts";
import type { Account, IdRange } from "../base/index.ts";
import { parseSubIds, planMap } from "./sub-ids.ts";
import type { SubIdOwner } from "./sub-ids.ts";

/** The ids that a user's namespace gets. */
export interface MapPlan {
  /** `single`: nobody but the user himself, since root has lent him no ids. */
  readonly kind: "full" | "single";
  readonly account: Account;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** The tables that a plan is made of, as text; for tests. */
export interface IdTables {
  readonly passwd: string;
  readonly subuid: string;
  readonly subgid: string;
}

/** The tables of this host. */
export function hostTables(): IdTables {
  const [passwd = "", subuid = "", subgid = ""] = ["passwd", "subuid", "subgid"].map((name) =>
    readTextIfPresent(`/etc/${name}`),
  );
  return { passwd, subuid, subgid };
}

/** What a user gets. Both tables must have a row of his, or it is a `single` one. */
export function planMaps(account: Account, tables: IdTables): MapPlan {
  const owner = { uid: account.uid, name: accountName(account.uid, tables.passwd) };
  const [uids, gids] = [parseSubIds(tables.subuid, owner), parseSubIds(tables.subgid, owner)];
  const isFull = uids.length > 0 && gids.length > 0;
  return {
    kind: isFull ? "full" : "single",
    account,
    uids: planMap(account.uid, isFull ? uids : []),
    gids: planMap(account.gid, isFull ? gids : []),
  };
}

/** The account's name in a passwd text. */
export function accountName(uid: number, passwd: string): SubIdOwner["name"] {
  const row = passwd.split("\n").find((line) => line.split(":")[2] === String(uid));
  return row?.split(":")[0];
}
