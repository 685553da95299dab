// SPDX-License-Identifier: Apache-2.0
/*
 * Sources become wheels in a container of the base, by `uv build`, which brings what they need to be built. The step
 * is one of the solver's, keyed by the sources' content, so a package is built once for a base.
 */
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { TareError, ensureDirectory, isTareError, removeTree } from "../base/index.ts";
import { GraphBuilder } from "../graph/index.ts";
import { ensureUv, readIndexConfig } from "../python/index.ts";
import { findRuntime } from "../runtime/index.ts";
import { Solver, checkout, resolveCommit } from "../solver/index.ts";
import type { DiffId } from "../base/index.ts";
import type { RunMount, VertexId } from "../graph/index.ts";
import type { DistributionFile, SelectedPackage } from "../python/index.ts";
import type { LocalSource } from "../solver/index.ts";
import type { ProjectBuild } from "./project-build.ts";
import type { WheelChoice } from "./project-wheels.ts";

const OUT = "/tare-wheels";
const SOURCE = "/run/tare-source";
const UV = "/run/tare-uv";

/** The wheels of packages that have none, by name. Throws `E_BUILD_WHEEL` naming what failed or why it can't be tried. */
export async function buildWheels(
  build: ProjectBuild,
  choice: WheelChoice,
  packages: readonly SelectedPackage[],
): Promise<ReadonlyMap<string, DistributionFile>> {
  if (packages.length === 0) return new Map();
  if (process.platform !== "linux" || process.getuid?.() !== 0) throw needsRoot(packages);
  const { place, signal, lease } = build;
  const uv = await ensureUv({ store: place.store, wheels: place.wheels, env: place.env, signal });
  const locals = new Map<string, LocalSource>([["uv", { root: join(uv, "..") }]]);
  const graph = new GraphBuilder();
  const vertices: VertexId[] = [];
  for (const each of packages) {
    const root = await sourceFolder(build, each);
    locals.set(each.name, { root });
    vertices.push(addStep(build, choice, graph, each));
  }
  const settings = indexSecrets(build);
  const solver = new Solver(graph.build(), {
    store: place.store,
    lease,
    runRoot: place.runRoot,
    locals,
    secrets: settings,
    agents: new Map(),
    allow: new Set(),
    epoch: build.epoch,
    isEpochChosen: false,
    jobs: 2,
    python: { wheels: place.wheels, accelerate: false, bytecode: "none" },
    runtime: () => findRuntime({ runRoot: place.runRoot }),
    signal,
    ...(build.request.listener === undefined ? {} : { listener: build.request.listener }),
  });
  const results = await solve(solver, vertices, packages);
  return new Map(packages.map((each, index) => [each.name, wheelIn(build, each, results[index]?.at(-1))]));
}

async function solve(
  solver: Solver,
  vertices: readonly VertexId[],
  packages: readonly SelectedPackage[],
): Promise<readonly (readonly DiffId[])[]> {
  try {
    return (await solver.solve(vertices)).map(({ layers }) => layers);
  } catch (error) {
    if (!isTareError(error, "E_RUN_FAILED")) throw error;
    throw new TareError("E_BUILD_WHEEL", `building a wheel of ${names(packages)}: ${error.message}`, {
      hint: "its output is above; a compiler or headers may be missing: name Debian packages in a base of your own, or choose a version that has a wheel",
      details: error.details,
      cause: error,
    });
  }
}

function names(packages: readonly SelectedPackage[]): string {
  return packages.map(({ name }) => name).join(", ");
}

function needsRoot(packages: readonly SelectedPackage[]): TareError {
  return new TareError(
    "E_BUILD_WHEEL",
    `building wheels of ${names(packages)}: they come as sources, which are built in a container as root`,
    {
      hint: "run as root on Linux, choose versions that have wheels, or fetch built ones with `tare wheels pull`",
    },
  );
}

/** The package's sources in a folder: an archive beside nothing else, a checkout, or the user's own folder. */
async function sourceFolder(build: ProjectBuild, { name, sdist, source }: SelectedPackage): Promise<string> {
  const { lease, place, signal } = build;
  if (source?.kind === "directory") return source.path;
  const folder = join(lease.folder, `source-${name}`);
  if (source?.kind === "vcs") {
    if (source.vcs !== "git")
      throw new TareError(
        "E_BUILD_WHEEL",
        `building a wheel of ${name}: ${source.vcs} repositories are not supported`,
        { hint: "use git, or an archive's URL" },
      );
    const reference = { remote: source.url, ref: source.commit, keepGitDirectory: true };
    await checkout(reference, await resolveCommit(reference, signal), folder, signal);
    return folder;
  }
  const file = source?.kind === "archive" ? source.file : sdist;
  if (!file)
    throw new TareError("E_BUILD_WHEEL", `building a wheel of ${name}: the lock names no sources`, {
      hint: "lock again",
    });
  const [stored] = await (await place.wheels()).fetch([file], { signal });
  if (!stored) throw new Error("fetch gives a file for each");
  ensureDirectory(folder, 0o755);
  fs.copyFileSync(stored.path, join(folder, file.fileName), fs.constants.COPYFILE_FICLONE);
  return folder;
}

