// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { chosen } from "../chosen.ts";
import { CASES } from "./cases.ts";

/** Engines that can be compared with Tare. */
const PEER_IDS: readonly string[] = ["docker", "podman"];

/** How a run is made. */
export interface Options {
  /** Of the image before compression. */
  readonly megabytes: number;
  readonly layers: number;
  readonly rounds: number;
  readonly peers: readonly string[];
  /** Ids of cases. */
  readonly only: readonly string[];
  readonly folder: string;
  readonly isJson: boolean;
  readonly keep: boolean;
}

const USAGE = `usage: npm run bench:registry -- [options]
  --mb N             size of the image before compression (3000)
  --layers N         (12)
  --rounds N         (3)
  --peers LIST       ${PEER_IDS.join(",")} (all), or none
  --only LIST        ${CASES.map(({ id }) => id).join(",")} (all)
  --json             print all values instead of tables
  --folder PATH      stores, registries and the image's files, about nine times --mb; removed at the end (.cache/bench-registry)
  --keep             leave the folder
`;

/** Reads the command line; prints usage and ends where that is wanted. */
export function readOptions(): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    options: {
      mb: { ...text, default: "3000" },
      layers: { ...text, default: "12" },
      rounds: { ...text, default: "3" },
      peers: { ...text, default: PEER_IDS.join(",") },
      folder: { ...text, default: resolve(import.meta.dirname, "../../.cache/bench-registry") },
      only: { ...text, default: CASES.map(({ id }) => id).join(",") },
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
    megabytes: Number(values.mb),
    layers: Number(values.layers),
    rounds: Number(values.rounds),
    peers: chosen(values.peers, PEER_IDS),
    only: values.only.split(","),
    folder: resolve(values.folder),
    isJson: values.json,
    keep: values.keep,
  };
}
