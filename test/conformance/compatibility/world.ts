// SPDX-License-Identifier: Apache-2.0
/* A Docker Engine and Tare side by side, each in a network namespace of its own, with the same image. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { fillBusybox } from "../../support/bases.ts";
import { startDocker } from "../../support/dockerd.ts";
import { holdNetworkNamespace } from "../../support/network-namespace.ts";
import { PROGRAM, openProgramWorld } from "../../support/program.ts";
import type { CompatibilityCase } from "./case.ts";

/** What a case's script said. */
export interface ScriptResult {
  /** Standard output, without what differs from run to run. */
  readonly out: string;
  /** Standard error, to explain a difference. */
  readonly err: string;
}

/** Runs scripts; in them `docker` is this engine. */
interface Runner {
  run(item: CompatibilityCase): Promise<ScriptResult>;
}

/** Both engines. */
export interface CompatibilityWorld {
  /** Docker's version: `20` for 20.10. */
  readonly version: number;
  readonly docker: Runner;
  readonly tare: Runner;
  close(): Promise<void>;
}

/** The images of all cases: the same files, other configurations. */
const IMAGES: Readonly<Record<string, readonly string[]>> = {
  box: ["CMD sh"],
  "box-full": [
    "ENV FROM_IMAGE=1 MODE=image",
    "USER www-data",
    "WORKDIR /var/www",
    'ENTRYPOINT ["echo","entry"]',
    'CMD ["command"]',
    "VOLUME /data",
    "EXPOSE 80/tcp",
    "EXPOSE 53/udp",
    "LABEL from=image kind=test",
    "HEALTHCHECK --interval=1s --retries=1 CMD true",
  ],
};

const PRELUDE = `
# Output and exit code.
t() { docker "$@"; echo "= $?"; }
# The same, where the words of the error are compared too.
e() { docker "$@" 2>&1; echo "= $?"; }
# Whether it fails: the codes of client and engine differ by version.
f() { if docker "$@" >/dev/null; then echo succeeds; else echo fails; fi; }
# Waits until a command says the text.
until_says() { want=$1; shift; i=0; while [ $i -lt 100 ]; do case "$("$@" 2>/dev/null)" in *"$want"*) return 0 ;; esac; sleep 0.1; i=$((i+1)); done; echo "never said $want"; }
# A program that ends at SIGTERM and tells when it runs.
STAY='trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done'
# Fields of a container.
field() { docker inspect --type container --format "$2" "$1"; }
# A limit of control groups, v2 or v1: the file of each.
limit() { echo "cat /sys/fs/cgroup/$1 /sys/fs/cgroup/$2 2>/dev/null"; }
`;

/** For a script that hangs. */
const SECONDS = "180";

/** Starts both. */
export async function openCompatibilityWorld(): Promise<CompatibilityWorld> {
  const world = openProgramWorld("compat");
  const peer = await startDocker(join(world.folder, "docker"), { network: true });
  const holder = await holdNetworkNamespace(OWN_SYS, "--mount");
  const tare = runnerIn(world.folder, "tare", holder.pid, { ...world.env });
  const docker = runnerIn(world.folder, "engine", peer.pid, { DOCKER_HOST: peer.socket, PEER: peer.client });
  const archive = makeImage(world.folder);
  for (const runner of [docker, tare]) await importImages(runner, archive);
  const close = async (): Promise<void> => {
    for (const runner of [docker, tare]) await runner.run({ name: "close", rows: [], script: REMOVE_ALL });
    await peer.stop();
    holder.kill("SIGKILL");
    world.close();
  };
  const [, version] = /^(\d+)\./.exec(peer.docker(["version", "--format", "{{.Server.Version}}"])) ?? [];
  return { version: Number(version), docker, tare, close };
}

const REMOVE_ALL = `ids=$(docker ps -aq); [ -z "$ids" ] || docker rm -f $ids`;

/** The loopback up, and a /sys that shows it: its interfaces are those of the process that mounted it. */
const OWN_SYS = `ip link set lo up; place=$(mktemp -d); mount --rbind /sys/fs/cgroup $place; mount -t sysfs sysfs /sys
mount --rbind $place /sys/fs/cgroup; umount -l $place; rmdir $place`;

function makeImage(folder: string): string {
  const tree = join(folder, "tree");
  fillBusybox(tree);
  fs.mkdirSync(join(tree, "data"));
  fs.writeFileSync(join(tree, "data/file"), "from the image\n");
  const archive = join(folder, "box.tar");
  const made = spawnSync("tar", ["-C", tree, "--numeric-owner", "--owner=0", "--group=0", "-cf", archive, "."]);
  if (made.status !== 0) throw new Error(made.stderr.toString());
  return archive;
}

async function importImages(runner: Runner, archive: string): Promise<void> {
  const commands = Object.entries(IMAGES).map(([name, changes]) => {
    const options = changes.map((change) => `-c '${change}'`).join(" ");
    return `docker import ${options} ${archive} ${name}:latest >/dev/null || exit 1`;
  });
  const { out, err } = await runner.run({ name: "import", rows: [], script: `${commands.join("\n")}\necho done` });
  if (!out.includes("done")) throw new Error(`importing images: ${err}`);
}

type Environment = Readonly<Record<string, string | undefined>>;

function runnerIn(folder: string, name: string, namespace: number, env: Environment): Runner {
  const programs = join(folder, `${name}-bin`);
  fs.mkdirSync(programs);
  const program = env["PEER"] ?? PROGRAM;
  fs.writeFileSync(join(programs, "docker"), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
  const all = {
    ...process.env,
    ...env,
    PATH: `${programs}:${process.env["PATH"] ?? ""}`,
    DOCKER_CONFIG: join(folder, "no-config"),
    ENGINE: name,
  };
  return {
    run: async (item) => {
      const place = join(folder, `${name}-work`, item.name);
      fs.mkdirSync(place, { recursive: true });
      const script = `${PRELUDE}\nn=${item.name}\n${item.script}`;
      const words = [
        `--target=${namespace}`,
        "--net",
        "--mount",
        `--wd=${place}`,
        "timeout",
        "-k",
        "5",
        SECONDS,
        "sh",
        "-c",
        script,
      ];
      const child = spawn("nsenter", words, { cwd: place, env: all, stdio: ["ignore", "pipe", "pipe"] });
      const [out, err] = await Promise.all([child.stdout, child.stderr].map(textOf));
      return { out: normal(out ?? "", place), err: err ?? "" };
    },
  };
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

/** Output without ids, moments and the folder of the engine. */
function normal(text: string, place: string): string {
  return text
    .replaceAll(place, "HERE")
    .replace(/\b[0-9a-f]{64}\b/g, "ID")
    .replace(/\b[0-9a-f]{12}\b/g, "id")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, "MOMENT")
    .replaceAll("\r\n", "\n");
}
