// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isTareError, linux } from "../base/index.ts";
import { putImage, putLayer, temporaryRoot, tryMount, verifyTexts } from "./fixture.ts";
import { openStore } from "./store.ts";

const folder = temporaryRoot();
const mounted = tryMount({ target: folder, type: "tmpfs", data: "size=12m" });
if (!mounted) console.log("skipped: the full-disk test needs the right to mount a tmpfs");

describe.skipIf(!mounted)("a full disk", () => {
  beforeAll(() => {
    expect(fs.readdirSync(folder)).toEqual([]);
  });
  afterAll(() => {
    linux.umount2(folder);
    fs.rmdirSync(folder);
  });

  it("ends writes with E_NOSPACE, leaves nothing half-made, and prune frees it", async () => {
    const store = openStore({ root: folder });
    const kept = putImage(store, ["docker.io/library/a:1"], [putLayer(store, { a: "1" }).diffId]);
    const failures = fillUp(() => store.blobs.writeBytes(Buffer.alloc(300_000, `${Math.random()}`)));
    expect(failures).toEqual(["E_NOSPACE"]);
    fillRest(join(folder, "filler"));
    expect(fillUp(() => putLayer(store, { big: "x".repeat(100_000), more: `${Math.random()}` }))).toEqual(["ENOSPC"]);
    expect(fs.statSync(join(store.root, "reserve")).size).toBe(1024 * 1024);
    store.close();

    const next = openStore({ root: folder });
    expect(next.images.list()).toEqual([kept]);
    const report = next.prune({ cache: "all" });
    expect(report.freed).toBeGreaterThan(5_000_000);
    expect(await next.fsck({ verifyLayer: verifyTexts })).toEqual([]);
    expect(next.contentOf(kept).missing).toEqual([]);
    expect(next.blobs.writeBytes("works again").size).toBe(11);
    next.close();
  });
});

/** Repeats until it fails; the code of the failure. */
function fillUp(act: () => unknown): string[] {
  for (let round = 0; round < 1000; round += 1) {
    try {
      act();
    } catch (error) {
      if (isTareError(error)) return [error.code];
      return [error instanceof Error && "code" in error ? String(error.code) : "unknown"];
    }
  }
  return [];
}

/** Takes the last bytes of the disk. */
function fillRest(path: string): void {
  const descriptor = fs.openSync(path, "w");
  try {
    for (;;) fs.writeSync(descriptor, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
  } finally {
    fs.closeSync(descriptor);
  }
}
