// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { chosen } from "../chosen.ts";
import { CASES } from "./cases.ts";

const PEER_IDS: readonly string[] = ["docker", "podman"];

/** How a run is made. */
export interface Options {
  readonly rounds: number;
  /** Containers of `ps`. */
  readonly containers: number;
  /** Starts at once. */
  readonly parallel: number;
  /** Of the log. */
  readonly lines: number;
  readonly peers: readonly string[];
  /** Ids of cases. */
  readonly only: readonly string[];
  readonly folder: string;
  readonly isJson: boolean;
  readonly keep: boolean;
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
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    options: {
      rounds: { ...text, default: "11" },
      containers: { ...text, default: "200" },
      parallel: { ...text, default: "50" },
      lines: { ...text, default: "1000000" },
      peers: { ...text, default: PEER_IDS.join(",") },
      only: { ...text, default: IDS.join(",") },
      folder: { ...text, default: resolve(import.meta.dirname, "../../.cache/bench-containers") },
      json: flag,
      keep: flag,
      help: flag,
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  return {
    rounds: Number(values.rounds),
    containers: Number(values.containers),
    parallel: Number(values.parallel),
    lines: Number(values.lines),
    peers: chosen(values.peers, PEER_IDS),
    only: chosen(values.only, IDS),
    folder: resolve(values.folder),
    isJson: values.json,
    keep: values.keep,
  };
}
