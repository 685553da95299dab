// SPDX-License-Identifier: Apache-2.0
/* Readers of the rows of each table. */
import { ObjectReader, dataError, versionOf } from "./reader.ts";
import type {
  ArchitectureRow,
  BuildRow,
  CapabilityRow,
  ChipRow,
  CompatRow,
  CudnnRow,
  DriverRow,
  FrameworkRow,
  KernelRow,
  MinorRow,
  RocmRow,
  Row,
  ToolkitRow,
} from "./types.ts";

/** `>=3.11,<3.15` */
const SPECIFIER = /^(?:[<>]=?|[!~=]=)\d+(?:\.\d+)*(?:,(?:[<>]=?|[!~=]=)\d+(?:\.\d+)*)*$/;

function common(row: ObjectReader): Row {
  const source = row.texts("source");
  if (source.length === 0) throw dataError(row.place("source"), "names no source");
  const secondHand = row.take("secondHand");
  if (secondHand !== undefined && secondHand !== true) throw dataError(row.place("secondHand"), "is not true");
  return { source, ...(secondHand ? { secondHand } : {}) };
}

export function alias(row: ObjectReader): { readonly name: string; readonly local: string } {
  const read = { name: row.text("name"), local: row.text("local") };
  row.finish();
  return read;
}

export function toolkit(row: ObjectReader): ToolkitRow {
  const releases = new ObjectReader(row.take("releases"), row.place("releases"));
  const entries = releases.keys().map((release) => {
    return [versionOf(release, () => releases.place(release)), releases.versionOrNull(release)] as const;
  });
  return {
    cuda: row.version("cuda"),
    driver: row.versionOrNull("driver"),
    releases: Object.fromEntries(entries),
    ...common(row),
  };
}

export function capability(row: ObjectReader): CapabilityRow {
  return { cuda: row.versions("cuda"), supported: row.capabilities("supported"), ...common(row) };
}

export function minor(row: ObjectReader): MinorRow {
  return { cuda: row.version("cuda"), driver: row.version("driver"), ...common(row) };
}

export function compat(row: ObjectReader): CompatRow {
  return { cuda: row.version("cuda"), drivers: row.branches("drivers"), ...common(row) };
}

export function driver(row: ObjectReader): DriverRow {
  const kind = row.optional("kind", (reader, key) => reader.text(key));
  const end = row.optional("end", (reader, key) => reader.text(key));
  if (end !== undefined && !/^\d{4}-\d\d$/.test(end)) throw dataError(row.place("end"), "is no month as 2028-06");
  return {
    branch: row.branch("branch"),
    cuda: row.versionOrNull("cuda"),
    ...(kind === undefined ? {} : { kind }),
    ...(end === undefined ? {} : { end }),
    ...common(row),
  };
}

export function architecture(row: ObjectReader): ArchitectureRow {
  const last = row.take("lastDriver");
  const lastCuda = row.textOrNull("lastCuda");
  if (lastCuda !== null && lastCuda !== "current") versionOf(lastCuda, () => row.place("lastCuda"));
  return {
    name: row.text("name"),
    capabilities: row.capabilities("capabilities"),
    firstCuda: row.versionOrNull("firstCuda"),
    lastCuda,
    lastDriver: last === null || last === "current" ? last : row.branch("lastDriver"),
    ...common(row),
  };
}

export function chip(row: ObjectReader): ChipRow {
  const pci = row.texts("pci");
  const wrong = pci.find((range) => !/^[0-9a-f]{4}(?:-[0-9a-f]{4})?$/.test(range));
  if (wrong !== undefined)
    throw dataError(row.place("pci"), `has \`${wrong.slice(0, 40)}\`, which is no range as 20b0-20bf`);
  return { chip: row.text("chip"), capability: row.version("capability"), pci, ...common(row) };
}

export function framework(row: ObjectReader): FrameworkRow {
  const builds = row.take("builds");
  const index = row.optional("index", (reader, key) => reader.text(key));
  const companions = row.optional("companions", companionsOf);
  const minimumCapability = row.optional("minimumCapability", (reader, key) => reader.version(key));
  return {
    name: row.text("name"),
    versions: row.texts("versions"),
    python: pythonOf(row),
    default: row.textOrNull("default"),
    builds:
      builds === null ? null : row.list("builds").map((value, place) => build(value, `${row.at}.builds[${place}]`)),
    ...(index === undefined ? {} : { index }),
    ...(companions === undefined ? {} : { companions }),
    ...(minimumCapability === undefined ? {} : { minimumCapability }),
    ...common(row),
  };
}

function pythonOf(row: ObjectReader): FrameworkRow["python"] {
  const value = row.take("python");
  if (Array.isArray(value)) return row.texts("python");
  const specifier = row.textOrNull("python");
  if (specifier === null || SPECIFIER.test(specifier)) return specifier;
  throw dataError(row.place("python"), `is no specifier of Python versions: \`${specifier.slice(0, 40)}\``);
}

function companionsOf(row: ObjectReader, key: string): Readonly<Record<string, string>> {
  const inner = new ObjectReader(row.take(key), row.place(key));
  return Object.fromEntries(inner.keys().map((name) => [name, inner.text(name)]));
}

function build(value: unknown, at: string): BuildRow {
  const row = new ObjectReader(value, at);
  const optional = {
    cuda: row.optional("cuda", (reader, key) => reader.versionOrNull(key)),
    rocm: row.optional("rocm", (reader, key) => reader.version(key)),
    cudnn: row.optional("cudnn", (reader, key) => reader.versionOrNull(key)),
    needs: row.optional("needs", (reader, key) => reader.text(key)),
    driver: row.optional("driver", (reader, key) => reader.versionOrNull(key)),
    index: row.optional("index", (reader, key) => reader.text(key)),
    minimumCapability: row.optional("minimumCapability", (reader, key) => reader.version(key)),
  };
  const local = row.text("local");
  row.finish();
  return { local, ...withoutAbsent(optional) };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutAbsent<T extends object>(members: T): Present<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Present<T>;
}

export function kernels(row: ObjectReader): KernelRow {
  const cubins = row.optional("cubins", (reader, key) => reader.capabilities(key));
  const range = row.optional("range", rangeOf);
  if ((cubins === undefined) === (range === undefined)) throw dataError(row.at, "needs either `cubins` or `range`");
  const how = row.text("how");
  if (how !== "measured" && how !== "declared")
    throw dataError(row.place("how"), "is neither `measured` nor `declared`");
  return {
    name: row.text("name"),
    versions: row.texts("versions"),
    locals: row.texts("locals"),
    ...(cubins === undefined ? {} : { cubins }),
    ...(range === undefined ? {} : { range }),
    ptx: row.capabilities("ptx"),
    how,
    ...common(row),
  };
}

function rangeOf(row: ObjectReader, key: string): readonly [string, string] {
  const [low, high, ...rest] = row.capabilities(key);
  if (low === undefined || high === undefined || rest.length > 0) throw dataError(row.place(key), "is no pair");
  return [low, high];
}

export function cudnn(row: ObjectReader): CudnnRow {
  return {
    version: row.version("version"),
    cuda: row.versions("cuda"),
    driver: row.versionOrNull("driver"),
    supported: row.capabilities("supported"),
    ...common(row),
  };
}

export function rocm(row: ObjectReader): RocmRow {
  return { rocm: row.version("rocm"), targets: row.texts("targets"), ...common(row) };
}
