// SPDX-License-Identifier: Apache-2.0
/** The engines that are compared with Tare; each keeps its cache mounts, and builds cold by its own `--no-cache`. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DOCKER, startDaemon } from "../daemon.ts";
import type { Daemon } from "../daemon.ts";
import { firstLine, has } from "../host.ts";
import { timed } from "../measure.ts";
import type { Command } from "../measure.ts";
import type { BuildOptions, Contender } from "./contenders.ts";
import { newerDocker } from "./newer-docker.ts";
import { INSTALL, dockerfileWriter } from "./projects.ts";

/** Ids of all peers. */
export const PEER_IDS: readonly string[] = ["classic", "buildkit", "buildkit-cache", "buildkit-uv", "buildah"];

/** Where peers keep things, and what they are given. */
export interface PeerPlace {
  readonly folder: string;
  /** Folder of the newer Docker. */
  readonly newerDocker: string;
  readonly indexUrl: string;
  readonly base: string;
}

/** The peers of a run. */
export interface OpenPeers {
  readonly all: readonly Contender[];
  readonly absent: readonly string[];
  /** The data of Debian's daemon. */
  readonly dataRoot: string;
  close(): Promise<void>;
}

/** Starts what has to be started, and gives it the base. What is missing is left out with the reason. */
export async function openPeers(place: PeerPlace, ids: readonly string[]): Promise<OpenPeers> {
  const all: Contender[] = [];
  const absent: string[] = [];
  const daemons: Daemon[] = [];
  const add = (opened: Opened): void => {
    if ("reason" in opened) return void absent.push(opened.reason);
    all.push(...opened.contenders.filter(({ id }) => ids.includes(id)));
    if (opened.daemon) daemons.push(opened.daemon);
  };
  if (ids.some((id) => ["classic", "buildkit", "buildkit-cache"].includes(id))) add(await openDebianDocker(place));
  if (ids.includes("buildkit-uv")) add(await openNewerDocker(place));
  if (ids.includes("buildah")) add(openBuildah(place));
  const close = async (): Promise<void> => {
    for (const contender of all) contender.end();
    for (const daemon of daemons) await daemon.stop();
  };
  return { all, absent, dataRoot: join(place.folder, "docker/data"), close };
}

type Opened = { readonly contenders: readonly Contender[]; readonly daemon?: Daemon } | { readonly reason: string };

const PIP = dockerfileWriter(INSTALL.pip);

async function openDebianDocker(place: PeerPlace): Promise<Opened> {
  if (!has("dockerd") || !has(DOCKER)) return { reason: "docker: not installed" };
  const daemon = await startDaemon(join(place.folder, "docker"), { isInside: true });
  const version = firstLine("dockerd", "--version");
  const docker = (id: string, name: string, more: Partial<Contender>): Contender => {
    const command = dockerCommand(daemon, id === "classic" ? "0" : "1");
    const network = ["--network", "host", "--build-arg", `PIP_INDEX_URL=${place.indexUrl}/simple`];
    return {
      id,
      name,
      version,
      isTare: false,
      isSlow: true,
      bytecode: "all",
      write: PIP,
      begin: () => undefined,
      build: (folder, image, options) => command("build", "-q", ...network, ...fresh(options), "-t", image, folder),
      push: (image) => command("push", "-q", image),
      run: (image, words) => command("run", "--rm", "--network", "none", image, ...words),
      forget: (images) => [
        command("rmi", "-f", ...images),
        command("image", "prune", "-f"),
        command("builder", "prune", "-af", "--filter", "type=regular"),
      ],
      end: () => undefined,
      ...more,
    };
  };
  timed(dockerCommand(daemon, "0")("pull", "-q", place.base));
  const contenders = [
    docker("classic", "docker build (classic), pip", {}),
    docker("buildkit", "BuildKit, pip", { baseline: "a" }),
    docker("buildkit-cache", "BuildKit, pip, cache mount", { write: dockerfileWriter(INSTALL.pipCache) }),
  ];
  return { contenders, daemon };
}

