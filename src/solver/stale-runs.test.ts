// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { newRunFolder, removeStaleRuns, runState } from "./stale-runs.ts";

let root: string;
let runRoot: string;
let store: Store;
const noRuntime = (): Promise<never> => Promise.reject(new Error("no runtime is needed"));

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-runs-"));
  runRoot = join(root, "run");
  store = openStore({ root, sync: "none" });
});
afterEach(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

describe("folders of RUN steps", () => {
  it("are no rubbish while their build's lease lives, and are when it is gone", async () => {
    const lease = store.lease();
    const folder = newRunFolder(runRoot, lease);
    fs.mkdirSync(runState(folder), { recursive: true });
    fs.writeFileSync(join(folder, "secret"), "hidden");
    expect(await removeStaleRuns(store, runRoot, noRuntime)).toEqual([]);
    lease.release();
    expect(await removeStaleRuns(store, runRoot, noRuntime)).toEqual([basename(folder)]);
    expect(fs.existsSync(folder)).toBe(false);
  });

  it("differ for the steps of one build", () => {
    const lease = store.lease();
    expect(newRunFolder(runRoot, lease)).not.toBe(newRunFolder(runRoot, lease));
  });

  it("need not exist", async () => {
    expect(await removeStaleRuns(store, join(root, "absent"), noRuntime)).toEqual([]);
  });
});
