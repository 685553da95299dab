// SPDX-License-Identifier: Apache-2.0
/** The report: Markdown tables with ratios to both baselines. */
import { machine } from "../host.ts";
import { median } from "../measure.ts";
import { table } from "../report.ts";
import type { Baseline, Contender } from "./contenders.ts";
import type { Known } from "./known.ts";
import type { Materials } from "./projects.ts";
import type { Disk, Growth, Memory } from "./scale.ts";
import type { Round, Shipment, Step } from "./ship.ts";
import { wheelsOf } from "./wheels.ts";

/** All rounds of one contender. */
export interface Rounds {
  readonly contender: Contender;
  readonly rounds: readonly Round[];
}

const seconds = (value: number): string => (Number.isNaN(value) ? "–" : `${value.toFixed(value < 10 ? 2 : 1)} s`);
const megabytes = (bytes: number): string =>
  Number.isNaN(bytes) ? "–" : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;
const times = (ratio: number): string => (Number.isFinite(ratio) ? `${ratio.toFixed(ratio < 10 ? 1 : 0)}×` : "–");

const BYTECODE = { none: "none", imported: "what imports load", all: "all" } as const;

/** Name, mark of a baseline, `.pyc` files. */
function label({ name, baseline, bytecode }: Contender): readonly string[] {
  return [baseline === undefined ? name : `**(${baseline})** ${name}`, BYTECODE[bytecode]];
}

const part = (shipment: Shipment | undefined, of: (shipment: Shipment) => number): number | undefined =>
  shipment && of(shipment);
const total = ({ build, push }: Shipment): number => build + push;

function middle({ rounds }: Rounds, value: (round: Round) => number | undefined): number {
  return median(rounds.map((round) => value(round)).filter((each) => each !== undefined));
}

/** How many times faster than each baseline, by some value of a round. */
function ratios(all: readonly Rounds[], own: Rounds, value: (round: Round) => number | undefined): readonly string[] {
  return (["a", "b"] satisfies Baseline[]).map((baseline) => {
    const other = all.find(({ contender }) => contender.baseline === baseline);
    return other === undefined || other === own ? "–" : times(middle(other, value) / middle(own, value));
  });
}

const RATIOS = ["× faster than (a)", "× faster than (b)"];

/** Build, push, their sum and the bytes of one step. */
function stepTable(all: readonly Rounds[], step: Step): string {
  const head = ["", "`.pyc`", "build", "push", "both", ...RATIOS, "bytes pushed", "rounds"];
  const able = all.filter(({ rounds }) => rounds.some(({ steps }) => steps[step] !== undefined));
  const rows = able.map((own) => {
    const { contender, rounds } = own;
    const value = (of: (shipment: Shipment) => number): number => middle(own, ({ steps }) => part(steps[step], of));
    const push = contender.push ? seconds(value((each) => each.push)) : "in build";
    const cells = [seconds(value((each) => each.build)), push, seconds(value(total))];
    const faster = ratios(all, own, ({ steps }) => part(steps[step], total));
    return [...label(contender), ...cells, ...faster, megabytes(value((each) => each.bytes)), `${rounds.length}`];
  });
  return table(head, rows);
}

/** First runs, and from an edited pin to a container that has imported it. */
function startTable(all: readonly Rounds[]): string {
  const able = all.filter(({ rounds }) => rounds.some(({ first }) => first !== undefined));
  const value = ({ steps, start }: Round): number | undefined => start && part(steps.pin, ({ build }) => build + start);
  const rows = able.map((own) => {
    const cells = [({ first }: Round) => first, ({ start }: Round) => start, value].map((of) =>
      seconds(middle(own, of)),
    );
    return [...label(own.contender), ...cells, ...ratios(all, own, value)];
  });
  return table(["", "`.pyc`", "first run after the cold build", "run", "build and run", ...RATIOS], rows);
}

/** Imports in fresh containers, measured inside Python. */
function importTable(all: readonly Rounds[]): string {
  const able = all.filter(({ rounds }) => rounds.some(({ imports }) => imports !== undefined));
  const rows = able.map((own) => {
    const cells = [middle(own, ({ imports }) => imports?.[0]), middle(own, ({ imports }) => imports?.[1])];
    return [...label(own.contender), ...cells.map(seconds)];
  });
  return table(["", "`.pyc`", "first import", "again, in another container"], rows);
}

/** A machine that has nothing, and a registry that has the layers. */
function knownTable(rows: Report["known"]): string {
  const cells = rows.map(({ contender, known }) => [
    ...label(contender),
    seconds(known.seconds),
    megabytes(known.bytes),
    `${known.wheels}`,
  ]);
  return table(["", "`.pyc`", "build --push", "bytes pushed", "wheels downloaded"], cells);
}

/** Peaks of memory. */
function memoryTable(rows: Report["memory"]): string {
  const cells = rows.map(({ contender, memory }) => [
    ...label(contender),
    megabytes(memory.build),
    megabytes(memory.push),
  ]);
  return table(["peak memory of the program (VmHWM)", "`.pyc`", "build", "push"], cells);
}

