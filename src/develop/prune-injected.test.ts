// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pruneInjected } from "./prune-injected.ts";

describe("pruning what was mounted beside images", () => {
  it("takes what nobody has mounted, and leaves what was used a moment ago", () => {
    const root = fs.mkdtempSync(join(tmpdir(), "tare-injected-"));
    const folder = (name: string): string => join(root, "cache", "inject", name);
    for (const name of ["used", "idle", "fresh"]) {
      fs.mkdirSync(join(folder(name), "site"), { recursive: true });
      fs.writeFileSync(join(folder(name), "site", "module.py"), "12345");
      if (name !== "fresh") fs.utimesSync(folder(name), 1000, 1000);
    }
    expect(pruneInjected({ root }, [join(folder("used"), "site"), "/data"], Date.now())).toBe(5);
    expect(fs.readdirSync(join(root, "cache", "inject")).sort()).toEqual(["fresh", "used"]);
    expect(pruneInjected({ root: join(root, "nothing") }, [], Date.now())).toBe(0);
    fs.rmSync(root, { recursive: true });
  });
});
