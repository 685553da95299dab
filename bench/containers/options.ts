// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";
import { PEER_IDS } from "../engines.ts";
import { peerOptions, peerValues, text } from "../peer-options.ts";
import type { PeerOptions } from "../peer-options.ts";
import { CASES } from "./cases.ts";

/** How a run is made. */
export interface Options extends PeerOptions {
  readonly rounds: number;
  /** Containers of `ps`. */
  readonly containers: number;
  /** Starts at once. */
  readonly parallel: number;
  /** Of the log. */
  readonly lines: number;
}

const IDS = CASES.map(({ id }) => id);
const USAGE = `usage: npm run bench:containers -- [options]
  --rounds N         measurements of each (11)
  --containers N     containers of the case "ps" (200)
  --parallel N       starts at once (50)
  --lines N          lines of the log (1000000)
  --peers LIST       ${PEER_IDS.join(",")} (all), or none
  --only LIST        ${IDS.join(",")} (all)
  --json             print all values instead of a table
  --folder PATH      stores; removed at the end (.cache/bench-containers)
  --keep             leave the folder
`;

/** Reads the command line; prints usage and ends where that is wanted. */
export function readOptions(): Options {
  const own = { rounds: text(11), containers: text(200), parallel: text(50), lines: text(1_000_000) };
  const { values } = parseArgs({ options: { ...own, ...peerOptions(IDS, "bench-containers") } });
  return {
    rounds: Number(values.rounds),
    containers: Number(values.containers),
    parallel: Number(values.parallel),
    lines: Number(values.lines),
    ...peerValues(values, IDS, USAGE),
  };
}
