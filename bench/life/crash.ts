// SPDX-License-Identifier: Apache-2.0
/*
 * Many trials of `test/support/life-trials.ts` in a row: `node bench/life/crash.ts [TRIALS] [SEED] [FIRST]`. It prints a
 * line per finding and one at the end; `FIRST` goes on after a run that was stopped. Root and a build are needed.
 */
import { addBusyboxImage, openProgramWorld } from "../../test/support/program.ts";
import { TRIALS, runTrial } from "../../test/support/life-trials.ts";

const [trials = 300, seed = Date.now() % 1_000_000, first = 0] = process.argv.slice(2).map(Number);
const network = (process.env["TARE_TRIAL_NETWORK"] ?? "--network none").split(" ");
const world = openProgramWorld("crashes");
const began = performance.now();
let bad = 0;
try {
  addBusyboxImage(world);
  console.log(
    `${trials} trials of ${Object.keys(TRIALS).length} kinds, seed ${seed}, from ${first}, ${network.join(" ")}`,
  );
  const ledger: number[] = [];
  for (let number = first; number < first + trials; number += 1) {
    const findings = await runTrial({ world, marker: `tare-trial-${process.pid}`, seed, network, ledger }, number);
    for (const finding of findings) console.log(finding);
    if (findings.length > 0) bad += 1;
    if (number % 20 === 19) console.log(`${number + 1 - first} trials, ${bad} with findings`);
  }
  const fsck = world.tare(["system", "fsck", "--json"]).out.trim();
  console.log(`fsck: ${fsck}`);
  console.log(`${trials} trials in ${Math.round((performance.now() - began) / 1000)} s, ${bad} with findings`);
} finally {
  world.close();
}
process.exitCode = bad > 0 ? 1 : 0;
