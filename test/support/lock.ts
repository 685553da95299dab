// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";

/** Does work that several test files would do at once: the others wait, and find it done. Needs flock(1). */
export async function withLock(path: string, work: () => Promise<void>): Promise<void> {
  const holder = spawn("flock", [path, "sh", "-c", "echo locked; cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((done) => holder.once("close", done));
  try {
    await new Promise<void>((done, fail) => {
      holder.stdout.once("data", () => done());
      holder.once("error", fail);
    });
    await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
