// SPDX-License-Identifier: Apache-2.0
import { lockProject } from "../build/index.ts";
import type { LockRequest, LockResult } from "../build/index.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

/** `lock`. */
export function lock(rooms: Rooms, request: LockRequest): Promise<LockResult> {
  const { runRoot, env } = rooms.settings;
  const place = { store: rooms.writer(), runRoot, env, wheels: () => rooms.wheels() };
  return withVertex(request, "resolve the requirements", async (log) => {
    const result = await lockProject(place, request);
    for (const warning of result.warnings) log(warning);
    return result;
  });
}
