// SPDX-License-Identifier: Apache-2.0
/* One kill of each kind; `node bench/life/crash.ts` does hundreds. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { TRIALS, runTrial } from "../support/life-trials.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: kill -9 in the life of containers: ${reason}`);

const seed = Number(process.env["TARE_TEST_SEED"] ?? Date.now() % 1_000_000);
const kinds = Object.keys(TRIALS);

describe.skipIf(reason !== undefined)(`kill -9 in the life of a container (TARE_TEST_SEED=${seed})`, () => {
  let world: ProgramWorld;
  const ledger: number[] = [];
  beforeAll(() => {
    console.log(`moments of kill -9: TARE_TEST_SEED=${seed}`);
    world = openProgramWorld("life");
    addBusyboxImage(world);
  });
  afterAll(() => world.close());

  it.each(kinds)("loses and leaves nothing when it hits: %s", async (kind) => {
    const setting = { world, marker: `tare-life-${process.pid}`, seed, ledger, network: ["--network", "none"] };
    expect(await runTrial(setting, kinds.indexOf(kind))).toEqual([]);
  });
});
