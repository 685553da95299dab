// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { linux } from "../base/index.ts";
import { parseFaultPlan } from "./faults.ts";
import { temporaryRoot, tryMount } from "./fixture.ts";
import { identityOf, livenessOf, ownIdentity } from "./leases.ts";
import { mountsBelow } from "./remove-tree.ts";
import { openStore } from "./store.ts";
import type { Store } from "./types.ts";

let root = "";
let store: Store;
beforeEach(() => {
  root = temporaryRoot();
  store = openStore({ root });
});
afterEach(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

const names = (): string[] => fs.readdirSync(join(root, "v1", "tmp"));

describe("leases", () => {
  it("name their process and end when released", () => {
    const lease = store.lease();
    expect(identityOf(lease.id)).toEqual(ownIdentity());
    expect(names()).toEqual([lease.id]);
    expect(store.recover()).toEqual([]);
    expect(fs.existsSync(lease.folder)).toBe(true);
    lease.release();
    lease.release();
    expect(names()).toEqual([]);
  });

  it("end with the store", () => {
    store.lease();
    store.blobs.writeBytes("x");
    expect(names()).toHaveLength(2);
    store.close();
    expect(names()).toEqual([]);
  });

  it("are told dead by boot, start time and pid", () => {
    const self = ownIdentity();
    expect(livenessOf(self, self)).toBe("alive");
    expect(livenessOf({ ...self, bootId: "0".repeat(32) }, self)).toBe("dead");
    expect(livenessOf({ ...self, startTime: "1" }, self)).toBe("dead");
    expect(livenessOf({ ...self, pid: 4_194_305 }, self)).toBe("dead");
    expect(livenessOf({ ...self, namespace: "1" }, self)).toBe("foreign");
  });

  it("of another pid namespace count as dead after a day without change", () => {
    const self = ownIdentity();
    const foreign = join(root, "v1", "tmp", `${self.pid}-1-${self.bootId}-1-00000000`);
    fs.mkdirSync(foreign);
    expect(store.recover()).toEqual([]);
    const yesterday = new Date(Date.now() - 25 * 3600 * 1000);
    fs.utimesSync(foreign, yesterday, yesterday);
    expect(store.recover()).toHaveLength(1);
  });

  it("of a killed process are rubbish at once", async () => {
    const sleeper = spawn("sleep", ["60"]);
    const { pid } = sleeper;
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
    const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    const self = ownIdentity();
    const folder = join(root, "v1", "tmp", `${pid}-${startTime}-${self.bootId}-${self.namespace}-00000000`);
    fs.mkdirSync(join(folder, "work"), { recursive: true, mode: 0o700 });
    fs.chmodSync(join(folder, "work"), 0);
    expect(store.recover()).toEqual([]);
    const ended = new Promise((resolve) => sleeper.on("close", resolve));
    sleeper.kill("SIGKILL");
    await ended;
    expect(store.recover()).toHaveLength(1);
    expect(names()).toEqual([]);
  });
});

describe("removing a tree", () => {
  it.each([
    ["itself", "/a/x", ["/a/x"]],
    ["below", "/a", ["/a/x", "/a/with space"]],
    ["a longer sibling", "/a/x/y", []],
    ["a name that begins alike", "/a/", []],
  ])("finds mounts at %s", (_name, path, found) => {
    const line = (point: string): string => `36 35 98:0 / ${point} rw shared:1 - ext4 /dev/root rw`;
    expect(mountsBelow(path, ["/", "/a/x", "/a/with\\040space", "/ab"].map(line).join("\n"))).toEqual(found);
  });

  it("leaves what is mounted in a dead lease alone", (context) => {
    const folder = join(root, "v1", "tmp", "1-1-00000000000000000000000000000000-1-00000000");
    const inner = join(folder, "mnt");
    fs.mkdirSync(inner, { recursive: true });
    const outside = fs.mkdtempSync(join(root, "user-"));
    fs.writeFileSync(join(outside, "precious"), "data");
    if (!tryMount({ source: outside, target: inner, flags: linux.MS_BIND })) context.skip("needs the right to mount");
    expect(store.recover()).toEqual([]);
    expect(fs.readFileSync(join(outside, "precious"), "utf8")).toBe("data");
    linux.umount2(inner);
    expect(store.recover()).toHaveLength(1);
  });
});

describe("fault plans", () => {
  it.each([
    ["kill:blob.rename:3", { action: "kill", when: "before", step: "blob.rename", occurrence: 3 }],
    ["kill-after:layer.sync", { action: "kill", when: "after", step: "layer.sync", occurrence: 1 }],
    ["enospc:*:7", { action: "error", code: "ENOSPC", step: "*", occurrence: 7 }],
    ["delay:state.write:1:50", { action: "delay", milliseconds: 50 }],
  ])("parse %s", (text, plan) => {
    expect(parseFaultPlan(text)).toMatchObject(plan);
  });

  it.each(["", "kill", "explode:blob.rename", "kill:Blob", "kill:a:b", "kill:blob.renam"])("refuse `%s`", (text) => {
    expect(() => parseFaultPlan(text)).toThrow(expect.objectContaining({ code: "E_USAGE" }));
  });

  it("delay where they are told to", () => {
    const slow = openStore({ root, fault: parseFaultPlan("delay:blob.rename:1:60") });
    const start = performance.now();
    slow.blobs.writeBytes("x");
    expect(performance.now() - start).toBeGreaterThan(55);
    slow.close();
  });
});
