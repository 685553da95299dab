// SPDX-License-Identifier: Apache-2.0
/* Several commands and calls that copy into one OCI layout folder at once. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readTextIfPresent } from "../../base/index.ts";
import { parseIndex } from "../../oci/index.ts";

const CHILD = join(import.meta.dirname, "layout-target.child.ts");
const PROCESSES = 4;
const EACH = 5;
let folder = "";

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-layout-"));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

interface Copying {
  readonly go: () => void;
  readonly end: Promise<unknown>;
}

async function startCopies(name: string): Promise<Copying> {
  const child = spawn(process.execPath, [CHILD, folder, name, String(EACH)], { stdio: ["pipe", "pipe", "pipe"] });
  let error = "";
  child.stderr.on("data", (text: Buffer) => (error += text.toString()));
  const end = once(child, "close").then(([code]) => expect({ code, error }).toEqual({ code: 0, error: "" }));
  await Promise.race([once(child.stdout, "data"), end]);
  return { go: () => child.stdin.write("go\n"), end };
}

/** What somebody who takes no lock sees: always a whole index, which only grows. */
async function watch(signal: AbortSignal): Promise<readonly number[]> {
  const seen: number[] = [];
  while (!signal.aborted) {
    const text = readTextIfPresent(join(folder, "index.json"));
    seen.push(text === undefined ? 0 : parseIndex(text).manifests.length);
    await sleep(1);
  }
  return seen;
}

it("20 images that are copied into a folder at once by 4 processes all stand in its index", async () => {
  const names = Array.from({ length: PROCESSES }, (_, index) => `p${index}`);
  const copies = await Promise.all(names.map(startCopies));
  const stop = new AbortController();
  const watching = watch(stop.signal);
  for (const { go } of copies) go();
  await Promise.all(copies.map(({ end }) => end));
  stop.abort();
  const seen = await watching;
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  const index = parseIndex(fs.readFileSync(join(folder, "index.json"), "utf8"));
  const tags = index.manifests.map(({ annotations }) => annotations?.["org.opencontainers.image.ref.name"]);
  const wanted = names.flatMap((name) => Array.from({ length: EACH }, (_, each) => `${name}-${each}`));
  expect(tags.toSorted()).toEqual(wanted.toSorted());
  expect(fs.readdirSync(folder).toSorted()).toEqual(["blobs", "index.json", "oci-layout"]);
  expect(fs.readdirSync(join(folder, "blobs/sha256"))).toHaveLength(PROCESSES * EACH + 1);
}, 60_000);
