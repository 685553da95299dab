// SPDX-License-Identifier: Apache-2.0
export { SIGNS, readProject } from "./read-project.ts";
export type { ReadProjectOptions } from "./read-project.ts";
export { findCommand } from "./entry.ts";
export type { CommandAnswer, FoundCommand } from "./entry.ts";
export { readPackage } from "./package.ts";
export type { PackageQuestion } from "./package.ts";
export type { Decision, Dependencies, OwnPackage, Project, ProjectReader, TareConfig } from "./types.ts";
