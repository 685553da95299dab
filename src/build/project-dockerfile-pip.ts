// SPDX-License-Identifier: Apache-2.0
/* The distributions of a project's Dockerfile: pip installs exactly those files; a stage of its own builds the others. */
import { TareError } from "../base/index.ts";
import { readIndexConfig } from "../python/index.ts";
import { aptScript } from "./isolated.ts";
import { quoted } from "./shell-word.ts";
import type { SelectedPackage } from "../python/index.ts";
import type { PreparedProject } from "./project-build.ts";

/** A RUN is one argument of a shell, which Linux takes up to 128 KiB of. */
const LONGEST = 60_000;

/** A stage that builds wheels of what comes as sources; none when nothing does. */
export function wheelStage(prepared: PreparedProject, from: string): readonly string[] {
  const sources = prepared.wheels.selected.filter(({ wheel }) => !wheel);
  if (sources.length === 0) return [];
  const git = sources.some(({ source }) => source?.kind === "vcs") ? ["git", "ca-certificates"] : [];
  const packages = [...new Set([...git, ...prepared.project.config.buildPackages])];
  const folders = sources.filter(({ source }) => source?.kind === "directory");
  const others = sources.filter(({ source }) => source?.kind !== "directory");
  const wheel = "pip wheel --no-cache-dir --no-deps --wheel-dir /wheels";
  return [
    "",
    `FROM ${from} AS wheels`,
    ...(packages.length > 0 ? [`RUN ${aptScript(packages)}`] : []),
    ...others.map((each) => `RUN ${wheel} ${indexOptions(prepared)}${quoted(sourceOf(each))}`),
    ...(folders.length > 0 ? ["COPY . /sources/"] : []),
    ...folders.map((each) => `RUN ${wheel} ${quoted(folderOf(prepared, each))}`),
  ];
}

/** `name==1.0` is built from its sdist, which the index has; pip checks no hash without all. */
function sourceOf({ name, version, source }: SelectedPackage): string {
  switch (source?.kind) {
    case "vcs": {
      const inner = source.subdirectory === undefined ? "" : `#subdirectory=${source.subdirectory}`;
      return `${name} @ ${source.vcs}+${source.url}@${source.commit}${inner}`;
    }
    case "archive": {
      const inner = source.subdirectory === undefined ? "" : `#subdirectory=${source.subdirectory}`;
      return `${name} @ ${source.file.url ?? ""}${inner}`;
    }
    case "directory":
    case undefined:
      return `${name}==${version ?? ""}`;
  }
}

function folderOf({ root }: PreparedProject, { name, source }: SelectedPackage): string {
  const path = source?.kind === "directory" ? source.path : "";
  if (path !== root && !path.startsWith(`${root}/`)) {
    throw new TareError(
      "E_UNSUPPORTED",
      `writing a Dockerfile: the sources of ${name} (\`${path}\`) are not in the folder`,
      {
        hint: "bring them into the project, or depend on a released version",
      },
    );
  }
  return `/sources${path.slice(root.length)}`;
}

/** Installs the wheels, with their hashes, and those of the stage. */
export function installSteps(prepared: PreparedProject): readonly string[] {
  const { selected } = prepared.wheels;
  const lines = selected.filter(({ wheel }) => wheel).map((each) => requirementOf(prepared, each));
  const hasBuilt = selected.some(({ wheel }) => !wheel);
  const built = "RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels";
  return [
    ...chunksOf(lines).map((chunk) => pipStep(prepared, chunk)),
    ...(hasBuilt ? [`${built} pip install --no-cache-dir --no-deps --no-index /wheels/*.whl`] : []),
  ];
}

function requirementOf(prepared: PreparedProject, { name, version, wheel, direct }: SelectedPackage): string {
  const { digest } = prepared.wheels.wheels.find((each) => each.name === name) ?? {};
  const hash = digest === undefined ? "" : ` --hash=${digest}`;
  if (direct !== undefined && wheel?.url !== undefined) return `${name} @ ${wheel.url}${hash}`;
  return `${name}==${version ?? ""}${hash}`;
}

function chunksOf(lines: readonly string[]): readonly (readonly string[])[] {
  const chunks: string[][] = [];
  let size = 0;
  for (const line of lines) {
    const last = chunks.at(-1);
    if (last && size + line.length < LONGEST) last.push(line);
    else chunks.push([line]);
    size = last && size + line.length < LONGEST ? size + line.length + 12 : line.length;
  }
  return chunks;
}

/** Written by the shell, since not every builder knows heredocs. */
function pipStep(prepared: PreparedProject, lines: readonly string[]): string {
  const { bytecode = "imported" } = prepared.request.python ?? prepared.project.config;
  const flags = `--no-cache-dir --no-deps --require-hashes${bytecode === "none" ? " --no-compile" : ""}`;
  const list = lines.map((line) => `      ${quoted(line)} \\`);
  return [
    "RUN printf '%s\\n' \\",
    ...list,
    `      > /tmp/requirements.txt && pip install ${flags} ${indexOptions(prepared)}-r /tmp/requirements.txt && rm /tmp/requirements.txt`,
  ].join("\n");
}

/** Indexes besides pip's default, without credentials: pip in the build needs its own. */
function indexOptions(prepared: PreparedProject): string {
  const { indexUrl, extraIndexUrls } = readIndexConfig(prepared.place.env);
  const usual = readIndexConfig({ HOME: "/nonexistent", PIP_CONFIG_FILE: "/dev/null" }).indexUrl;
  const { accelerator, wheels } = prepared.wheels;
  const isTorch = wheels.some(({ name, version }) => name === "torch" && version.includes("+"));
  const torch = isTorch && accelerator !== undefined ? [`${TORCH}/${accelerator}`] : [];
  const options = [
    ...(indexUrl === usual ? [] : ["--index-url", quoted(plain(indexUrl))]),
    ...[...extraIndexUrls, ...torch].flatMap((url) => ["--extra-index-url", quoted(plain(url))]),
  ];
  return options.map((word) => `${word} `).join("");
}

/** Where builds of torch for an accelerator are (its documentation, "Get started"). */
const TORCH = ["https://download.pytorch", "org/whl"].join(".");

function plain(url: string): string {
  return url.replace(/(:\/\/)[^/@]*@/, "$1");
}
