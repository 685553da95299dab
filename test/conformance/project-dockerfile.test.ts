// SPDX-License-Identifier: Apache-2.0
/*
 * `tare plan --dockerfile`: what it writes makes the same image by Tare and by a Docker Engine as the project itself,
 * but for what docs/projects.md lists. The base brings wheels and a pip.conf, so that no network is needed.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imageDetails } from "../../src/images/index.ts";
import { TreeView, openStore } from "../../src/store/index.ts";
import { whyNoBusybox } from "../support/bases.ts";
import { compareConfigs } from "../support/config.ts";
import { startDocker, whyNoDocker } from "../support/dockerd.ts";
import { writeWheel } from "../support/made-wheel.ts";
import { openProgramWorld } from "../support/program.ts";
import { addPythonBase, whyNoIndex, whyNoPythonBase } from "../support/python-base.ts";
import { fetchTools } from "../support/python-tools.ts";
import { compareFacts, readTree } from "../support/tree.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { ContainerConfig } from "../../src/oci/index.ts";
import type { ProgramWorld } from "../support/program.ts";
import type { TreeFacts } from "../support/tree.ts";
import type { IndexPeer } from "../support/wheel-index.ts";

const reason = whyNoBusybox() ?? whyNoPythonBase() ?? whyNoIndex();
const dockerReason = reason ?? whyNoDocker();
if (reason !== undefined) console.log(`skipped: Dockerfiles of projects: ${reason}`);
else if (dockerReason !== undefined) console.log(`skipped: Dockerfiles of projects, Docker: ${dockerReason}`);

let world: ProgramWorld;
let index: IndexPeer;
let project = "";

const PYPROJECT = `[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "demo-app"
version = "1.5"
dependencies = ["demo-a", "demo-b"]
[project.scripts]
demo-app = "demo_app:main"
[tool.tare]
base = "pip-base"
expose = [8000]
exclude = ["notes"]
[tool.tare.env]
GREETING = 'say "hello" for $5'
[tool.tare.labels]
"org.example.kind" = "a demo"
`;

/** What the list of differences in docs/projects.md says. */
function isListed(path: string): boolean {
  return (
    /(?:^|\/)__pycache__(?:\/|$)/.test(path) ||
    /\.dist-info\/(?:RECORD|INSTALLER|REQUESTED|direct_url\.json)$/.test(path) ||
    /\/demo_app-1\.5\.dist-info\/(?:METADATA|WHEEL|top_level\.txt)$/.test(path) ||
    /(?:^|\/)__editable__[^/]*$/.test(path) ||
    /^app\/.*\.egg-info(?:\/|$)/.test(path) ||
    /^(?:root\/\.cache|tmp|run)(?:\/|$)/.test(path)
  );
}

beforeAll(async () => {
  if (reason !== undefined) return;
  world = openProgramWorld("plain-dockerfile");
  addPythonBase(world);
  const wheels = join(world.folder, "base/wheels");
  mkdirSync(wheels, { recursive: true });
  const module = (name: string): { readonly name: string; readonly content: string }[] => [
    { name: `${name}/__init__.py`, content: `NAME = "${name}"\n` },
    { name: `${name}/data/table.csv`, content: "1,2\n" },
  ];
  const made = [
    writeWheel(wheels, { name: "demo-a", requires: ["demo-b"], files: module("demo_a") }),
    writeWheel(wheels, {
      name: "demo-b",
      files: module("demo_b"),
      entryPoints: "[console_scripts]\ndemo-b = demo_b:print\n",
    }),
  ];
  const tools = fetchTools();
  for (const path of tools.filter((each) => basename(each).startsWith("setuptools"))) {
    copyFileSync(path, join(wheels, basename(path)));
  }
  world.files("base", {
    "pip.conf": "[global]\nno-index = true\nfind-links = /wheels\ndisable-pip-version-check = true\n",
    Dockerfile: 'FROM python:3.11-slim\nCOPY wheels /wheels\nCOPY pip.conf /etc/pip.conf\nENTRYPOINT ["env"]\n',
  });
  world.ok("build", "-q", "-t", "pip-base", join(world.folder, "base"));
  index = await startIndex([...made, ...tools]);
  project = world.files("project", {
    "pyproject.toml": PYPROJECT,
    "src/demo_app/__init__.py": "import demo_a\n\ndef main():\n    print(demo_a.NAME)\n",
    "notes/private.txt": "not for images\n",
    ".env": "TOKEN=1\n",
  });
});
afterAll(async () => {
  if (reason !== undefined) return;
  await index.stop();
  world.close();
});

function tare(...args: readonly string[]): string {
  const { code, out, err } = world.tare(args, { env: index.env });
  if (code !== 0) throw new Error(err);
  return out.trim();
}

function imageOf(name: string): { readonly facts: TreeFacts; readonly config: ContainerConfig | undefined } {
  const store = openStore({ root: world.root });
  try {
    const record = store.images.find(world.ok("inspect", "--format", "{{.Id}}", name));
    if (!record) throw new Error(`no image ${name}`);
    const { layers, config } = imageDetails(store, record);
    return { facts: readTree(new TreeView(layers)), config: config.config };
  } finally {
    store.close();
  }
}

function expectSame(name: string): void {
  const [own, plain] = [imageOf("own"), imageOf(name)];
  expect(compareFacts(own.facts, plain.facts, isListed)).toEqual([]);
  expect(compareConfigs(own.config, plain.config)).toEqual([]);
  expect(own.facts.has("app/src/demo_app/__init__.py") && own.facts.has("usr/local/bin/demo-app")).toBe(true);
}

describe.skipIf(reason !== undefined)("the plain Dockerfile of a project", () => {
  it("has pinned requirements with hashes, and no Dockerfile in the image", () => {
    tare("build", "-q", "-t", "own", project);
    // Layers of wheels are unpacked when something needs their files.
    expect(world.ok("run", "--rm", "own")).toBe("demo_a");
    tare("plan", "--dockerfile", "-o", join(project, "Dockerfile"), project);
    const text = readFileSync(join(project, "Dockerfile"), "utf8");
    expect(text).toMatch(/^ {6}'demo-a==1\.0 --hash=sha256:[0-9a-f]{64}' \\$/m);
    expect(text).toContain("FROM pip-base\n");
    expect(text).toContain(String.raw`ENV GREETING="say \"hello\" for \$5"`);
    expect(existsSync(join(project, "Dockerfile.dockerignore"))).toBe(true);
  });

  it("makes the same image by Tare", () => {
    tare("build", "-q", "-t", "plain", "-f", join(project, "Dockerfile"), project);
    expectSame("plain");
    expect(world.ok("run", "--rm", "plain")).toBe("demo_a");
  });

  it.skipIf(dockerReason !== undefined)("makes the same image by a Docker Engine", async () => {
    const docker = await startDocker(join(world.folder, "docker"));
    try {
      world.ok("save", "-o", join(world.folder, "base.tar"), "pip-base");
      docker.docker(["load", "-i", join(world.folder, "base.tar")]);
      docker.docker(["build", "-q", "--network", "none", "-t", "by-docker", "."], project);
      docker.docker(["save", "-o", join(world.folder, "by-docker.tar"), "by-docker"]);
      world.ok("load", "-q", "-i", join(world.folder, "by-docker.tar"));
      expectSame("by-docker");
    } finally {
      await docker.stop();
    }
  });

  it("is refused where there is a Dockerfile", () => {
    const refused = world.tare(["plan", "--dockerfile", project], { env: index.env });
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/error\[E_USAGE\][^]*hint: it is the plan already/);
  });
});