function dockerCommand(daemon: Daemon, buildKit: string): MakeCommand {
  return (...words) => ({ program: DOCKER, words, env: { DOCKER_HOST: daemon.socket, DOCKER_BUILDKIT: buildKit } });
}

const fresh = (options?: BuildOptions): readonly string[] => (options?.noCache ? ["--no-cache"] : []);

/** BuildKit with zstd: that of a Docker Engine whose images are containerd's. */
async function openNewerDocker(place: PeerPlace): Promise<Opened> {
  const found = newerDocker(place.newerDocker);
  if ("reason" in found) return found;
  const { programs } = found;
  const config = { features: { "containerd-snapshotter": true } };
  const daemon = await startDaemon(join(place.folder, "newer"), { isInside: true, programs, config });
  const command = newerClient(join(place.folder, "newer-client"), programs, daemon);
  timed(command("pull", "-q", place.base));
  const version = firstLine(join(programs, "usr/sbin/dockerd"), "--version");
  return { contenders: [uvContender(place, version, command)], daemon };
}

type MakeCommand = (...words: readonly string[]) => Command;

/** The newer client with its own buildx and no settings of the user's. */
function newerClient(settings: string, programs: string, daemon: Daemon): MakeCommand {
  mkdirSync(settings, { recursive: true });
  const plugins = { cliPluginsExtraDirs: [join(programs, "usr/libexec/docker/cli-plugins")] };
  writeFileSync(join(settings, "config.json"), JSON.stringify(plugins));
  const env = { DOCKER_HOST: daemon.socket, DOCKER_CONFIG: settings };
  return (...words) => ({ program: join(programs, "usr/bin/docker"), words, env });
}

function uvContender({ indexUrl }: PeerPlace, version: string, command: MakeCommand): Contender {
  const network = ["--network", "host", "--build-arg", `PIP_INDEX_URL=${indexUrl}/simple`];
  // Without `store=false` the engine also unpacks what it pushed, which a build for a registry need not pay for.
  const pushed = "type=image,push=true,store=false,compression=zstd";
  const build = ["buildx", "build", "-q", "--provenance=false", ...network, "--output"];
  return {
    id: "buildkit-uv",
    name: "BuildKit, uv, cache mount, zstd",
    version,
    isTare: false,
    baseline: "b",
    isSlow: false,
    bytecode: "none",
    write: dockerfileWriter(INSTALL.uvCache),
    begin: () => undefined,
    build: (folder, image, options) => command(...build, `${pushed},name=${image}`, ...fresh(options), folder),
    local: (folder, image) => command(...build, `type=image,compression=zstd,name=${image}`, folder),
    run: (image, words) => command("run", "--rm", "--network", "none", image, ...words),
    forget: (images) => [
      command("rmi", "-f", ...images),
      command("builder", "prune", "-af", "--filter", "type=regular"),
    ],
    end: () => undefined,
  };
}

function openBuildah(place: PeerPlace): Opened {
  if (!has("buildah")) return { reason: "buildah: not installed" };
  const root = join(place.folder, "buildah");
  const store = ["--root", root, "--runroot", `${root}-run`, "--storage-driver", "overlay"];
  const command = (...words: string[]): Command => ({ program: "buildah", words: [...store, ...words] });
  timed(command("pull", "-q", "--tls-verify=false", place.base));
  const network = ["--network", "host", "--build-arg", `PIP_INDEX_URL=${place.indexUrl}/simple`];
  const bud = ["bud", "-q", "--layers", "--tls-verify=false", "--runtime", "runc", ...network];
  const buildah: Contender = {
    id: "buildah",
    name: "buildah bud --layers, pip",
    version: firstLine("buildah", "--version"),
    isTare: false,
    isSlow: true,
    bytecode: "all",
    write: PIP,
    begin: () => undefined,
    build: (folder, image, options) => command(...bud, ...fresh(options), "-t", image, folder),
    push: (image) => command("push", "-q", "--tls-verify=false", image),
    forget: (images) => [command("rmi", "-f", ...images), command("rmi", "--prune", "-f")],
    end: () => void spawnSync("umount", [join(root, "overlay")]),
  };
  return { contenders: [buildah] };
}
