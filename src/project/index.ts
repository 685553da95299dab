// SPDX-License-Identifier: Apache-2.0
export { SIGNS, readProject } from "./read-project.ts";
export type { ReadProjectOptions } from "./read-project.ts";
export type { Decision, Dependencies, Project, ProjectReader, TareConfig } from "./types.ts";
