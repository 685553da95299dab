// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWheel } from "../../../test/support/wheel-fixture.ts";
import { digestOf } from "../../base/index.ts";
import { LaneWriter, newLane, stopLane } from "./hash-lane.ts";
import { runJob } from "./jobs.ts";
import { WorkerPool } from "./worker-pool.ts";
import type { MeasureJob } from "./jobs.ts";

const pool = new WorkerPool(2);
let base = "";
beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), "tare-lane-"));
});
afterAll(() => fs.rmSync(base, { recursive: true, force: true }));

/** Bytes outside of contents, or a content with what RECORD says of it. */
type Part = { readonly bytes: Uint8Array } | { readonly content: readonly Uint8Array[]; readonly says?: string };

function recordHash(pieces: readonly Uint8Array[]): string {
  return `sha256=${createHash("sha256").update(Buffer.concat(pieces)).digest("base64url")}`;
}

/** Sends parts from this thread, which a test may block, to one that hashes. */
async function hashed(parts: readonly Part[]): Promise<string> {
  const lane = newLane();
  const reading = pool.run({ kind: "hash", lane }, 1);
  // It has to be there before this thread sleeps.
  await new Promise((done) => setTimeout(done, 60));
  const writer = new LaneWriter(lane, ({ name }) => new Error(`wrong: ${name}`));
  for (const [index, part] of parts.entries()) {
    if ("bytes" in part) writer.update(part.bytes);
    else {
      const observer = writer.observer(part.says ?? recordHash(part.content), { wheel: "w", name: `file ${index}` });
      for (const piece of part.content) writer.update(piece);
      observer.end();
    }
  }
  try {
    return writer.digest();
  } finally {
    await reading;
  }
}

const all = (parts: readonly Part[]): Buffer =>
  Buffer.concat(parts.flatMap((part) => ("bytes" in part ? [part.bytes] : part.content)));

describe("a lane", () => {
  it("hashes what it is given, in whatever pieces", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 700 }),
      fc.integer({ min: 1, max: 2_000_000 }).map((size) => Buffer.alloc(size, size % 251)),
    );
    const part = fc.oneof(bytes.map((some): Part => ({ bytes: some })), fc.array(bytes, { maxLength: 4 }).map((content): Part => ({ content }))); // prettier-ignore
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        expect(await hashed(parts)).toBe(digestOf(all(parts)));
      }),
      { numRuns: 30 },
    );
  });

  it("names the first content that is not what RECORD says", async () => {
    const good = { content: [Buffer.from("good")] };
    const other = recordHash([Buffer.from("other")]);
    await expect(hashed([good, { content: [], says: other }, { ...good, says: other }])).rejects.toThrow(
      "wrong: file 1",
    );
    await expect(hashed([good, { ...good, says: recordHash(good.content).replace("sha256", "sha512") }])).rejects.toThrow("wrong: file 1"); // prettier-ignore
  });

  it("is left by both sides when it is stopped", async () => {
    const lane = newLane();
    const reading = pool.run({ kind: "hash", lane }, 1);
    await new Promise((done) => setTimeout(done, 60));
    stopLane(lane);
    await reading;
    const writer = new LaneWriter(lane, () => new Error("wrong"));
    expect(() => {
      for (;;) writer.update(Buffer.alloc(1 << 18));
    }).toThrow(/interrupted/);
    expect(() => writer.digest()).toThrow(/interrupted/);
  });

  it("wakes a sleeping writer when it is stopped", async () => {
    const lane = newLane();
    const script = `import { LaneWriter } from ${JSON.stringify(new URL("./hash-lane.ts", import.meta.url).href)};
      import { parentPort, workerData } from "node:worker_threads";
      const writer = new LaneWriter(workerData, () => new Error("wrong"));
      try { for (;;) writer.update(Buffer.alloc(1 << 18)); } catch (error) { parentPort.postMessage(error.code); }`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), { workerData: lane });
    const answer = new Promise((done) => worker.on("message", done).on("error", done));
    await new Promise((done) => setTimeout(done, 300));
    stopLane(lane);
    expect(await answer).toBe("E_ABORTED");
    await worker.terminate();
  });
});

describe("measuring with a lane", () => {
  const SCHEME = { purelib: "/lib", platlib: "/lib", scripts: "/bin", headers: "/include", data: "/usr" };
  const job = (files: Readonly<Record<string, string>>, record?: (text: string) => string): MeasureJob => {
    const { fileName, bytes } = makeWheel({ name: "demo", files, ...(record === undefined ? {} : { record }) });
    const file = join(base, fileName);
    fs.writeFileSync(file, bytes);
    const settings = { scheme: SCHEME, executable: "/usr/bin/python3", python: "3.11.2", slim: [] };
    return { kind: "measure", wheels: [{ file, fileName, isRequested: true }], settings };
  };

  it("gives the same report as without", async () => {
    const measure = job({
      "demo/__init__.py": "x = 1\n".repeat(200_000),
      "demo/empty.py": "",
      "demo/data": "d".repeat(700),
    });
    const lane = newLane();
    const [, report] = await Promise.all([pool.run({ kind: "hash", lane }, 1), pool.run({ ...measure, lane }, 1)]);
    expect(report).toEqual(await runJob(measure));
  });

  it("refuses what RECORD says otherwise of", async () => {
    const files = { "demo/__init__.py": "", "demo/wrong.py": "x = 1\n" };
    const wrong = recordHash([Buffer.from("x = 2\n")]);
    const measure = job(files, (text) => text.replace(/^(demo\/wrong\.py),[^,]*/m, `$1,${wrong}`));
    const lane = newLane();
    const [hashing, measuring] = await Promise.allSettled([
      pool.run({ kind: "hash", lane }, 1),
      pool.run({ ...measure, lane }, 1),
    ]);
    expect(hashing.status).toBe("fulfilled");
    expect(measuring).toMatchObject({
      reason: { code: "E_WHEEL_RECORD", message: expect.stringContaining("wrong.py") as string },
    });
  });
});
