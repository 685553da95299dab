// SPDX-License-Identifier: Apache-2.0
import type { Bench, Case } from "./cases.ts";
import { versionsOf } from "./engines.ts";
import { machine } from "./host.ts";
import { median } from "./measure.ts";
import type { Peer } from "./peers.ts";

/** The values of one case, by engine, in the order of the rounds. */
export interface Result {
  readonly case: Case;
  readonly values: ReadonlyMap<Peer, readonly number[]>;
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

/** Medians of all engines, and Tare's ratio to each other one. */
export function compareTable(bench: Bench, peers: readonly Peer[], results: readonly Result[]): string {
  const [tare, ...others] = peers;
  const head = ["case", ...peers.map((peer) => peer.name), ...others.map((peer) => `tare ÷ ${peer.name}`), "goal"];
  const rows = results.map((result) => {
    const middle = (peer: Peer | undefined): number => median(peer ? (result.values.get(peer) ?? []) : []);
    const cells = peers.map((peer) => amount(middle(peer), result.case.unit));
    const ratios = others.map((peer) => ratio(middle(tare), middle(peer)));
    return [result.case.title(bench), ...cells, ...ratios, result.case.goal];
  });
  return table(head, rows);
}

/** `0.123 s`, `12.3 s`, `140 MB`, or a dash for nothing. */
export function amount(value: number, unit: "s" | "MB"): string {
  if (Number.isNaN(value)) return "–";
  return unit === "MB" ? `${value.toFixed(0)} MB` : `${value.toFixed(value < 10 ? 3 : 1)} s`;
}

function ratio(own: number, other: number): string {
  return Number.isNaN(own) || Number.isNaN(other) ? "–" : (own / other).toFixed(2);
}

/** What the figures were taken with. */
export function conditions(bench: Bench, peers: readonly Peer[]): string {
  return `Medians of ${bench.rounds} rounds, engines in turn within each round. ${machine()}. ${versionsOf(peers)}.`;
}
