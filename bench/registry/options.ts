// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from "node:util";
import { PEER_IDS } from "../engines.ts";
import { peerOptions, peerValues, text } from "../peer-options.ts";
import type { PeerOptions } from "../peer-options.ts";
import { CASES } from "./cases.ts";

/** How a run is made. */
export interface Options extends PeerOptions {
  /** Of the image before compression. */
  readonly megabytes: number;
  readonly layers: number;
  readonly rounds: number;
}

const IDS = CASES.map(({ id }) => id);
const USAGE = `usage: npm run bench:registry -- [options]
  --mb N             size of the image before compression (3000)
  --layers N         (12)
  --rounds N         (3)
  --peers LIST       ${PEER_IDS.join(",")} (all), or none
  --only LIST        ${IDS.join(",")} (all)
  --json             print all values instead of tables
  --folder PATH      stores, registries and the image's files, about nine times --mb; removed at the end (.cache/bench-registry)
  --keep             leave the folder
`;

/** Reads the command line; prints usage and ends where that is wanted. */
export function readOptions(): Options {
  const own = { mb: text(3000), layers: text(12), rounds: text(3) };
  const { values } = parseArgs({ options: { ...own, ...peerOptions(IDS, "bench-registry") } });
  return {
    megabytes: Number(values.mb),
    layers: Number(values.layers),
    rounds: Number(values.rounds),
    ...peerValues(values, IDS, USAGE),
  };
}