function addStep(
  build: ProjectBuild,
  { base, platform }: WheelChoice,
  graph: GraphBuilder,
  each: SelectedPackage,
): VertexId {
  const image = graph.add(
    { type: "image", reference: base.name, manifest: base.manifest, layers: base.config.rootfs.diff_ids },
    [],
    { label: `base ${base.name}` },
  );
  const uv = graph.add({ type: "local", name: "uv" }, [], { label: "uv" });
  const sources = graph.add({ type: "local", name: each.name }, [], { label: `sources of ${each.name}` });
  const { source } = each;
  const archive = source?.kind === "archive" ? source.file : source === undefined ? each.sdist : undefined;
  const inner = archive?.fileName ?? source?.subdirectory ?? "";
  const secrets = [...indexSecrets(build).keys()].map((id): RunMount =>
    id === "tare-ca"
      ? { type: "secret", id, target: "/run/tare-ca.pem", required: true, mode: 0o444, uid: 0, gid: 0 }
      : { type: "secret", id, env: id, required: true, mode: 0o400, uid: 0, gid: 0 },
  );
  const hasCa = secrets.some((mount) => mount.type === "secret" && mount.id === "tare-ca");
  const script = [
    "set -e",
    `cp -r ${SOURCE}/. /tmp/tare-source`,
    `${UV}/uv build --wheel --no-progress --python "$(command -v python3)" --out-dir ${OUT} "/tmp/tare-source/$TARE_INNER"`,
    "rm -rf /tmp/tare-source",
  ].join("\n");
  return graph.add(
    {
      type: "run",
      args: ["/bin/sh", "-c", script],
      env: [
        ...(base.config.config?.Env ?? []),
        `TARE_INNER=${inner}`,
        "UV_CACHE_DIR=/run/tare-uv-cache",
        "UV_NO_MANAGED_PYTHON=1",
        "SOURCE_DATE_EPOCH=315532800",
        ...(hasCa ? ["SSL_CERT_FILE=/run/tare-ca.pem"] : []),
      ],
      cwd: "/",
      user: "0",
      mounts: [
        { type: "bind", target: UV, from: 1, source: "/", writable: false },
        { type: "bind", target: SOURCE, from: 2, source: "/", writable: false },
        {
          type: "cache",
          target: "/run/tare-uv-cache",
          id: "tare-uv-build",
          sharing: "shared",
          source: "/",
          readonly: false,
          mode: 0o755,
          uid: 0,
          gid: 0,
        },
        ...secrets,
      ],
      network: "default",
      security: "sandbox",
      devices: [],
    },
    [image, uv, sources],
    {
      label: `build a wheel of ${each.name} ${each.version ?? ""}`.trim(),
      platform: `${platform.os}/${platform.architecture}`,
    },
  );
}

/** Index settings reach the step as secrets: they may hold credentials, and are in no key and no layer. */
function indexSecrets({ place }: ProjectBuild): ReadonlyMap<string, () => Buffer | undefined> {
  const { env } = place;
  const index = readIndexConfig(env);
  const secrets = new Map<string, () => Buffer | undefined>();
  if (/^https?:\/\/[^/]*@/.test(index.indexUrl)) secrets.set("UV_DEFAULT_INDEX", () => Buffer.from(index.indexUrl));
  if (index.extraIndexUrls.length > 0) secrets.set("UV_INDEX", () => Buffer.from(index.extraIndexUrls.join(" ")));
  const certificates = env["SSL_CERT_FILE"] ?? env["PIP_CERT"] ?? "";
  if (certificates !== "" && fs.existsSync(certificates)) secrets.set("tare-ca", () => fs.readFileSync(certificates));
  return secrets;
}

function wheelIn({ place, lease }: ProjectBuild, each: SelectedPackage, layer: DiffId | undefined): DistributionFile {
  const tree = layer === undefined ? undefined : place.store.layers.get(layer)?.tree;
  const folder = join(tree ?? "", OUT);
  const [wheel] =
    tree !== undefined && fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith(".whl")) : [];
  if (wheel === undefined) {
    throw new TareError("E_BUILD_WHEEL", `building a wheel of ${each.name}: uv made none`, {
      hint: "its output is above",
    });
  }
  removeTree(join(lease.folder, `source-${each.name}`));
  return { fileName: basename(wheel), path: join(folder, wheel) };
}
