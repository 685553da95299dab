// SPDX-License-Identifier: Apache-2.0
/* What of `tare build`'s options means something without a Dockerfile. */
import { basename } from "node:path";
import { TareError } from "../base/index.ts";
import { SIGNS } from "../project/index.ts";
import type { BuildRequest } from "./request.ts";

/** Build arguments that have a meaning of their own. */
const KNOWN_ARGUMENTS = /^(?:SOURCE_DATE_EPOCH|(?:https?|ftp|no|all)_proxy)$/i;

interface Option {
  readonly flag: string;
  readonly isGiven: (request: BuildRequest) => boolean;
}

/** Options of steps that a project has none of. */
const UNUSED: readonly Option[] = [
  { flag: "--add-host", isGiven: ({ addHosts }) => addHosts.length > 0 },
  { flag: "--no-cache-filter", isGiven: ({ noCacheFilter }) => noCacheFilter.length > 0 },
  { flag: "--shm-size", isGiven: ({ shmSize }) => shmSize !== undefined },
  { flag: "--ulimit", isGiven: ({ ulimits }) => ulimits.length > 0 },
  { flag: "--no-accelerate", isGiven: ({ accelerate }) => accelerate === false },
];

/** Names of what was given and is not used. Throws `E_USAGE` for what must not be taken silently for used. */
export function unusedOptions(request: BuildRequest): readonly string[] {
  const [secret] = request.secrets;
  if (secret) {
    throw refusal(
      `--secret ${secret.id}`,
      "an index's credentials come from netrc, pip's or uv's settings and the environment",
    );
  }
  if (Object.keys(request.ssh).length > 0) {
    throw refusal("--ssh", "repositories are fetched with your own git settings and agent");
  }
  const [context] = Object.keys(request.buildContexts);
  if (context !== undefined) throw refusal(`--build-context ${context}`, "write a Dockerfile to use several contexts");
  const given = Object.keys(request.buildArgs).filter((name) => !KNOWN_ARGUMENTS.test(name));
  return [
    ...given.map((name) => `--build-arg ${name}`),
    ...UNUSED.filter(({ isGiven }) => isGiven(request)).map(({ flag }) => flag),
  ];
}

function refusal(what: string, hint: string): TareError {
  return new TareError("E_USAGE", `${what}: there is no Dockerfile, and a project has no step that could use it`, {
    hint,
  });
}

/** `-f pyproject.toml` and the like: what is meant is the folder. Throws `E_USAGE`. */
export function refuseProjectFile(file: string): void {
  if (!SIGNS.includes(basename(file)) || basename(file).endsWith(".py")) return;
  throw new TareError("E_USAGE", `-f ${file}: it is no Dockerfile but a file of a project`, {
    hint: "leave out `-f`: a folder without a Dockerfile is built as the project that it is",
  });
}
