// SPDX-License-Identifier: Apache-2.0
/*
 * The plain Dockerfile of a project: what its graph does, in the words of any builder, so that nobody has to stay. It
 * needs nothing but the project's folder: pinned requirements with their hashes stand in it.
 */
import { TareError } from "../base/index.ts";
import { aptScript } from "./isolated.ts";
import { ignorePatterns } from "./project-context.ts";
import { APP, GROUP_LINE, HOME, PASSWD_LINE } from "./project-paths.ts";
import { installSteps, wheelStage } from "./project-dockerfile-pip.ts";
import { projectConfig } from "./project-config.ts";
import { quoted } from "./shell-word.ts";
import type { ContainerConfig } from "../oci/index.ts";
import type { PreparedProject } from "./project-build.ts";

/** A project's Dockerfile and the ignore file that belongs beside it. */
export interface PlainDockerfile {
  readonly text: string;
  /** Patterns for `<Dockerfile>.dockerignore`. */
  readonly ignore: string;
}

/** Writes it. Throws `E_UNSUPPORTED` for what no Dockerfile of the folder can do. */
export function plainDockerfile(prepared: PreparedProject): PlainDockerfile {
  const { base, project } = prepared;
  const from = base.name.replace(/^docker\.io\/library\//, "");
  const stage = wheelStage(prepared, from);
  const lines = [
    "# Written by `tare plan --dockerfile`: builds what `tare build` makes of this folder, with any builder.",
    "# Its differences are listed in docs/projects.md of Tare. Write it anew when the dependencies change.",
    ...stage,
    ...(stage.length > 0 ? ["", `FROM ${from}`] : [`FROM ${from}`]),
    ...userSteps(prepared),
    ...(project.config.packages.length > 0 ? [`RUN ${aptScript(project.config.packages)}`] : []),
    ...installSteps(prepared),
    `WORKDIR ${APP}`,
    `COPY . ${APP}/`,
    ...ownSteps(prepared),
    ...configLines(prepared),
  ];
  return { text: `${lines.join("\n")}\n`, ignore: ignoreText(prepared) };
}

/** The user and the folders that every user may write to. */
function userSteps({ project, users }: PreparedProject): readonly string[] {
  if (project.config.user !== undefined || users.hasOurs) return [`RUN mkdir -m 0777 ${APP}`];
  const files = `echo '${PASSWD_LINE}' >> /etc/passwd && echo '${GROUP_LINE}' >> /etc/group`;
  return [`RUN ${files} && mkdir -m 0777 ${HOME} ${APP}`];
}

/** Packages that are used where they lie in the sources. */
function ownSteps({ wheels }: PreparedProject): readonly string[] {
  if (wheels.inPlace.length === 0) return [];
  const folders = wheels.inPlace.map(({ folder }) => `-e ${quoted(folder === "" ? APP : `${APP}/${folder}`)}`);
  return [`RUN pip install --no-cache-dir --no-deps ${folders.join(" ")}`];
}

/** The config as far as it is not the base's. */
function configLines(prepared: PreparedProject): readonly string[] {
  const before = prepared.base.config.config ?? {};
  const config = projectConfig(prepared);
  return [
    ...added(before.Env ?? [], config.Env ?? []).map((entry) => `ENV ${assignment(entry)}`),
    ...added(labels(before), labels(config)).map((entry) => `LABEL ${assignment(entry)}`),
    ...added(Object.keys(before.ExposedPorts ?? {}), Object.keys(config.ExposedPorts ?? {})).map(
      (port) => `EXPOSE ${port}`,
    ),
    ...(before.Healthcheck === undefined || config.Healthcheck !== undefined ? [] : ["HEALTHCHECK NONE"]),
    ...(config.User === undefined ? [] : [`USER ${config.User}`]),
    ...commandLine("ENTRYPOINT", before.Entrypoint, config.Entrypoint),
    ...commandLine("CMD", config.Entrypoint === undefined ? before.Cmd : undefined, config.Cmd),
  ];
}

function labels({ Labels }: ContainerConfig): readonly string[] {
  return Object.entries(Labels ?? {}).map(([name, value]) => `${name}=${value}`);
}

function added(before: readonly string[], now: readonly string[]): readonly string[] {
  return now.filter((entry) => !before.includes(entry));
}

type Words = readonly string[] | null | undefined;

function commandLine(word: string, before: Words, now: Words): readonly string[] {
  const [old, wanted] = [JSON.stringify(before ?? []), JSON.stringify(now ?? [])];
  return old === wanted ? [] : [`${word} ${wanted}`];
}

/** `NAME="value"`, in which nothing is expanded. */
function assignment(entry: string): string {
  const at = entry.indexOf("=");
  const [name, value] = [entry.slice(0, at), entry.slice(at + 1)];
  if (/[\n\r]/.test(value)) {
    throw new TareError("E_UNSUPPORTED", `writing a Dockerfile: the value of \`${name}\` has several lines`, {
      hint: "set it when the container is started",
    });
  }
  const plain = /^[\w@%+:,./-]+$/.test(value);
  const shown = /^[\w.-]+$/.test(name) ? name : `"${name}"`;
  return `${shown}=${plain ? value : `"${value.replaceAll(/[\\"$]/g, String.raw`\$&`)}"`}`;
}

/** What `tare build` leaves out by itself, and the Dockerfile too. */
function ignoreText({ root, project }: PreparedProject): string {
  return `${[...ignorePatterns(root, project), "Dockerfile", "Dockerfile.dockerignore"].join("\n")}\n`;
}
