// SPDX-License-Identifier: Apache-2.0
/** Tare, in the ways a user has it; a cold build begins with a copy of a store that has the base and the wheels. */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { digestFromHex } from "../../src/base/index.ts";
import { openWheelStore } from "../../src/python/index.ts";
import { openStore } from "../../src/store/index.ts";
import { finished, timed } from "../measure.ts";
import type { Command } from "../measure.ts";
import type { Contender } from "./contenders.ts";
import { INSTALL, dockerfileWriter, writeLocked } from "./projects.ts";
import type { Materials, ProjectWriter } from "./projects.ts";
import { TOOLS, wheelsOf } from "./wheels.ts";

const PROGRAM: string = resolve(import.meta.dirname, "../../bin/tare");
const RECIPE = "python:3.11-slim";

/** A command with the store in `root`. */
function tareCommand(root: string, ...words: readonly string[]): Command {
  return { program: PROGRAM, words, env: { TARE_ROOT: root } };
}

/** Assembles the base image once; needs the network. */
export function prepareBase(root: string): void {
  if (spawnSync(PROGRAM, ["image", "inspect", RECIPE], { env: { ...process.env, TARE_ROOT: root } }).status === 0)
    return;
  process.stderr.write(`assembling ${RECIPE} in ${root}\n`);
  timed(tareCommand(root, "base", "-q", RECIPE));
}

/** A store with the base (pip and uv of `TOOLS` in it, pushed to its registry) and the wheels, and nothing else. */
export async function makeWarmStore(
  root: string,
  from: string,
  materials: Materials & { readonly wheels: string },
): Promise<void> {
  copyStore(from, root);
  const context = join(root, "..", "base-context");
  mkdirSync(context, { recursive: true });
  const tools = wheelsOf(materials.facts, TOOLS).map(({ fileName }) => fileName);
  for (const file of tools) copyFileSync(join(materials.wheels, file), join(context, file));
  const install = `python3 -m pip install --no-index --no-deps --no-cache-dir --break-system-packages /w/*.whl`;
  const lines = [`FROM ${RECIPE}`, `RUN --mount=type=bind,target=/w ${install}`];
  writeFileSync(join(context, "Dockerfile"), `${lines.join("\n")}\n`);
  timed(tareCommand(root, "build", "-q", "--no-accelerate", "-t", materials.base, context));
  timed(tareCommand(root, "push", "-q", materials.base));
  await addWheels(root, materials);
}

async function addWheels(
  root: string,
  { facts, indexUrl, wheels }: Materials & { readonly wheels: string },
): Promise<void> {
  const store = openStore({ root });
  try {
    const files = facts.map(({ fileName, sha256, size }) => ({
      fileName,
      digest: digestFromHex(sha256),
      size,
      url: `${indexUrl}/files/${fileName}`,
      path: join(wheels, fileName),
    }));
    await openWheelStore({ store, env: {}, cwd: root }).fetch(files);
  } finally {
    store.close();
  }
}

/** A store of its own in no time: what is never changed is linked, the state is copied. */
function copyStore(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(join(to, ".."), { recursive: true });
  timed({ program: "cp", words: ["-al", from, to] });
  const folder = join(to, "v1");
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(folder, entry.name);
    copyFileSync(path, `${path}.copy`);
    renameSync(`${path}.copy`, path);
  }
}

/** A store of a machine that has nothing. */
export function emptyStore(root: string): void {
  rmSync(root, { recursive: true, force: true });
}

/** What Tare's contenders share. */
export interface TarePlace {
  /** The store that cold ones are copied from. */
  readonly warm: string;
  readonly root: string;
  readonly indexUrl: string;
}

/** Ids of all of Tare's ways. */
export const TARE_IDS: readonly string[] = [
  "tare-none",
  "tare-none-push",
  "tare-facts-push",
  "tare-imported",
  "tare-imported-push",
  "tare-all",
  "tare-run",
];

/** All of Tare's ways. */
export function tareContenders(place: TarePlace): readonly Contender[] {
  const pip = dockerfileWriter(INSTALL.pip);
  const push = { name: "Tare, project, `build --push`", write: writeLocked, isOneCommand: true };
  return [
    tare(place, { id: "tare-none", name: "Tare, project", bytecode: "none", write: writeLocked }),
    tare(place, { id: "tare-none-push", bytecode: "none", ...push }),
    tare(place, {
      ...push,
      id: "tare-facts-push",
      name: `${push.name}, facts of the layers in the lock`,
      bytecode: "none",
      write: factsWriter(place),
    }),
    tare(place, { id: "tare-imported", name: "Tare, project", bytecode: "imported", write: writeLocked }),
    tare(place, { id: "tare-imported-push", bytecode: "imported", ...push }),
    tare(place, { id: "tare-all", name: "Tare, project", bytecode: "all", write: writeLocked }),
    tare(place, { id: "tare-run", name: "Tare, `RUN pip install`", bytecode: "imported", write: pip }),
  ];
}

/** A lock with the facts that another machine found out about its layers; of a changed pin it has none. */
function factsWriter(place: TarePlace): ProjectWriter {
  let facts: string | undefined;
  return (materials, folder, state) => {
    writeLocked(materials, folder, state);
    const lock = join(folder, "pylock.toml");
    facts ??= factsOf(place, folder, lock);
    appendFileSync(lock, `\n${facts}`);
  };
}

function factsOf({ warm, root }: TarePlace, folder: string, lock: string): string {
  const other = `${root}-facts`;
  copyStore(warm, other);
  const plain = readFileSync(lock, "utf8");
  timed(tareCommand(other, "build", "-q", "--bytecode", "none", "--lock-facts", "-t", "facts", folder));
  emptyStore(other);
  const text = readFileSync(lock, "utf8");
  writeFileSync(lock, plain);
  return text.slice(text.indexOf("[[tool.tare.layers]]"));
}

interface Way {
  readonly id: string;
  readonly name: string;
  readonly bytecode: Contender["bytecode"];
  readonly write: ProjectWriter;
  /** Building pushes. */
  readonly isOneCommand?: boolean;
}

function tare({ warm, root, indexUrl }: TarePlace, way: Way): Contender {
  const command = (...words: string[]): Command => tareCommand(root, ...words);
  const settings = ["--bytecode", way.bytecode, "--build-arg", `PIP_INDEX_URL=${indexUrl}/simple`];
  return {
    ...way,
    version: finished(tareCommand(root, "--version")).output.trim(),
    isTare: true,
    isSlow: way.bytecode === "all",
    begin: () => copyStore(warm, root),
    build: (folder, image, { push = way.isOneCommand === true } = {}) =>
      command("build", "-q", ...settings, ...(push ? ["--push"] : []), "-t", image, folder),
    ...(way.isOneCommand === true ? {} : { push: (image: string): Command => command("push", "-q", image) }),
    run: (image, words) => command("run", "--rm", "--network", "none", image, ...words),
    forget: () => [],
    end: () => emptyStore(root),
  };
}
