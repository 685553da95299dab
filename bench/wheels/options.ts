// SPDX-License-Identifier: Apache-2.0
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { chosen } from "../chosen.ts";
import { PEER_IDS } from "./peer-contenders.ts";
import { TARE_IDS } from "./tare-contenders.ts";
import { SET_NAMES, wheelSet } from "./sets.ts";
import type { WheelSet } from "./sets.ts";

/** Parts of the report. */
const SECTIONS = ["ship", "known", "memory", "growth", "disk"] as const;
export type Section = (typeof SECTIONS)[number];

/** How a run is made. */
export interface Options {
  readonly set: WheelSet;
  readonly rounds: number;
  readonly peerRounds: number;
  readonly sections: readonly Section[];
  readonly peers: readonly string[];
  /** Tare's ways that take part in shipping. */
  readonly ways: readonly string[];
  readonly folder: string;
  readonly cache: string;
  readonly isJson: boolean;
  /** Slow peers change a pin too. */
  readonly isFull: boolean;
  readonly keep: boolean;
}

const CACHE = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "tare-bench");
const USAGE = `usage: npm run bench:wheels -- [options]
  --set NAME         ${SET_NAMES.join(", ")} (sklearn)
  --rounds N         rounds of Tare and of the strongest peer (3)
  --peer-rounds N    rounds of peers and ways that take a minute each (1)
  --only LIST        ${SECTIONS.join(",")} (all but disk)
  --peers LIST       ${PEER_IDS.join(",")} (all), or none
  --ways LIST        of Tare: ${TARE_IDS.join(",")} (all), or none
  --full             the changed pin also for slow peers other than (a), which doubles their time
  --json             print all values instead of tables
  --folder PATH      stores and projects; removed at the end (.cache/bench-wheels)
  --cache PATH       wheels, base and a newer Docker, kept (${CACHE})
  --keep             leave the folder
`;

/** Reads the command line; prints usage and ends where that is wanted. */
export function readOptions(): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    options: {
      set: { ...text, default: "sklearn" },
      rounds: { ...text, default: "3" },
      "peer-rounds": { ...text, default: "1" },
      only: text,
      peers: { ...text, default: PEER_IDS.join(",") },
      ways: { ...text, default: TARE_IDS.join(",") },
      folder: { ...text, default: resolve(import.meta.dirname, "../../.cache/bench-wheels") },
      cache: { ...text, default: CACHE },
      json: flag,
      full: flag,
      keep: flag,
      help: flag,
    },
  });
  const set = wheelSet(values.set);
  const standard = SECTIONS.filter((section) => section !== "disk");
  const sections =
    values.only === undefined ? standard : SECTIONS.filter((name) => values.only?.split(",").includes(name));
  if (values.help || !set || sections.length === 0) usage(values.help ? 0 : 2);
  return {
    set,
    rounds: Number(values.rounds),
    peerRounds: Number(values["peer-rounds"]),
    sections,
    peers: chosen(values.peers, PEER_IDS),
    ways: chosen(values.ways, TARE_IDS),
    folder: resolve(values.folder),
    cache: resolve(values.cache),
    isJson: values.json,
    isFull: values.full,
    keep: values.keep,
  };
}

function usage(code: number): never {
  process.stdout.write(USAGE);
  process.exit(code);
}
