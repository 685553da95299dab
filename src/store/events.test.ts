// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Effects } from "./effects.ts";
import { eventJournal } from "./events.ts";
import type { EventJournal, EventRange, StoreEvent } from "./events.ts";

let folder = "";
let journal: EventJournal;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-events-"));
  journal = eventJournal(folder, new Effects(), false);
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const record = (action: string, attributes: Record<string, string> = {}): void =>
  journal.record({ type: "container", action, id: "1", attributes });

async function read(range: EventRange): Promise<StoreEvent[]> {
  const found: StoreEvent[] = [];
  for await (const event of journal.read(range)) found.push(event);
  return found;
}
const actions = async (range: EventRange): Promise<string[]> => (await read(range)).map(({ action }) => action);

describe("the journal of events", () => {
  it("gives back what was recorded, with the time", async () => {
    const before = Date.now() - 1;
    record("start", { name: "web" });
    const [event] = await read({ since: 0, until: Date.now() + 10 });
    expect(event).toMatchObject({ type: "container", action: "start", id: "1", attributes: { name: "web" } });
    expect(Number(event?.time) / 1e6).toBeGreaterThan(before);
    expect(event?.time).toMatch(/^\d{19}$/);
  });

  it("is empty where there was none, and ends at a time that is past", async () => {
    expect(await actions({ since: 0, until: Date.now() - 1000 })).toEqual([]);
  });

  it("skips torn lines and others' rubbish", async () => {
    record("one");
    fs.appendFileSync(join(folder, "events"), '{"type":"contai\n[]\n{"type":1}\n');
    record("two");
    expect(await actions({ since: 0, until: Date.now() + 100 })).toEqual(["one", "two"]);
  });

  it("is bounded, and is followed across a new file", async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const event of journal.read({ since: 0, signal: stop.signal })) {
        if (event.action.startsWith("mark")) seen.push(event.action);
        if (event.action === "mark 5") stop.abort();
      }
    })();
    for (let mark = 1; mark <= 5; mark += 1) {
      record(`mark ${mark}`);
      for (let n = 0; n < 600; n += 1) record("filler", { text: "x".repeat(1500) });
      await new Promise((resolve) => setTimeout(resolve, 120));
    }
    await following;
    expect(seen).toEqual([1, 2, 3, 4, 5].map((mark) => `mark ${mark}`));
    const sizes = fs.readdirSync(folder).map((name) => fs.statSync(join(folder, name)).size);
    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThan(2.1 * 1024 * 1024);
  });

  it("costs no command its success when it can't be written", () => {
    fs.mkdirSync(join(folder, "events"));
    expect(() => record("start")).not.toThrow();
  });
});
