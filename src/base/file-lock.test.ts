// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withFileLock } from "./file-lock.ts";

let folder = "";
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-lock-"));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(process.platform !== "linux")("a lock on a path", () => {
  it("lets one after the other in, and leaves no file", async () => {
    const path = join(folder, "lock");
    let [inside, most, count] = [0, 0, 0];
    const task = async (): Promise<void> => {
      most = Math.max(most, (inside += 1));
      const before = count;
      await sleep(1);
      count = before + 1;
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 30 }, () => withFileLock(path, task)));
    expect({ most, count }).toEqual({ most: 1, count: 30 });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("takes the file of a process that was killed", async () => {
    const path = join(folder, "lock");
    fs.writeFileSync(path, "");
    expect(await withFileLock(path, () => "mine")).toBe("mine");
  });

  it("is given back when the task fails", async () => {
    const path = join(folder, "lock");
    const fail = (): Promise<never> => Promise.reject(new Error("no"));
    await expect(withFileLock(path, fail)).rejects.toThrow("no");
    expect(await withFileLock(path, () => 1)).toBe(1);
  });

  it("is not waited for longer than wanted", async () => {
    const path = join(folder, "lock");
    const stop = new AbortController();
    await withFileLock(path, async () => {
      const waiting = withFileLock(path, () => 1, stop.signal);
      stop.abort();
      await expect(waiting).rejects.toMatchObject({
        code: "E_ABORTED",
        message: `waiting for \`${path}\`: interrupted`,
      });
    });
  });
});
