// SPDX-License-Identifier: Apache-2.0
/*
 * Builds that BuildKit's own tests make, recorded with BuildKit master: exit code and files of the output. Files whose
 * bytes come from the base image of the recording's machine are compared by everything but their bytes.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageDetails, loadImages } from "../../src/images/index.ts";
import { hostPlatform } from "../../src/oci/index.ts";
import { TreeView, openStore } from "../../src/store/index.ts";
import { fillBusybox, whyNoBusybox } from "../support/bases.ts";
import { addImage, attempt, buildRequest, openBuildWorld } from "../support/builds.ts";
import type { BuildWorld } from "../support/builds.ts";
import { compareFacts, deltaOf, folderTree, readTarTree, readTree } from "../support/tree.ts";
import type { TreeFact, TreeFacts } from "../support/tree.ts";
import { conformanceFolder } from "./table-data.ts";

interface Output {
  readonly type: string;
  readonly fs?: Readonly<Record<string, TreeFact & { readonly mtime?: number }>> | null;
  readonly err?: unknown;
}

interface Solve {
  readonly n: number;
  readonly test?: string;
  readonly rc: number;
  readonly skip?: unknown;
  readonly remoteContext?: unknown;
  readonly dockerfile?: string | null;
  readonly args: readonly string[];
  readonly outputs?: readonly Output[];
}

const archive = join(conformanceFolder(), "buildkit-solves.tar.gz");
const reason = fs.existsSync(archive) ? whyNoBusybox() : `${archive} is absent`;
if (reason !== undefined) console.log(`skipped: recorded builds: ${reason}`);

/** Files whose bytes are chance or the recording machine's, by recording. */
const OWN_BYTES: Readonly<Record<number, readonly string[]>> = {
  46: ["unique"],
  48: ["unique"],
  92: ["test", "test2"],
  164: ["unique"],
};

/** Builds that end differently on purpose or by their surroundings. */
const KNOWN: Readonly<Record<number, string>> = {
  18: "the recording took the result of an earlier build with other proxy settings from its cache",
  124: "front end images are not run, so an unknown one is no error",
};

const BASE_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

let world: BuildWorld;
let ourBase: TreeFacts = new Map();
let theirBase: TreeFacts = new Map();

function isScored(solve: Solve): boolean {
  const texts = [solve.dockerfile ?? "", ...solve.args];
  return !solve.skip && !solve.remoteContext && !texts.some((text) => text.includes("127.0.0.1"));
}

async function prepare(): Promise<readonly string[]> {
  world = openBuildWorld("solves");
  const folder = join(world.folder, "solves");
  fs.mkdirSync(folder);
  execFileSync("tar", ["xzf", archive, "-C", folder]);
  for (const name of ["busybox", "alpine"]) {
    const names = [`docker.io/library/${name}:latest`];
    await addImage(world.store, names, fillBusybox, { Cmd: ["sh"], Env: [BASE_PATH] });
  }
  const record = world.store.images.find("docker.io/library/busybox:latest");
  if (record) ourBase = readTree(new TreeView(imageDetails(world.store, record).layers));
  const folders = fs
    .readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
  theirBase = commonFacts(folders.map((path) => recordedFacts(readSolve(path).outputs?.[0])).filter(hasBase));
  return folders;
}

function readSolve(folder: string): Solve {
  return JSON.parse(fs.readFileSync(join(folder, "solve.json"), "utf8")) as Solve;
}

/** Options with the recording's places filled in. */
function argumentsOf(solve: Solve, place: string): readonly string[] {
  const file = fs.existsSync(join(place, "dockerfile")) ? join(place, "dockerfile") : join(place, "context");
  return solve.args.map((text) => {
    const context = /^(.*=)@CTX-(.*)$/.exec(text);
    if (context) return `${context[1] ?? ""}${join(place, `ctx-${context[2] ?? ""}`)}`;
    return text.replace("@DF", file).replace("@CONTEXT", join(place, "context")).replace("@OUT", join(place, "out"));
  });
}

