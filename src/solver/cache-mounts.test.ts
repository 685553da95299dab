// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { takeCache } from "./cache-mounts.ts";
import type { CacheRequest, TakenCache } from "./cache-mounts.ts";

let root: string;
let store: Store;
const stop = new AbortController();

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-caches-"));
  store = openStore({ root, sync: "none" });
});
afterEach(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

function take(sharing: CacheRequest["sharing"], more: Partial<CacheRequest> = {}): Promise<TakenCache> {
  const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  return takeCache(store.cacheMounts, { id: "c", sharing, mode: 0o750, ...owner, signal: stop.signal, ...more });
}

describe("cache mounts", () => {
  it("keep their files, and take their look when new", async () => {
    const first = await take("shared");
    expect(fs.statSync(first.folder).mode & 0o777).toBe(0o750);
    fs.writeFileSync(join(first.folder, "kept"), "x");
    first.release();
    const second = await take("shared", { mode: 0o700 });
    expect([fs.readdirSync(second.folder), fs.statSync(second.folder).mode & 0o777]).toEqual([["kept"], 0o750]);
  });

  it("shared: all at once in one folder", async () => {
    const [one, two] = [await take("shared"), await take("shared")];
    expect(one.folder).toBe(two.folder);
  });

  it("private: another folder while one is used, the same one afterwards", async () => {
    const one = await take("private");
    const two = await take("private");
    expect(two.folder).not.toBe(one.folder);
    one.release();
    expect((await take("private")).folder).toBe(one.folder);
  });

  it("locked: waits for the other", async () => {
    const one = await take("locked");
    let isTaken = false;
    const waiting = take("locked").then((taken) => ((isTaken = true), taken));
    await sleep(120);
    expect(isTaken).toBe(false);
    one.release();
    expect((await waiting).folder).toBe(one.folder);
  });

  it("locked: an interruption ends the waiting", async () => {
    await take("locked");
    const abort = new AbortController();
    const waiting = take("locked", { signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: "E_ABORTED", exitCode: 130 });
  });

  it("are filled once", async () => {
    let fills = 0;
    const fill = async (folder: string): Promise<void> => {
      fills += 1;
      fs.writeFileSync(join(folder, "filled"), "");
    };
    for (let round = 0; round < 2; round += 1) (await take("locked", { fill })).release();
    expect(fills).toBe(1);
  });
});
