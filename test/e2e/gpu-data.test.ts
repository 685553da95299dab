// SPDX-License-Identifier: Apache-2.0
/* `gpu data`: what the program ships is in its bundle, and files replace it. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeRegistry } from "../../src/registry/fixture.ts";
import { openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";

describe("compatibility data", () => {
  let world: ProgramWorld;
  beforeAll(() => {
    world = openProgramWorld("gpu-data");
  });
  afterAll(() => world.close());

  const version = (): string => (JSON.parse(world.ok("gpu", "data", "show", "--json")) as { version: string }).version;

  it("answers with sources, or says that it does not know", () => {
    const text = world.ok("gpu", "data", "show", "torch", "2.7.0");
    expect(text).toMatch(
      /^cu128 +12\.8 +9\.7\.1\.26 .*12\.0 \+PTX 12\.0 +https:\/\/download\.pytorch\.org\/whl\/cu128$/m,
    );
    expect(text).toMatch(/^ {2}https:\/\/github\.com\/pytorch\/test-infra\/blob\/[0-9a-f]{40}\//m);
    const { code, out } = world.tare(["gpu", "data", "show", "torch", "99.0"]);
    expect([code, out]).toEqual([1, expect.stringMatching(/^unknown: .*99\.0/)]);
  });

  it("is replaced by a file or the standard input, whole or not at all", () => {
    const shipped = version();
    const document = world.ok("gpu", "data", "show", "--raw");
    const path = join(world.folder, "newer.json");
    fs.writeFileSync(path, document.replace(shipped, "9999.1"));
    expect(world.ok("gpu", "data", "update", path)).toContain(`from ${path}, was ${shipped}`);
    expect(version()).toBe("9999.1");
    const older = world.tare(["gpu", "data", "update", "-"], { input: document });
    expect(older.code).toBe(1);
    expect(older.err).toMatch(/error\[E_GPU_DATA\].*9999\.1 is in use[^]*--force/);
    const half = world.tare(["gpu", "data", "update", "--force", "-"], { input: document.slice(0, 9999) });
    expect(half.err).toContain("E_GPU_DATA");
    expect(version()).toBe("9999.1");
    world.ok("gpu", "data", "update", "--reset");
    expect(version()).toBe(shipped);
  });

  it("travels through a registry", async () => {
    const registry = await FakeRegistry.open();
    try {
      const reference = `${registry.host}/team/gpu-data:latest`;
      const document = world.ok("gpu", "data", "show", "--raw").replace(version(), "9999.2");
      const pushed = await world.tareAsync(["gpu", "data", "push", reference, "-"], { input: document });
      expect(pushed.out).toMatch(/gpu-data:latest: digest: sha256:[0-9a-f]{64} version: 9999\.2\n$/);
      const updated = await world.tareAsync(["gpu", "data", "update", reference]);
      expect(updated.out).toContain(`9999.2`);
      expect(world.ok("gpu", "data", "show")).toMatch(
        /^Origin: +127\.0\.0\.1:\d+\/team\/gpu-data:latest, taken .*sha256:/m,
      );
    } finally {
      world.tare(["gpu", "data", "update", "--reset"]);
      await registry.close();
    }
  });

  it("refuses what names neither a file nor a place", () => {
    expect(world.tare(["gpu", "data", "update", "./none.json"]).err).toMatch(/none\.json/);
    expect(world.tare(["gpu", "data", "update"]).err).toContain("--reset");
    expect(world.tare(["gpu", "data", "show", "--raw", "torch"]).err).toContain("--raw");
  });
});
