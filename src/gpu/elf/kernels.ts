// SPDX-License-Identifier: Apache-2.0
/*
 * The kernels of a shared object. Where any part can be read, the sections say where they are. Of one that only passes
 * by the section headers come last, so regions are known by themselves: a region begins with a magic number at a
 * multiple of 8, has a size that fits, and its entries end exactly where it ends.
 */
import type { GpuKernels } from "../types.ts";
import { readSections } from "./elf-file.ts";
import type { Section } from "./elf-file.ts";
import { FATBIN, readFatbin } from "./fatbin.ts";
import { KernelCounts, byArchitecture } from "./kernel-counts.ts";
import { BUNDLE, COMPRESSED_BUNDLE, readBundle, readCompressedBundle } from "./offload-bundle.ts";
import { StreamWalk, walkSource } from "./walk.ts";
import type { ByteSource, Mark, Walk } from "./walk.ts";

/** Code for GPUs in one shared object. */
export interface ObjectKernels {
  readonly kernels: GpuKernels;
  /** Bytes of that code, as it is in the file. */
  readonly bytes: number;
  /** CUDA of the compiler that made it. */
  readonly toolkit?: string;
}

const SECTIONS = [".nv_fatbin", "__nv_relfatbin", ".hip_fatbin"];
/** Names of sections that have code; they stand in the table of names, outside of it. */
const NAMES: readonly Mark[] = [".nv_fatbin\0", ".hip_fatbin\0"].map((name) => {
  return { bytes: Buffer.from(name), alignment: 1 };
});
const READERS: readonly {
  readonly mark: Mark;
  readonly read: (at: number, end: number, counts: KernelCounts) => Walk<number>;
}[] = [
  { mark: FATBIN, read: readFatbin },
  { mark: BUNDLE, read: readBundle },
  { mark: COMPRESSED_BUNDLE, read: readCompressedBundle },
];
const CODE = READERS.map(({ mark }) => mark);

/** All regions between two places. */
function* readRegions(start: number, end: number, marks: readonly Mark[]): Walk<KernelCounts> {
  const counts = new KernelCounts();
  let isNamed = false;
  let from = start;
  while (!counts.isDamaged) {
    const found = yield { kind: "mark", from, marks };
    if (found === undefined) break;
    const reader = READERS.find(({ mark }) => mark.bytes === found.bytes);
    if (reader === undefined) {
      isNamed = true;
      from = found.at + found.bytes.length;
    } else from = yield* reader.read(found.at, end, counts);
  }
  // A section with nothing in it that this reader knows: a newer format.
  if (isNamed && counts.regions === 0) counts.isDamaged = true;
  return counts;
}

/** Of a file; undefined when its code can't be read. What is no ELF file has none. Throws what reading throws. */
export function kernelsOfSource(source: ByteSource): ObjectKernels | undefined {
  const sections = readSections(source);
  if (sections === undefined) return undefined;
  const found = sections.filter(({ name, size }) => SECTIONS.includes(name) && size > 0);
  const all = found.map((section) => countSection(source, section));
  return all.some((one) => one === undefined) ? undefined : joined(all.flatMap((one) => one ?? []));
}

function countSection(source: ByteSource, { offset, size }: Section): KernelCounts | undefined {
  const end = offset + size;
  if (end > source.size) return undefined;
  const counts = walkSource(source, readRegions(offset, end, CODE), end);
  return counts.isDamaged || counts.regions === 0 ? undefined : counts;
}

function joined(all: readonly KernelCounts[]): ObjectKernels {
  const kernels = joinKernels(all.map((one) => ({ kernels: one.kernels(), bytes: one.bytes })));
  const toolkit = all.find((one) => one.toolkit !== undefined)?.toolkit;
  const bytes = all.reduce((sum, one) => sum + one.bytes, 0);
  return { kernels, bytes, ...(toolkit === undefined ? {} : { toolkit }) };
}

/** Below this part of the largest one an object is an addition to it. */
const ADDITION = 1 / 8;
const PTX_PART = 1 / 4;

/**
 * The kernels of several objects or sections. What only a small one has is partial: that 30 MB of a library run on a
 * GPU, or come as PTX too, does not help when 500 MB don't.
 */
export function joinKernels(all: readonly Omit<ObjectKernels, "toolkit">[]): GpuKernels {
  const largest = Math.max(0, ...all.map(({ bytes }) => bytes));
  const main = all.filter(({ bytes }) => bytes >= largest * ADDITION).map(({ kernels }) => kernels);
  const every = all.map(({ kernels }) => kernels);
  const cubins = union(main.map((one) => one.cubins));
  const some = union(every.flatMap((one) => [one.cubins, one.partial ?? []]));
  const partial = some.filter((one) => !cubins.includes(one));
  const gfx = union(every.map((one) => one.gfx ?? []));
  return {
    cubins,
    ptx: ptxOf(all),
    ...(partial.length === 0 ? {} : { partial }),
    ...(gfx.length === 0 ? {} : { gfx }),
  };
}

/** PTX of objects that are a good part of all code: the rest would not run by it. */
function ptxOf(all: readonly Omit<ObjectKernels, "toolkit">[]): readonly string[] {
  const bytesOf = (some: typeof all): number => some.reduce((sum, { bytes }) => sum + bytes, 0);
  const least = bytesOf(all) * PTX_PART;
  return union(all.map(({ kernels }) => kernels.ptx)).filter((one) => {
    return bytesOf(all.filter(({ kernels }) => kernels.ptx.includes(one))) >= least;
  });
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].toSorted(byArchitecture);
}

/** Reads a shared object whose bytes pass by. */
export class KernelReader {
  readonly #walk: StreamWalk<KernelCounts>;

  constructor(size: number) {
    this.#walk = new StreamWalk(readRegions(0, size, [...CODE, ...NAMES]));
  }

  /** The next bytes; they are not needed after the call. */
  write(piece: Uint8Array): void {
    this.#walk.write(piece);
  }

  /** After the last bytes; undefined when the code can't be read. */
  end(): ObjectKernels | undefined {
    const counts = this.#walk.end();
    return counts.isDamaged ? undefined : joined([counts]);
  }
}
