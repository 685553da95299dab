// SPDX-License-Identifier: Apache-2.0
/* `cp` case by case against a Docker Engine: on the same trees, both fail or both leave the same files. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNotHere } from "../e2e/container-world.ts";
import { startDockerWith, whyNoDocker } from "../support/dockerd.ts";
import type { DockerPeer } from "../support/dockerd.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { compareFacts, folderTree, readTarTree, readTree } from "../support/tree.ts";
import type { TreeFacts } from "../support/tree.ts";

const reason = whyNotHere() ?? whyNoDocker();
if (reason !== undefined) console.log(`skipped: cp against a Docker Engine: ${reason}`);

/** In the folder of a case, here (`L/`) and in the container (`C:`). */
const FIXTURE = `
  mkdir -p dir/sub empty target/dir other; umask 022
  echo file > file; echo old > old; echo a > dir/a; echo deep > dir/sub/deep; echo mine > target/mine
  ln dir/a dir/hard; ln -s a dir/link; ln -s file to-file; ln -s dir to-dir; ln -s nowhere dangling
  ln -s loop2 loop1; ln -s loop1 loop2; ln -s ../../outside away; chmod 700 dir/sub; chmod 4755 file
  chown 33:33 dir/a; mkfifo dir/pipe; echo over > target/dir/a; echo f > target/file; mkdir target/old`;

/** Arguments of `cp`, tried out of the container and into it. */
const SYMMETRIC: readonly string[] = [
  "file new",
  "file new/",
  "file missing/new",
  "file missing/",
  "file target",
  "file old",
  "file old/",
  "file to-file",
  "file to-dir",
  "file dangling",
  "file loop1",
  "file/ new",
  "dir new",
  "dir missing/new",
  "dir target",
  "dir/. target",
  "dir/. new",
  "dir/. old",
  "dir old",
  "dir to-dir",
  "dir to-file",
  "dir dangling",
  "dir empty/.",
  "to-file new",
  "-L to-file new",
  "to-dir target",
  "to-dir/. target",
  "-L to-dir target",
  "dangling new",
  "-L dangling new",
  "-L loop1 new",
  "nothing new",
  "dir/pipe new",
  "-a dir new",
  "target/file target",
];

const CASES: readonly string[] = SYMMETRIC.flatMap((words) => {
  const parts = words.split(" ");
  const flags = parts.slice(0, -2);
  const [source, destination] = parts.slice(-2);
  return [
    [...flags, `C:${source}`, `L/${destination}`].join(" "),
    [...flags, `L/${source}`, `C:${destination}`].join(" "),
  ];
});

/** Where Tare answers otherwise (docs/differences.md). */
const DIFFERENT: ReadonlySet<string> = new Set([
  // The link that leads nowhere is replaced by Docker.
  "L/file C:loop1",
  // Docker takes `-a` here and does nothing with it.
  "-a C:dir L/new",
]);

describe.skipIf(reason !== undefined)("cp", () => {
  let world: ProgramWorld;
  let peer: DockerPeer;
  const results = new Map<string, readonly [TreeFacts, TreeFacts]>();
  const outcomes = new Map<string, readonly [boolean, boolean, string]>();

  beforeAll(async () => {
    world = openProgramWorld("cp");
    addBusyboxImage(world, 'CMD ["sleep", "600"]');
    peer = await startDockerWith(world, "busybox");
    world.ok("run", "-d", "--network", "none", "--name", "box", "busybox");
    peer.docker(["run", "-d", "--network", "none", "--name", "box", "busybox"]);
    const script = CASES.map((_case, index) => `mkdir -p /w/${index}; cd /w/${index}; ${FIXTURE}`).join("\n");
    world.ok("exec", "box", "sh", "-c", script);
    peer.docker(["exec", "box", "sh", "-c", script]);
    for (const engine of ["tare", "docker"]) {
      const local = join(world.folder, engine);
      for (const index of CASES.keys()) {
        fs.mkdirSync(join(local, String(index)), { recursive: true });
        spawnSync("sh", ["-c", FIXTURE], { cwd: join(local, String(index)) });
      }
    }
    for (const [index, words] of CASES.entries()) run(index, words);
    await readResults();
  }, 300_000);
  afterAll(async () => {
    peer?.attempt(["rm", "-f", "box"]);
    await peer?.stop();
    world?.close();
  }, 60_000);

  function run(index: number, words: string): void {
    const args = (engine: string): readonly string[] => [
      "cp",
      ...words
        .split(" ")
        .map((word) =>
          word.replace(/^L\//, `${join(world.folder, engine, String(index))}/`).replace(/^C:/, `box:/w/${index}/`),
        ),
    ];
    const own = world.tare(args("tare"));
    const theirs = peer.attempt(args("docker"));
    outcomes.set(words, [own.code === 0, theirs.ok, `${own.err}\n${theirs.output}`]);
  }

  async function readResults(): Promise<void> {
    const inside = async (engine: string): Promise<TreeFacts> => await readTarTree(join(world.folder, `${engine}.tar`));
    world.ok("export", "-o", join(world.folder, "tare.tar"), "box");
    peer.docker(["export", "-o", join(world.folder, "docker.tar"), "box"]);
    const all = [await inside("tare"), await inside("docker")] as const;
    for (const [index, words] of CASES.entries()) {
      const place = words.split(" ").at(-1)?.startsWith("C:") ? "inside" : "here";
      const facts = (["tare", "docker"] as const).map((engine, at) => {
        if (place === "here") return readTree(folderTree(join(world.folder, engine, String(index))));
        const below = `w/${index}/`;
        return new Map(
          [...(all[at] ?? [])].flatMap(([path, fact]) =>
            path.startsWith(below) ? [[path.slice(below.length), fact] as const] : [],
          ),
        );
      });
      results.set(words, facts as unknown as readonly [TreeFacts, TreeFacts]);
    }
  }

  it.each(CASES.filter((words) => !DIFFERENT.has(words)))("%s", (words) => {
    const [own, theirs, text] = outcomes.get(words) ?? [false, true, "did not run"];
    expect(own, text).toBe(theirs);
    const [left = new Map(), right = new Map()] = results.get(words) ?? [];
    expect(compareFacts(left, right)).toEqual([]);
  });
});
