// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openStore } from "../store/index.ts";
import { Networks } from "./networks.ts";
import type { Endpoint, NetworkRecord } from "./types.ts";

const ENDPOINT: Endpoint = JSON.parse('{"name":"web","ipv4":"10.0.0.2","macAddress":""}');

it("networks tell who made, joined, left and removed them", async () => {
  const root = fs.mkdtempSync(join(tmpdir(), "tare-network-"));
  const store = openStore({ root, sync: "none" });
  const networks = new Networks(store);
  const documents = networks.documents();
  const record: NetworkRecord = { ...networks.default(), id: "n1", name: "backend", isDefault: false };
  documents.insert("n1", "backend", record);
  const joined = (names: readonly string[]) => (before: NetworkRecord) => ({
    ...before,
    endpoints: Object.fromEntries(names.map((name) => [name, ENDPOINT])),
  });
  for (const names of [["c1"], ["c1", "c2"], ["c2"], ["c2"]]) documents.update("n1", joined(names));
  documents.remove("n1");
  const seen: string[] = [];
  for await (const { type, action, attributes } of store.events.read({ since: 0, until: Date.now() + 5 })) {
    seen.push([type, action, attributes["name"], attributes["container"]].filter(Boolean).join(" "));
  }
  expect(seen).toEqual([
    "network create bridge",
    "network create backend",
    "network connect backend c1",
    "network connect backend c2",
    "network disconnect backend c1",
    "network destroy backend",
  ]);
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});