/** Growth beside the limit that is promised for it. */
function growthTable(points: readonly Growth[]): string {
  const rows = points.map((point) => [
    point.title,
    `${point.wheels}`,
    point.files.toLocaleString("en"),
    megabytes(point.megabytes * 1e6),
    megabytes(point.unpacked * 1e6),
    seconds(point.build),
    seconds(point.push),
    seconds(point.limit),
    ((point.build + point.push) / point.limit).toFixed(2),
  ]);
  const head = ["new wheels", "number", "files", "size", "unpacked", "build", "push", "limit", "both ÷ limit"];
  return `${table(head, rows)}\n\n${fitText(points)}`;
}

/** Least squares of build + push over the limit's own sum. */
function fitText(points: readonly Growth[]): string {
  const pairs = points.map(({ build, push, limit }) => [limit - 0.1, build + push] as const);
  const mean = (of: (pair: readonly [number, number]) => number): number =>
    pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const [x, y] = [mean(([first]) => first), mean(([, second]) => second)];
  const slope = mean(([a, b]) => (a - x) * (b - y)) / mean(([a]) => (a - x) ** 2);
  const constant = y - slope * x;
  return `Least squares: build + push = ${constant.toFixed(2)} s + ${slope.toFixed(2)} × Σ (limit: 0.10 s + 1.00 × Σ).`;
}

/** Disk of similar projects. */
function diskTable({ projects, tare, wheels, docker }: Disk): string {
  const rows = [
    ["Tare's store, downloaded wheels included", megabytes(tare), times(docker / tare)],
    ["of that, the wheels", megabytes(wheels), ""],
    ["Docker's data root (BuildKit, uv, no `.pyc`)", megabytes(docker), ""],
  ];
  return table([`disk of ${projects} similar projects, without the base`, "", "× less than Docker"], rows);
}

/** What was installed, on what, by whom, and what was warm. */
function conditions({ set, facts }: Materials, contenders: readonly Contender[]): string {
  const wheels = wheelsOf(facts, set.pins);
  const sum = (of: (wheel: (typeof wheels)[number]) => number): number =>
    wheels.reduce((each, wheel) => each + of(wheel), 0);
  const versions = [...new Set(contenders.map(({ version }) => version))];
  return [
    `Set \`${set.name}\`: ${set.title}; ${wheels.length} wheels, ${megabytes(sum(({ size }) => size))}, ${megabytes(sum(({ unpacked }) => unpacked))} unpacked, ${sum(({ files }) => files).toLocaleString("en")} files. ${set.note ?? ""}`.trim(),
    `${machine()}. Medians; contenders in turn within a round. ${versions.join("; ")}.`,
    "Warm on all sides: the wheels in the page cache and on an index on 127.0.0.1 (no other network exists), the base image in each store and at the registry. `BuildKit … cache mount`: its cache has all wheels (uv's also unpacked). Tare: its store has the wheels' bytes, verified when they came, and nothing made of them. Cold: no layer of the project anywhere (`--no-cache`; Tare: a fresh store), a new repository at the registry.",
  ].join("\n\n");
}

/** All that was measured. */
export interface Report {
  readonly materials: Materials;
  readonly contenders: readonly Contender[];
  /** Reasons for those that are left out. */
  readonly absent: readonly string[];
  readonly shipping: readonly Rounds[];
  readonly known: readonly { readonly contender: Contender; readonly known: Known }[];
  readonly memory: readonly { readonly contender: Contender; readonly memory: Memory }[];
  readonly growth: readonly Growth[];
  readonly disk?: Disk;
}

/** The report as Markdown. */
export function reportText(report: Report): string {
  const { materials, contenders, absent, shipping, known, memory, growth, disk } = report;
  const { changed } = materials.set;
  const parts = [conditions(materials, contenders), ...absent.map((reason) => `Left out: ${reason}.`)];
  const add = (title: string, body: string): void => void parts.push(`**${title}**`, body);
  if (shipping.length > 0) {
    add("Cold build and push", stepTable(shipping, "cold"));
    add(`One changed pin (${changed.name}), build and push`, stepTable(shipping, "pin"));
    add("From the changed pin to a running container that imports it", startTable(shipping));
    add("One line of code changed, build and push", stepTable(shipping, "code"));
    add("Nothing changed, build and push", stepTable(shipping, "same"));
    add(`\`import ${materials.set.imports.join(", ")}\` in the container`, importTable(shipping));
  }
  if (known.length > 0) add("An empty store, and all layers of distributions at the registry", knownTable(known));
  if (memory.length > 0) add("Memory", memoryTable(memory));
  if (growth.length > 0) add("Growth, without `.pyc`", growthTable(growth));
  if (disk) add("Disk", diskTable(disk));
  return parts.join("\n\n");
}

/** All values. */
export function reportJson({ materials, shipping, known, memory, ...rest }: Report): string {
  const named = ({ id, name, version, bytecode }: Contender): object => ({ id, name, version, bytecode });
  const plain = {
    set: materials.set.name,
    contenders: rest.contenders.map(named),
    absent: rest.absent,
    shipping: shipping.map(({ contender, rounds }) => ({ contender: contender.id, rounds })),
    known: known.map((entry) => ({ contender: entry.contender.id, ...entry.known })),
    memory: memory.map((entry) => ({ contender: entry.contender.id, ...entry.memory })),
    growth: rest.growth,
    disk: rest.disk,
  };
  return JSON.stringify(plain, undefined, 2);
}
