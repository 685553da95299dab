// SPDX-License-Identifier: Apache-2.0
/** 100,000 damaged Dockerfiles: each one parses or is refused with a `TareError`, and what parses survives printing. */
import { expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import {
  createIgnore,
  expandWord,
  parseDockerfile,
  parseGitReference,
  parseMount,
  parsePorts,
  printDockerfile,
  readIgnoreFile,
  runScript,
} from "./index.ts";
import type { Dockerfile } from "./index.ts";

const COUNT = 100_000;
const TIME_LIMIT = 110_000;

const SEEDS = [
  "# syntax=docker/dockerfile:1\n# escape=`\nFROM a AS b\nRUN echo `\n  c\nCOPY --from=b x `\n# c\n\n y\n",
  'ARG V=1\nFROM --platform=$P img:${V:-2} AS s\nENV a=b c="d e" f=\'g\'\nLABEL x y\nCMD ["a", "b"]\nENTRYPOINT x\n',
  "FROM x\nRUN --mount=type=cache,target=/c,sharing=locked --network=none <<A <<-'B' cat\n1\nA\n\t2\nB\nCOPY <<F /f\n$x\nF\n",
  "FROM x\nHEALTHCHECK --interval=5s --retries=3 CMD curl x || exit 1\nONBUILD RUN <<E\nx\nE\nEXPOSE 80/tcp 90-92\n",
  'FROM x\nSHELL ["/bin/sh", "-c"]\nVOLUME ["/a"] \nUSER 1:2\nWORKDIR /a\\\n b\nSTOPSIGNAL SIGTERM\nMAINTAINER me\nADD --unpack --checksum=sha256:1 http://h/x /\n',
];
const TOKENS = [
  "\n",
  "\\",
  "\\\n",
  "`",
  " ",
  "\t",
  "#",
  "<<",
  "<<EOF",
  "\nEOF\n",
  '"',
  "'",
  "[",
  "]",
  '["',
  "$",
  "${",
  "}",
  "=",
  "--",
  ":",
  "-",
  "\r\n",
  "\f",
  "\u2028",
  "\ud800",
  "é",
  "FROM ",
  "ONBUILD ",
  "RUN ",
  "# escape=`\n",
  "\0",
  "!",
  "**/",
  "*",
  "?",
  ",",
];

/** A small generator of known quality (mulberry32), so that a failure can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutate(text: string, random: (below: number) => number): string {
  const position = random(text.length + 1);
  const length = random(6);
  switch (random(4)) {
    case 0:
      return text.slice(0, position) + text.slice(position + length);
    case 1:
      return text.slice(0, position) + (TOKENS[random(TOKENS.length)] ?? "") + text.slice(position);
    case 2:
      return text.slice(0, position) + text.slice(random(text.length + 1)).slice(0, 20) + text.slice(position);
    default:
      return text.slice(0, position) + String.fromCharCode(random(256)) + text.slice(position + 1);
  }
}

/** Without what may change when a file is printed: line numbers. */
function essence(tree: Dockerfile): string {
  const { directives, metaArgs, stages, escape } = tree;
  return JSON.stringify({ directives, metaArgs, stages, escape }, (key, value: unknown) =>
    key === "location" || key === "line" ? undefined : value,
  );
}

function useEverything(text: string): void {
  const tree = parseDockerfile(text);
  expect(essence(parseDockerfile(printDockerfile(tree)))).toBe(essence(tree));
  for (const instruction of tree.stages.flatMap((stage) => stage.instructions)) {
    if (instruction.kind === "run") runScript(instruction);
    if (instruction.kind === "run")
      for (const mount of instruction.mounts) quietly(() => parseMount(mount, (word) => word));
    if (instruction.kind === "expose") for (const port of instruction.ports) quietly(() => parsePorts(port));
  }
}

function quietly(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (isTareError(error)) return false;
    throw error;
  }
}

it(
  "never fails but with an error of its own",
  () => {
    Error.stackTraceLimit = 0;
    const random = generator(20_261_122);
    const end = Date.now() + TIME_LIMIT;
    let count = 0;
    let accepted = 0;
    for (; count < COUNT && Date.now() < end; count += 1) {
      let text = SEEDS[random(SEEDS.length)] ?? "";
      for (let times = random(4); times >= 0; times -= 1) text = mutate(text, random);
      if (quietly(() => useEverything(text))) accepted += 1;
      if (count % 4 !== 0) continue;
      const word = text.slice(0, 60);
      quietly(() => expandWord(word, { V: "abc", x: "*" }));
      quietly(() => parseGitReference(word));
      quietly(() => createIgnore(readIgnoreFile(word)).excludes("a/b", false));
    }
    console.log(`${count} damaged inputs, ${accepted} of them still Dockerfiles`);
    expect(count).toBe(COUNT);
    expect(accepted).toBeGreaterThan(COUNT / 20);
  },
  TIME_LIMIT + 10_000,
);
