// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkHost } from "./host-checks.ts";
import { settingsOf } from "./settings.ts";

const root = fs.mkdtempSync(join(tmpdir(), "tare-check-"));
const settings = settingsOf({ env: { PATH: "/usr/bin:/bin" }, cwd: "/", root }, { uid: undefined, home: root });
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

describe("the checks of a host", () => {
  it("say of each thing what was found and what it is for", async () => {
    const checks = await checkHost(settings);
    const names = checks.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("runtime");
    for (const check of checks) {
      expect(check.detail, check.name).not.toBe("");
      expect(check.needed, check.name).not.toBe("");
    }
  });

  it("tell for everything that is missing how to get it", async () => {
    const lacking = (await checkHost(settings)).filter(({ status }) => status !== "ok");
    for (const check of lacking) expect(check.package ?? check.hint, check.name).toBeTruthy();
  });

  it("count a store that is not there yet as fine", async () => {
    const absent = settingsOf({ env: {}, cwd: "/", root: join(root, "not/yet") }, { uid: undefined, home: root });
    const disk = (await checkHost(absent)).find(({ name }) => name === "disk");
    expect(disk?.detail).toContain("GB free");
  });
});
