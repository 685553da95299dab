// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import type { EngineOptions } from "./facade.ts";
import { settingsOf } from "./settings.ts";
import type { Host } from "./settings.ts";

const ROOT: Host = { uid: 0, home: "/root" };
const USER: Host = { uid: 1000, home: "/home/ann" };

interface Case {
  readonly name: string;
  readonly options?: Partial<EngineOptions>;
  readonly host: Host;
  readonly root: string;
  readonly runRoot: string | RegExp;
}

const CASES: readonly Case[] = [
  { name: "root's usual store", host: ROOT, root: "/var/lib/tare", runRoot: "/run/tare" },
  {
    name: "a user's usual store",
    host: USER,
    root: "/home/ann/.local/share/tare",
    runRoot: "/home/ann/.local/share/tare/run",
  },
  {
    name: "a user's store with XDG folders",
    options: { env: { XDG_DATA_HOME: "/d", XDG_RUNTIME_DIR: "/run/user/1000" } },
    host: USER,
    root: "/d/tare",
    runRoot: "/run/user/1000/tare",
  },
  {
    name: "TARE_ROOT, relative to the working directory",
    options: { env: { TARE_ROOT: "store" } },
    host: ROOT,
    root: "/home/me/store",
    runRoot: /^\/run\/tare-[0-9a-f]{16}$/,
  },
  {
    name: "the option before TARE_ROOT",
    options: { root: "/a", env: { TARE_ROOT: "/b" } },
    host: ROOT,
    root: "/a",
    runRoot: /^\/run\/tare-[0-9a-f]{16}$/,
  },
  {
    name: "empty texts as if absent",
    options: { root: "", env: { TARE_ROOT: "" } },
    host: ROOT,
    root: "/var/lib/tare",
    runRoot: "/run/tare",
  },
];

function settings(options: Partial<EngineOptions>, host: Host = ROOT): ReturnType<typeof settingsOf> {
  return settingsOf({ env: {}, cwd: "/home/me", ...options }, host);
}

describe("settings", () => {
  it.each(CASES)("give $name", ({ options = {}, host, root, runRoot }) => {
    const found = settings(options, host);
    expect(found.root).toBe(root);
    if (typeof runRoot === "string") expect(found.runRoot).toBe(runRoot);
    else expect(found.runRoot).toMatch(runRoot);
  });

  it("keep the run-time files of two stores apart", () => {
    expect(settings({ root: "/a" }).runRoot).not.toBe(settings({ root: "/b" }).runRoot);
  });

  it("read sync, fault and epoch from the environment that was given", () => {
    const env = { TARE_SYNC: "none", TARE_FAULT: "kill:blob.rename:1", SOURCE_DATE_EPOCH: "1700000000" };
    expect(settings({ env })).toMatchObject({ sync: "none", fault: "kill:blob.rename:1", epoch: 1_700_000_000 });
    expect(settings({})).toMatchObject({ sync: "full", fault: undefined, epoch: undefined });
  });

  it.each(["yesterday", "-1", "1.5", "99999999999999"])("refuse SOURCE_DATE_EPOCH=%s", (value) => {
    try {
      settings({ env: { SOURCE_DATE_EPOCH: value } });
      expect.unreachable();
    } catch (error) {
      expect(isTareError(error, "E_USAGE")).toBe(true);
    }
  });
});
