// SPDX-License-Identifier: Apache-2.0
/* `exec` row by row against a Docker Engine: exit codes and output on the same inputs. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNotHere } from "../e2e/container-world.ts";
import { startDockerWith, whyNoDocker } from "../support/dockerd.ts";
import type { DockerPeer } from "../support/dockerd.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";

const reason = whyNotHere() ?? whyNoDocker();
if (reason !== undefined) console.warn(`skipped: ${reason}`);

interface Row {
  readonly words: readonly string[];
  /** Where Docker 20.10 and later ones differ: what later ones and Tare give. */
  readonly code?: number;
  /** The words of the error are Docker's. */
  readonly error?: RegExp;
}

const row = (...words: readonly string[]): Row => ({ words });
const ROWS: readonly Row[] = [
  row("plain", "env"),
  row("-t", "plain", "env"),
  row("tty", "env"),
  row("-t", "tty", "env"),
  row("-u", "www-data", "plain", "env"),
  row("-u", "4321", "plain", "env"),
  row("-e", "A=2", "plain", "env"),
  row("-e", "A", "plain", "env"),
  row("-e", "A=", "-e", "NEW=1", "plain", "env"),
  row("-e", "HOME=/x", "plain", "env"),
  row("-e", "TERM=foo", "-t", "plain", "env"),
  row("--env-file", "vars", "-e", "E1=two", "plain", "env"),
  row("--env-file", "missing", "plain", "env"),
  row("-u", "www-data", "plain", "id"),
  row("-u", "www-data:0", "plain", "id"),
  row("-u", "4321:5", "plain", "id"),
  row("-u", "0", "tty", "id"),
  row("tty", "id"),
  { ...row("-u", "nobody2", "plain", "id"), error: /nobody2/ },
  row("tty", "pwd"),
  row("-w", "/etc", "plain", "pwd"),
  row("-w", "", "tty", "pwd"),
  row("-w", "/made/now", "plain", "pwd"),
  row("-w", "relative", "plain", "pwd"),
  row("plain", "sh", "-c", "exit 3"),
  row("plain", "sh", "-c", "kill -9 $$"),
  row("plain", "sh", "-c", "kill -15 $$"),
  row("plain", "sh", "-c", "echo out; echo err >&2"),
  row("-i", "plain", "cat"),
  row("plain", "cat"),
  row("-t", "plain", "sh", "-c", "test -t 0 && test -t 1 && echo terminal"),
  row("-it", "plain", "true"),
  { ...row("plain", "nothing"), code: 127 },
  { ...row("plain", "/etc/nothing"), code: 127 },
  row("plain", "/etc/passwd"),
  row("plain", "/etc"),
  row("-d", "plain", "nothing"),
  row("-d", "-e", "Q=7", "-w", "/etc", "plain", "sh", "-c", "echo $Q $PWD > /tmp/detached"),
  row("plain", "sh", "-c", "until [ -s /tmp/detached ]; do sleep 0.1; done; cat /tmp/detached"),
  row("plain", "sh", "-c", "ls /proc/self/fd | wc -l"),
  row("nobody", "true"),
  row("plain"),
  row("--nothing", "plain", "true"),
  { ...row("held", "true"), error: /paused, unpause the container before exec/ },
  row("idle", "true"),
];

describe.skipIf(reason !== undefined)("exec", () => {
  let world: ProgramWorld;
  let peer: DockerPeer;
  beforeAll(async () => {
    world = openProgramWorld("exec-rows");
    addBusyboxImage(world, 'ENV A=image B=1\nCMD ["sleep", "600"]');
    world.files(".", { vars: "# comment\nE1=one\nHOME=/file\nFROM_HERE\n" });
    peer = await startDockerWith(world, "busybox");
    const both = (...words: readonly string[]): void => {
      peer.docker(words);
      world.ok(...words);
    };
    const run = ["run", "-d", "--network", "none", "--hostname", "box", "--name"];
    both(...run, "plain", "busybox");
    both(...run, "tty", "-t", "-u", "www-data", "-w", "/etc", "-e", "X=1", "busybox");
    both(...run, "held", "busybox");
    both("pause", "held");
    both("create", "--name", "idle", "busybox");
  }, 60_000);
  afterAll(async () => {
    peer?.attempt(["rm", "-f", "plain", "tty", "held", "idle"]);
    await peer?.stop();
    world?.close();
  });

  it.each(ROWS.map((each) => [each.words.join(" "), each] as const))(
    "%s: as Docker",
    (_name, { words, code, error }) => {
      const options = { cwd: world.folder, env: { FROM_HERE: "host" }, input: "typed\n" };
      const theirs = peer.run(["exec", ...words], options);
      const ours = world.tare(["exec", ...words], options);
      expect(ours.code).toBe(code ?? theirs.code);
      // Docker prints why a program could not be started on standard output, and ends a terminal's lines with \r\n.
      if (theirs.code !== 126) expect(ours.out).toBe(theirs.out.replaceAll("\r\n", "\n"));
      if (error)
        expect([ours.err, theirs.out + theirs.err]).toEqual([
          expect.stringMatching(error),
          expect.stringMatching(error),
        ]);
    },
  );

  it("runs 24 at once", async () => {
    const all = Array.from({ length: 24 }, (_, at) =>
      world.tareAsync(["exec", "plain", "sh", "-c", `echo ${at}; exit ${at}`]),
    );
    const ended = await Promise.all(all);
    expect(ended.map(({ code, out }) => `${code} ${out}`)).toEqual(ended.map((_, at) => `${at} ${at}\n`));
  });

  it("CVE-2019-5736: a program that starts itself through /proc/self/exe does not reach the runtime's file", () => {
    const runtime = spawnSync("sh", ["-c", "command -v runc"], { encoding: "utf8" }).stdout.trim();
    const before = fs.readFileSync(runtime);
    world.ok("exec", "plain", "sh", "-c", "printf '#!/proc/self/exe\\n' > /tmp/evil; chmod 755 /tmp/evil");
    const attack = "for i in 1 2 3 4 5; do for f in /proc/[0-9]*/exe; do (echo x > $f) 2>/dev/null; done; done; true";
    world.ok("exec", "-d", "plain", "sh", "-c", attack);
    for (let count = 0; count < 8; count += 1) world.tare(["exec", "plain", "/tmp/evil"]);
    expect(fs.readFileSync(runtime).equals(before)).toBe(true);
  });

  it("CVE-2024-21626: no descriptor of the host leads out of the container", () => {
    for (const descriptor of [3, 7, 8, 12]) {
      for (const tail of ["", "/../.."]) {
        const { code, out } = world.tare(["exec", "-w", `/proc/self/fd/${descriptor}${tail}`, "plain", "pwd"]);
        expect([code, out]).toEqual([126, ""]);
      }
    }
    world.ok("exec", "plain", "sh", "-c", "rm -rf /tmp/way; ln -s /proc/self/fd/7 /tmp/way");
    expect(world.tare(["exec", "-w", "/tmp/way", "plain", "ls"]).code).toBe(126);
  });
});