/** Why the result is another than the recorded one; undefined when it is the same. */
async function replay(folder: string, solve: Solve): Promise<string | undefined> {
  const place = join(world.folder, "work", String(solve.n));
  fs.mkdirSync(join(place, "context"), { recursive: true });
  for (const name of fs.readdirSync(folder).filter((entry) => entry.endsWith(".tar.gz"))) {
    const target = join(place, basename(name, ".tar.gz"));
    fs.mkdirSync(target, { recursive: true });
    execFileSync("tar", ["xzf", join(folder, name), "-C", target]);
  }
  const done = await attempt(world, buildRequest(argumentsOf(solve, place), { cwd: place }));
  if (done.ok !== (solve.rc === 0)) return `ok ${String(done.ok)}, recorded ${solve.rc}: ${done.ok ? "" : done.error}`;
  const [output] = solve.outputs ?? [];
  if (!done.ok || !output?.fs || output.err) return undefined;
  const ours = await readOutput(output.type, place);
  const wanted = recordedFacts(output);
  const [left, right] = hasBase(wanted)
    ? [deltaOf(theirBase, wanted).changed, deltaOf(ourBase, ours).changed]
    : [wanted, ours];
  const lines = compareFacts(own(solve, left), own(solve, right));
  return lines.length > 0 ? lines.slice(0, 5).join("; ") : undefined;
}

async function readOutput(type: string, place: string): Promise<TreeFacts> {
  const out = join(place, "out");
  if (type === "local") return readTree(folderTree(out));
  if (type === "tar") return readTarTree(out);
  const store = openStore({ root: join(place, "store"), sync: "none" });
  try {
    const [record] = await loadImages(store, out, { host: hostPlatform(process.arch) });
    if (!record) throw new Error("the archive holds no image");
    return readTree(new TreeView(firstLayers(store, record.target)));
  } finally {
    store.close();
  }
}

/** The layers of the image, or of the first one of an index. */
function firstLayers(store: ReturnType<typeof openStore>, target: string): ConstructorParameters<typeof TreeView>[0] {
  type Document = { manifests?: { digest: string }[]; config?: { digest: string }; rootfs?: { diff_ids: string[] } };
  const read = (digest: string): Document => JSON.parse(store.blobs.read(digest as never).toString()) as Document;
  const top = read(target);
  const manifest = top.manifests ? read(top.manifests[0]?.digest ?? "") : top;
  return store.layers.getAll((read(manifest.config?.digest ?? "").rootfs?.diff_ids ?? []) as never);
}

/** True for an output that holds the whole base image. */
function hasBase(facts: TreeFacts): boolean {
  return facts.has("bin/busybox");
}

/** The recording's base is what all outputs with a base have in common. */
function commonFacts(all: readonly TreeFacts[]): TreeFacts {
  const [first, ...rest] = all;
  const same = (path: string, fact: TreeFact): boolean =>
    rest.every((facts) => compareFacts(new Map([[path, fact]]), facts, (other) => other !== path).length === 0);
  return new Map([...(first ?? [])].filter(([path, fact]) => same(path, fact)));
}

function recordedFacts(output: Output | undefined): TreeFacts {
  const files = Object.entries(output?.fs ?? {});
  return new Map(files.map(([path, { mtime: _mtime, ...fact }]) => [path, fact]));
}

function own(solve: Solve, facts: TreeFacts): TreeFacts {
  const names = OWN_BYTES[solve.n] ?? [];
  return new Map(
    [...facts].map(([path, fact]) => [path, names.includes(path) ? { ...fact, size: 0, sha256: "" } : fact]),
  );
}

describe.skipIf(reason !== undefined)("recorded BuildKit builds", () => {
  const differing: { readonly n: number; readonly why: string }[] = [];
  let total = 0;
  beforeAll(async () => {
    for (const folder of await prepare()) {
      const solve = readSolve(folder);
      if (!isScored(solve) || (process.env["TARE_CASE"] && String(solve.n) !== process.env["TARE_CASE"])) continue;
      total += 1;
      const why = await replay(folder, solve);
      if (why === undefined) continue;
      differing.push({ n: solve.n, why });
      console.log(`${solve.n} ${solve.test ?? ""}: ${KNOWN[solve.n] ?? why}`);
    }
    console.log(`recorded builds: ${total - differing.length} of ${total} equal`);
  });
  afterAll(() => world.close());

  it("end as recorded but for the known ones", () => {
    expect(differing.filter(({ n }) => !(n in KNOWN))).toEqual([]);
  });

  it("are equal in 95 of 100", () => {
    expect(total - differing.length).toBeGreaterThanOrEqual(Math.ceil(total * 0.95));
  });
});
