// SPDX-License-Identifier: Apache-2.0
/** The options of benchmarks that compare engines case by case. */
import { resolve } from "node:path";
import { chosen } from "./chosen.ts";
import { PEER_IDS } from "./engines.ts";

interface TextOption {
  readonly type: "string";
  readonly default: string;
}

interface FlagOption {
  readonly type: "boolean";
  readonly default: boolean;
}

const FLAG: FlagOption = { type: "boolean", default: false };

/** What all of them are told. */
export interface PeerOptions {
  readonly peers: readonly string[];
  /** Ids of cases. */
  readonly only: readonly string[];
  readonly folder: string;
  readonly isJson: boolean;
  readonly keep: boolean;
}

interface Values {
  readonly peers: string;
  readonly only: string;
  readonly folder: string;
  readonly json: boolean;
  readonly keep: boolean;
  readonly help: boolean;
}

/** The descriptions of those for `parseArgs`. */
export interface PeerOptionTable {
  readonly peers: TextOption;
  readonly only: TextOption;
  readonly folder: TextOption;
  readonly json: FlagOption;
  readonly keep: FlagOption;
  readonly help: FlagOption;
}

/** An option with a value. */
export function text(standard: string | number): TextOption {
  return { type: "string", default: String(standard) };
}

/** `ids` are those of the cases; `name` is the folder's below `.cache`. */
export function peerOptions(ids: readonly string[], name: string): PeerOptionTable {
  return {
    peers: text(PEER_IDS.join(",")),
    only: text(ids.join(",")),
    folder: text(resolve(import.meta.dirname, "../.cache", name)),
    json: FLAG,
    keep: FLAG,
    help: FLAG,
  };
}

/** Reads them; prints usage and ends where that is wanted. Throws for an unknown peer or case. */
export function peerValues(values: Values, ids: readonly string[], usage: string): PeerOptions {
  if (values.help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  return {
    peers: chosen(values.peers, PEER_IDS),
    only: chosen(values.only, ids),
    folder: resolve(values.folder),
    isJson: values.json,
    keep: values.keep,
  };
}
