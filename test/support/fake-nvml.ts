// SPDX-License-Identifier: Apache-2.0
/* A libnvidia-ml.so.1 whose answers a test chooses (fake-nvml.c). It shows how answers are read, and no GPU. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { missingProgram } from "./peer-program.ts";

/** What the library says of a GPU; absent fields are answered with NOT_SUPPORTED. */
export interface FakeGpu {
  readonly name?: string;
  readonly uuid?: string;
  /** `00000000:07:00.0` */
  readonly bus?: string;
  readonly minor?: number;
  readonly brand?: number;
  readonly capability?: string;
  /** Bytes. */
  readonly memory?: readonly [total: number, used: number];
  readonly busy?: number;
  readonly temperature?: number;
  readonly compute?: readonly FakeProcess[];
  readonly graphics?: readonly FakeProcess[];
  /** Shares by pid with a time each; `none`: no process did anything. */
  readonly samples?: readonly (readonly [pid: number, time: number, percent: number])[] | "none";
  /** Undefined places are gaps. */
  readonly mig?: readonly (FakeMig | undefined)[];
}

/** A process; memory −1 is "not available". */
export interface FakeProcess {
  readonly pid: number;
  readonly memory: number;
  readonly gi?: number;
  readonly ci?: number;
}

/** A MIG device. */
export interface FakeMig {
  readonly uuid: string;
  readonly name?: string;
  readonly gi: number;
  readonly ci: number;
  readonly memory?: readonly [total: number, used: number];
  /** Processes, when the part itself is asked. */
  readonly compute?: readonly FakeProcess[];
  /** Slices of the GPU instance, of the compute instance, MiB. */
  readonly slices?: readonly [instance: number, compute: number, megabytes: number];
}

/** What the library says. */
export interface FakeNvml {
  readonly driver?: string;
  /** 12020 */
  readonly cuda?: number;
  readonly gpus: readonly FakeGpu[];
  /** By `function.GPU` (0 for those of the whole driver): a number to return, `hang` or `crash`. */
  readonly faults?: Readonly<Record<string, number | "hang" | "crash">>;
}

/** The age of a library; see fake-nvml.c. */
export type Generation = 1 | 2 | 3 | 535;

const SOURCE = join(import.meta.dirname, "fake-nvml.c");
const COMPILERS = ["tcc", "cc"];

/** The compiler of this host; undefined, and said so, where there is none. */
export function compiler(): string | undefined {
  const found = COMPILERS.find((name) => missingProgram(name) === undefined);
  if (found === undefined) console.log(`skipped: none of ${COMPILERS.join(", ")} is installed`);
  return found;
}

/** Compiles the library to a path, whose folders are made. */
export function compileFakeNvml(path: string, generation: Generation = 3): string {
  fs.mkdirSync(dirname(path), { recursive: true });
  const args = ["-shared", "-fPIC", `-DGENERATION=${generation}`, "-Wl,-soname=libnvidia-ml.so.1", "-o", path, SOURCE];
  const child = spawnSync(compiler() ?? "cc", args, { encoding: "utf8" });
  if (child.status !== 0) throw new Error(`compiling ${SOURCE}: ${child.stderr}`);
  return path;
}

/** Puts the library where the one of a fake driver root is (`fakeNvidiaRoot`, version 535.104.05), and its answers beside. */
export function putFakeNvml(
  root: string,
  said: FakeNvml,
): Readonly<Record<"NVIDIA_DRIVER_ROOT" | "FAKE_NVML", string>> {
  const library = join(root, "usr/lib/x86_64-linux-gnu/libnvidia-ml.so.535.104.05");
  fs.rmSync(library, { force: true });
  compileFakeNvml(library);
  return { NVIDIA_DRIVER_ROOT: root, FAKE_NVML: writeAnswers(join(root, "nvml-answers"), said) };
}

/** Writes the answers; FAKE_NVML of the environment must name the file. */
export function writeAnswers(path: string, { driver, cuda, gpus, faults = {} }: FakeNvml): string {
  const lines = [
    ...pairs("", { driver, cuda, count: gpus.length }),
    ...gpus.flatMap((gpu, index) => gpuLines(gpu, index)),
    ...pairs("", faults),
  ];
  fs.writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  return path;
}

function gpuLines({ compute, graphics, samples, mig, memory, ...plain }: FakeGpu, index: number): readonly string[] {
  const texts = {
    ...plain,
    memory: memory?.join(" "),
    compute: processText(compute),
    graphics: processText(graphics),
    samples: typeof samples === "string" ? samples : samples?.map((sample) => sample.join(" ")).join(";"),
    ...(mig === undefined ? {} : { migmode: 1, maxmig: 7 }),
  };
  return [
    ...pairs(`gpu${index}.`, texts),
    ...(mig ?? []).flatMap((part, at) => migLines(part, `gpu${index}.mig${at}.`)),
  ];
}

function migLines(part: FakeMig | undefined, prefix: string): readonly string[] {
  if (part === undefined) return [];
  const { memory, slices, compute, ...plain } = part;
  const texts = { memory: memory?.join(" "), slices: slices?.join(" "), compute: processText(compute) };
  return pairs(prefix, { ...plain, ...texts });
}

function processText(processes: readonly FakeProcess[] | undefined): string | undefined {
  return processes?.map(({ pid, memory, gi = -1, ci = -1 }) => `${pid} ${memory} ${gi} ${ci}`).join(";");
}

function pairs(prefix: string, values: Readonly<Record<string, string | number | undefined>>): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [`${prefix}${key} ${value}`]));
}
