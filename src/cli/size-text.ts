// SPDX-License-Identifier: Apache-2.0
/* `image size` and `images --tree` for people: sizes, bars and names in the width of the terminal. */
import { escapeLine } from "./text/escape.ts";
import { humanSize } from "./text/human.ts";
import { style } from "./text/style.ts";
import { fit, fitEnd } from "./text/width.ts";
import type { ImageSize, LayerSize } from "../engine/index.ts";

/** How the text is laid out. */
export interface SizeLayout {
  readonly columns: number;
  readonly color: boolean;
  /** Rows of each list. */
  readonly top: number;
}

const SIZE = 7;
const BAR = 12;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

interface Row {
  readonly size: number;
  readonly text: string;
  /** Kept to its end, not its start, when it is too long: the end of a path tells more. */
  readonly isPath?: boolean;
  /** Lines of a tree before the row. */
  readonly lead?: string;
}

/** All that `image size` shows. */
export function sizeText(image: ImageSize, layout: SizeLayout): string {
  const section = (title: string, rows: readonly Row[], more: More): string =>
    rows.length === 0 ? "" : `\n${sectionText(image, { title, rows, more }, layout)}`;
  const { distributions, packages, sharedObjects, directories, duplicates, hidden, deadWeight, layers } = image;
  const folders = deepest(directories);
  return [
    heading(image, layout),
    section("Layers", layers.map(layerRow), { total: image.size, all: true }),
    section("Python distributions", distributions.map(named), { total: total(distributions) }),
    section("System packages", packages.map(named), { total: total(packages) }),
    section(
      "Shared objects",
      sharedObjects.map(({ size, path, owner }) => pathRow(size, owner === undefined ? path : `${path} (${owner})`)),
      { total: total(sharedObjects) },
    ),
    section(
      "Other files, by folder",
      folders.map(({ size, path }) => pathRow(size, path)),
      { total: total(folders) },
    ),
    section(
      "Equal files (all but one are a waste)",
      duplicates.map(({ wasted, paths }) => pathRow(wasted, `${paths[0] ?? ""} (${paths.length} times)`)),
      { total: duplicates.reduce((sum, { wasted }) => sum + wasted, 0) },
    ),
    section(
      "Hidden by upper layers",
      hidden.largest.map(({ size, path, layer }) => pathRow(size, `${path} (layer ${layer + 1})`)),
      { total: hidden.size, count: hidden.files },
    ),
    section("Dead weight", deadWeight.map(deadRow), { total: total(deadWeight), all: true }),
    leftOutText(image),
    advice(image),
  ].join("");
}

/** The layers with what is in them, as a tree. */
export function treeText(image: ImageSize, layout: SizeLayout): string {
  const rows = image.layers.flatMap((layer, index) => {
    const isLast = index === image.layers.length - 1;
    const stem = isLast ? "   " : "│  ";
    return [{ ...layerRow(layer), lead: isLast ? "└─ " : "├─ " }, ...partRows(layer, stem, layout.top)];
  });
  return `${heading(image, layout)}${rows.map((row) => rowText(row, image.size, layout)).join("")}`;
}

interface More {
  readonly total: number;
  /** Of a list that is cut already. */
  readonly count?: number;
  /** Every row is shown. */
  readonly all?: boolean;
}

function heading({ names, id, size, merged, files, layers }: ImageSize, layout: SizeLayout): string {
  const name = names.length > 0 ? names.map(escapeLine).join(", ") : id.slice(7, 19);
  const count = `${layers.length} ${layers.length === 1 ? "layer" : "layers"}`;
  const line = `${human(size)} in ${count}; a container sees ${human(merged)} in ${files} files`;
  return `${style(layout.color, "bold", fit(name, layout.columns))}\n${fit(line, layout.columns)}\n`;
}

function sectionText(
  image: ImageSize,
  { title, rows, more }: { readonly title: string; readonly rows: readonly Row[]; readonly more: More },
  layout: SizeLayout,
): string {
  const shown = more.all ? rows : rows.filter(({ size }) => size > 0).slice(0, layout.top);
  const count = more.count ?? rows.length;
  const rest = count - shown.length;
  const head = style(layout.color, "bold", fit(`${title}: ${count}, ${human(more.total)}`, layout.columns));
  const largest = shown.map((row) => rowText(row, image.size, layout)).join("");
  const left = more.total - shown.reduce((sum, { size }) => sum + size, 0);
  return `${head}\n${largest}${rest > 0 ? `${human(left).padStart(SIZE)} ${" ".repeat(BAR)} ${rest} more\n` : ""}`;
}

