// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { execute, messageOf } from "../base/index.ts";
import type { IdRange } from "../base/index.ts";
import type { MapPlan } from "./map-plan.ts";
import { SEARCH_PATH, locate, refused } from "./programs.ts";
import { mapArguments } from "./sub-ids.ts";

/** Gives the namespace of a process its ids: with newuidmap and newgidmap, or by itself when it is one id. */
export async function writeMaps(pid: number, plan: MapPlan): Promise<void> {
  if (plan.kind === "single") return writeSingle(pid, plan);
  await Promise.all([giveIds("newuidmap", pid, plan.uids), giveIds("newgidmap", pid, plan.gids)]);
}

/** The kernel takes a group without newgidmap only when the namespace gives up setgroups(2) for good. */
function writeSingle(pid: number, { account }: MapPlan): void {
  try {
    writeFileSync(`/proc/${pid}/setgroups`, "deny");
    writeFileSync(`/proc/${pid}/uid_map`, `0 ${account.uid} 1\n`);
    writeFileSync(`/proc/${pid}/gid_map`, `0 ${account.gid} 1\n`);
  } catch (error) {
    throw refused(messageOf(error));
  }
}

async function giveIds(program: string, pid: number, rows: readonly IdRange[]): Promise<void> {
  const result = await execute(locate(program), [String(pid), ...mapArguments(rows)], { env: { PATH: SEARCH_PATH } });
  if (result.code !== 0) throw refused(result.stderr.trim() || `\`${program}\` ended with exit code ${result.code}`);
}
