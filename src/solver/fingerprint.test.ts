// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../store/index.ts";
import { ContextTree } from "./context-tree.ts";
import { planCopy } from "./copy-plan.ts";
import { MemoDigests, PLAIN_DIGESTS, planDigest } from "./fingerprint.ts";
import type { FileDigests } from "./fingerprint.ts";
import type { CopyOp } from "../graph/index.ts";

const WHOLE: CopyOp = {
  type: "copy",
  sources: [{ from: 1, paths: ["/"] }],
  destination: "/",
  parents: false,
  link: false,
  command: "COPY",
};

let root: string;
const at = (path: string): string => join(root, "context", path);

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-print-"));
  fs.mkdirSync(at("dir"), { recursive: true });
  fs.writeFileSync(at("file"), "content");
  fs.writeFileSync(at("dir/other"), "other");
  fs.symlinkSync("file", at("link"));
  fs.linkSync(at("file"), at("dir/hard"));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const digest = (digests: FileDigests = PLAIN_DIGESTS, op = WHOLE): Promise<string> =>
  planDigest(planCopy(op, [undefined, new ContextTree(join(root, "context"))]), () => ({ digests, owners: false }));

describe("the key of what a copy takes", () => {
  it("does not depend on times or on the order of creation", async () => {
    const before = await digest();
    const times = fc.array(fc.integer({ min: 1, max: 2 ** 31 }), { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(times, async (seconds) => {
        for (const [index, name] of ["file", "dir", "dir/other", "link"].entries())
          fs.lutimesSync(at(name), seconds[index] ?? 0, seconds[index] ?? 0);
        expect(await digest()).toBe(before);
      }),
      { numRuns: 20 },
    );
    fs.renameSync(at("dir/other"), at("dir/moved"));
    fs.writeFileSync(at("dir/other"), "other");
    fs.rmSync(at("dir/moved"));
    expect(await digest()).toBe(before);
  });

  it("depends on every byte", async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), async (data, where, change) => {
        fs.writeFileSync(at("file"), data);
        const before = await digest();
        const changed = Buffer.from(data);
        const place = where % changed.length;
        changed[place] = (changed[place] ?? 0) ^ change;
        fs.writeFileSync(at("file"), changed);
        expect(await digest()).not.toBe(before);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ["a mode", () => fs.chmodSync(at("file"), 0o711)],
    ["a directory's mode", () => fs.chmodSync(at("dir"), 0o700)],
    ["a link's target", () => (fs.unlinkSync(at("link")), fs.symlinkSync("dir", at("link")))],
    ["a name", () => fs.renameSync(at("dir/other"), at("dir/another"))],
    ["a place", () => fs.renameSync(at("dir/other"), at("other"))],
    ["a new empty directory", () => fs.mkdirSync(at("empty"))],
    ["a type", () => (fs.unlinkSync(at("link")), fs.writeFileSync(at("link"), "file"))],
    ["a broken hard link", () => (fs.unlinkSync(at("dir/hard")), fs.writeFileSync(at("dir/hard"), "content"))],
  ])("depends on %s", async (_what, change) => {
    const before = await digest();
    change();
    expect(await digest()).not.toBe(before);
  });

  it("depends on whether archives are unpacked", async () => {
    const unpacked = { ...WHOLE, sources: [{ from: 1, paths: ["/"], unpack: true }] };
    expect(await digest(PLAIN_DIGESTS, unpacked)).not.toBe(await digest());
  });

  it("is the same from the memo, which sees a change of the same size", async () => {
    const store = openStore({ root: join(root, "store"), sync: "none" });
    try {
      const open = (): MemoDigests => new MemoDigests(store.fingerprints.open(join(root, "context")));
      const before = await digest(open());
      expect(before).toBe(await digest());
      fs.writeFileSync(at("dir/other"), "OTHER");
      expect(await digest(open())).not.toBe(before);
      expect(await digest(open())).toBe(await digest());
    } finally {
      store.close();
    }
  });
});
