// SPDX-License-Identifier: Apache-2.0
/* The table of docs/compatibility.md, row by row: the same scripts with Debian's Docker and with Tare. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { whyNoBusybox } from "../../support/bases.ts";
import { whyNoDocker } from "../../support/dockerd.ts";
import { hasPrograms } from "../../support/peer-program.ts";
import { COMPATIBILITY_CASES } from "./cases.ts";
import { openCompatibilityWorld } from "./world.ts";
import type { CompatibilityWorld } from "./world.ts";

const here = hasPrograms(whyNoBusybox() ?? whyNoDocker(), "dockerd", "nsenter", "ip", "script");

let world: CompatibilityWorld;

describe.skipIf(!here)("Tare and a Docker Engine", () => {
  beforeAll(async () => {
    world = await openCompatibilityWorld();
  }, 120_000);
  afterAll(async () => world.close(), 60_000);

  it.concurrent.for(COMPATIBILITY_CASES)("say the same: $name", async (item, { expect, skip }) => {
    const { since = 0, expected } = item;
    const isTooOld = world.version < since && expected !== undefined;
    const asked = isTooOld ? { out: expected, err: "" } : world.docker.run(item);
    const [docker, tare] = await Promise.all([asked, world.tare.run(item)]);
    const reason = /^CANNOT: (.*)$/m.exec(docker.out)?.[1];
    if (reason !== undefined) console.log(`skipped: ${item.name}: Docker: ${reason}`);
    skip(reason !== undefined, reason);
    const errors = `Docker's errors:\n${docker.err}\nTare's errors:\n${tare.err}`;
    if (item.tare === undefined) expect(tare.out, errors).toBe(docker.out);
    else {
      expect(tare.out, errors).toBe(item.tare);
      expect(docker.out, errors).not.toBe(item.tare);
    }
  });
});
