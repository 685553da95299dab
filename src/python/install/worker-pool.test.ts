// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWheel } from "../../../test/support/wheel-fixture.ts";
import { WorkerPool } from "./worker-pool.ts";
import type { UnpackJob } from "./unpack.ts";

let base = "";
beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), "tare-pool-"));
});
afterAll(() => fs.rmSync(base, { recursive: true, force: true }));

const FOLDER = "/usr/lib/py";
const SCHEME = { purelib: FOLDER, platlib: FOLDER, scripts: "/usr/bin", headers: "/usr/include", data: "/usr" };

function jobOf(name: string): UnpackJob {
  const { fileName, bytes } = makeWheel({ name });
  const file = join(base, fileName);
  fs.writeFileSync(file, bytes);
  const tree = join(base, `${name}-tree`);
  fs.mkdirSync(tree, { recursive: true });
  const settings = { scheme: SCHEME, executable: "/usr/bin/python3", python: "3.11.2", slim: [] };
  return { kind: "unpack", wheels: [{ file, fileName, isRequested: false }], settings, tree, part: 0, parts: 1 };
}

/** Threads that count themselves and do as told. */
function threads(script: string): { readonly start: () => Promise<Worker>; readonly count: () => number } {
  let count = 0;
  const start = async (): Promise<Worker> => {
    count += 1;
    return new Worker(script, { eval: true });
  };
  return { start, count: () => count };
}

const ANSWER = "const { parentPort: p } = require('node:worker_threads');";
const SIZED = `${ANSWER} p.on('message', (job) => p.postMessage({ report: { files: job.parts, size: 0, folders: [], replaced: [] } }))`;

describe("the pool", () => {
  it("does jobs on real threads", async () => {
    const pool = new WorkerPool(2);
    const names = ["one", "two", "three", "four", "five"];
    const reports = await Promise.all(names.map((name, cost) => pool.run(jobOf(name), cost)));
    expect(reports.map(({ files }) => files)).toEqual([5, 5, 5, 5, 5]);
    expect(fs.existsSync(join(base, "five-tree", FOLDER, "five/__init__.py"))).toBe(true);
  });

  it("uses threads that were started before there was work, and starts no more of them than fit", async () => {
    const { start, count } = threads(SIZED);
    const pool = new WorkerPool(2, start);
    pool.warmUp(1);
    pool.warmUp(9);
    pool.warmUp(2);
    expect(count()).toBe(2);
    await Promise.all(["a", "b", "c"].map((name, cost) => pool.run(jobOf(name), cost)));
    expect(count()).toBe(2);
    pool.warmUp(2);
    expect(count()).toBe(2);
  });

  it("keeps threads for a moment, and no longer", async () => {
    const { start, count } = threads(SIZED);
    const pool = new WorkerPool(2, start, 40);
    await pool.run(jobOf("first"), 1);
    expect(pool.isWarm).toBe(true);
    await pool.run(jobOf("second"), 1);
    expect(count()).toBe(1);
    await expect.poll(() => pool.isWarm).toBe(false);
    await pool.run(jobOf("third"), 1);
    expect(count()).toBe(2);
  });

  it("hands on the code and hint of an error, and goes on", async () => {
    const pool = new WorkerPool(1);
    const bad = jobOf("bad");
    fs.writeFileSync(bad.wheels[0]?.file ?? "", "no wheel");
    const results = await Promise.allSettled([pool.run(bad, 2), pool.run(jobOf("good"), 1)]);
    expect(results[0]).toMatchObject({ reason: { code: "E_ZIP", hint: expect.any(String) as string } });
    expect(results[1]).toMatchObject({ status: "fulfilled", value: { files: 5 } });
  });

  it("starts no more threads than it may, and takes them again", async () => {
    const { start, count } = threads(SIZED);
    const pool = new WorkerPool(3, start);
    await Promise.all(Array.from({ length: 20 }, () => pool.run(jobOf("x"), 1)));
    expect(count()).toBe(3);
  });

  it("replaces a thread that dies", async () => {
    const { start, count } = threads(`${ANSWER} p.on('message', () => { throw new Error('out of luck') })`);
    const pool = new WorkerPool(1, start);
    const results = await Promise.allSettled([1, 2, 3].map((cost) => pool.run(jobOf("x"), cost)));
    expect(results.map((result) => (result.status === "rejected" ? String(result.reason) : "fine"))).toEqual([
      "Error: out of luck",
      "Error: out of luck",
      "Error: out of luck",
    ]);
    expect(count()).toBe(3);
  });

  it("ends a thread that is told to stop, and does not start those that wait", async () => {
    const { start, count } = threads(`${ANSWER} p.on('message', () => { for (;;); })`);
    const pool = new WorkerPool(1, start);
    const control = new AbortController();
    const work = [1, 2].map((cost) => pool.run(jobOf("x"), cost, control.signal));
    setTimeout(() => control.abort(), 50);
    const results = await Promise.allSettled(work);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(count()).toBe(1);
  });

  it("does the most expensive job first", async () => {
    const { start } = threads(SIZED);
    const pool = new WorkerPool(1, start);
    const order: number[] = [];
    await Promise.all([1, 5, 3, 9].map((cost) => pool.run(jobOf("x"), cost).then(() => order.push(cost))));
    expect(order).toEqual([1, 9, 5, 3]);
  });
});
