// SPDX-License-Identifier: Apache-2.0
/* What one program's output looks like in `logs` of Docker and of Tare, byte for byte. */
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { startDockerWith, whyNoDocker } from "../support/dockerd.ts";
import type { DockerPeer } from "../support/dockerd.ts";
import { PROGRAM, addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox() ?? whyNoDocker();
if (reason !== undefined) console.log(`skipped: logs beside Docker's: ${reason}`);

/** Options of `run`, and what the shell does. */
const PROGRAMS: Readonly<Record<string, readonly [options: string, script: string]>> = {
  lines: ["", "seq 1 300"],
  parts: ["", "printf 'a\\nb'; sleep 0.1; printf c; sleep 0.1; echo d; printf end"],
  empty: ["", "true"],
  // Bytes that are not UTF-8 are not compared: Docker replaces them, Tare keeps them.
  bytes: ["", "printf '\\0\\r\\n\\n\\n\\033[1m\\n'"],
  errors: ["", "seq 1 5 >&2"],
  long: ["", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo short"],
  terminal: ["-t", "echo one; echo two"],
  details: ["--log-opt labels=team --log-opt env=A --log-opt tag={{.Name}} --label team=v/1 -e A=1", "seq 1 3"],
};
const FLAGS = [
  "",
  "-n 2",
  "--tail 0",
  "--tail all",
  "--details",
  "-t",
  "-t --details --tail 1",
  "--until 1h",
  "--since 1h",
  "-f",
];

const STAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /g;

describe.skipIf(reason !== undefined)("logs", () => {
  let world: ProgramWorld;
  let peer: DockerPeer;
  beforeAll(async () => {
    world = openProgramWorld("logs-peer");
    addBusyboxImage(world);
    peer = await startDockerWith(world, "busybox");
    for (const [name, [options, script]] of Object.entries(PROGRAMS)) {
      const flags = ["--network", "none", "--name", name, ...options.split(" ").filter(Boolean)];
      const words = ["run", "-d", ...flags, "busybox", "sh", "-c", script];
      peer.docker(words);
      world.ok(...words);
      peer.docker(["wait", name]);
      world.ok("wait", name);
    }
  });
  afterAll(async () => {
    await peer?.stop();
    world.close();
  });

  const read = (program: string, env: NodeJS.ProcessEnv, words: readonly string[]): readonly string[] => {
    const { status, stdout, stderr } = spawnSync(program, ["logs", ...words], { env, encoding: "latin1" });
    return [String(status), stdout, stderr].map((text) => text.replaceAll(STAMP, "TIME "));
  };

  it.each(Object.keys(PROGRAMS))("of the program %s are the same", (name) => {
    for (const flags of FLAGS) {
      const words = [...flags.split(" ").filter(Boolean), name];
      // Docker cuts long lines into messages of 16 KiB, each with a time of its own.
      if (name === "long" && /-t|-n|--tail|--details/.test(flags)) continue;
      const docker = read(peer.client, { ...process.env, DOCKER_HOST: peer.socket }, words);
      expect(read(PROGRAM, world.env, words), `${name}: logs ${flags}`).toEqual(docker);
    }
  });

  it("are refused alike for the driver none", () => {
    peer.docker(["run", "-d", "--name", "silent", "--network", "none", "--log-driver", "none", "busybox", "true"]);
    world.ok("run", "-d", "--name", "silent", "--log-driver", "none", "busybox", "true");
    const why = "configured logging driver does not support reading";
    expect(peer.attempt(["logs", "silent"])).toMatchObject({ ok: false, output: expect.stringContaining(why) });
    expect(world.tare(["logs", "silent"])).toMatchObject({ code: 1, out: "", err: expect.stringContaining(why) });
  });
});
