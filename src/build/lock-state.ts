// SPDX-License-Identifier: Apache-2.0
/* Whether a lock is still one of the project's requirements: by their content, never by time stamps. */
import { join } from "node:path";
import { inputsDigest, stampOf } from "../python/index.ts";
import type { Lock, LockInputs } from "../python/index.ts";
import type { Project } from "../project/index.ts";

/** A project in a folder. */
export interface ProjectPlace {
  readonly root: string;
  readonly project: Project;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a lock of the project is made from. */
export function lockInputs(
  { root, project, env }: ProjectPlace,
  asked: { readonly extras: readonly string[]; readonly groups: readonly string[] },
): LockInputs {
  const { files, pins } = project.inputs;
  return {
    folder: root,
    files: files.map((file) => join(root, file)),
    ...(pins === undefined ? {} : { pins }),
    extras: asked.extras,
    groups: asked.groups,
    env,
  };
}

/** Why a lock that Tare wrote no longer fits the project; undefined when it does, or nobody can tell. */
export function staleReason(place: ProjectPlace, lock: Lock): string | undefined {
  const stamp = stampOf(lock);
  const { inputs, config } = place.project;
  if (!stamp || inputs.kind === "none") return undefined;
  const missing = [
    ...config.extras.filter((extra) => !stamp.extras.includes(extra)).map((extra) => `extra \`${extra}\``),
    ...config.groups.filter((group) => !stamp.groups.includes(group)).map((group) => `group \`${group}\``),
  ];
  if (missing.length > 0) return `it was made without ${missing.join(" and ")}`;
  return inputsDigest(lockInputs(place, stamp)) === stamp.inputs
    ? undefined
    : `it is older than ${inputs.files.join(", ")}`;
}