function rowText({ size, text, isPath = false, lead = "" }: Row, whole: number, layout: SizeLayout): string {
  const free = layout.columns - SIZE - BAR - 2 - lead.length;
  const clean = escapeLine(text);
  const shown = isPath ? fitEnd(clean, free) : fit(clean, free);
  const drawn = style(layout.color, "cyan", bar(size, whole)) + " ".repeat(BAR - barWidth(size, whole));
  return `${human(size).padStart(SIZE)} ${drawn} ${style(layout.color, "dim", lead)}${shown}`.trimEnd() + "\n";
}

/** A bar in eighths of a column. */
function bar(size: number, whole: number): string {
  const eighths = Math.round((whole === 0 ? 0 : Math.min(1, size / whole)) * BAR * 8);
  return "█".repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? "");
}

function barWidth(size: number, whole: number): number {
  return bar(size, whole).length;
}

function human(size: number): string {
  return humanSize(size, 3);
}

function total(rows: readonly { readonly size: number }[]): number {
  return rows.reduce((sum, { size }) => sum + size, 0);
}

function named({
  name,
  version,
  size,
}: {
  readonly name: string;
  readonly version: string;
  readonly size: number;
}): Row {
  return { size, text: `${name} ${version}` };
}

function pathRow(size: number, text: string): Row {
  return { size, text, isPath: true };
}

function layerRow({ index, size, wheels, createdBy }: LayerSize): Row {
  const [first = "", second] = wheels;
  const made = wheels.length > 0 ? wheelsText(first, second, wheels.length) : createdBy.replaceAll(/\s+/g, " ");
  return { size, text: `${index + 1}. ${made || "(the image does not say what made it)"}` };
}

function wheelsText(first: string, second: string | undefined, count: number): string {
  if (second === undefined) return first;
  return count === 2 ? `${first}, ${second}` : `${first}, ${second} and ${count - 2} more distributions`;
}

function partRows({ parts, hidden, wheels }: LayerSize, stem: string, top: number): readonly Row[] {
  // The layer of one wheel has said it all.
  if (wheels.length === 1 && parts.length === 1 && hidden === 0) return [];
  const shown = parts.slice(0, top);
  const rest = parts.slice(top);
  const rows: Row[] = shown.map(({ kind, name, version, size }) =>
    kind === "directory" ? { size, text: name, isPath: true } : { size, text: `${name} ${version ?? ""}`.trimEnd() },
  );
  if (rest.length > 0) rows.push({ size: total(rest), text: `${rest.length} more` });
  if (hidden > 0) rows.push({ size: hidden, text: "hidden by upper layers" });
  return rows.map((row, index) => ({ ...row, lead: `${stem}${index === rows.length - 1 ? "└─ " : "├─ "}` }));
}

/** Folders without those that contain another one of the list: each byte is in one row. */
function deepest(folders: ImageSize["directories"]): readonly { readonly path: string; readonly size: number }[] {
  const children = new Map<string, number>();
  for (const { path, size } of folders) {
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (parent !== "") children.set(parent, (children.get(parent) ?? 0) + size);
  }
  const own = folders.map(({ path, size }) => ({ path, size: size - (children.get(path) ?? 0) }));
  return own.filter(({ size }) => size > 0).sort((a, b) => b.size - a.size || (a.path < b.path ? -1 : 1));
}

function deadRow({ rule, size, summary }: ImageSize["deadWeight"][number]): Row {
  return { size, text: `${rule}: ${summary}` };
}

function leftOutText({ leftOut }: ImageSize): string {
  if (leftOut.length === 0) return "";
  const rules = leftOut.map(({ rule, size, files }) => `${rule} ${human(size)} in ${files} files`);
  return `\nLeft out by --slim: ${human(total(leftOut))}: ${rules.join(", ")}\n`;
}

function advice({ deadWeight }: ImageSize): string {
  const slim = total(deadWeight.filter(({ isSlim }) => isSlim));
  const of = "of a project without a Dockerfile";
  return slim < 1e6 ? "" : `\n\`tare build --slim\` ${of} leaves out ${human(slim)} of this (docs/slim.md).\n`;
}
