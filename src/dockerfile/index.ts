// SPDX-License-Identifier: Apache-2.0
export { parseDockerfile, parseInstruction } from "./dockerfile.ts";
export type { Dockerfile, ParseOptions, Stage } from "./dockerfile.ts";
export { detectDirective, detectSyntax } from "./directives.ts";
export type { DetectedDirective, Directive } from "./directives.ts";
export { parseNodes } from "./nodes.ts";
export type { Node, NodeTree } from "./nodes.ts";
export type {
  AddInstruction,
  ArgInstruction,
  ArgumentDefinition,
  Assignment,
  CmdInstruction,
  CommandLine,
  CopyInstruction,
  CopySources,
  DeviceRequest,
  EntrypointInstruction,
  EnvInstruction,
  ExposeInstruction,
  FromInstruction,
  Healthcheck,
  HealthcheckInstruction,
  InlineFile,
  Instruction,
  InstructionBase,
  LabelInstruction,
  MaintainerInstruction,
  OnbuildInstruction,
  RunInstruction,
  ShellInstruction,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from "./instruction.ts";
export { checkMount, parseDevice, parseMount } from "./mount.ts";
export type { CacheSharing, Mount, MountType } from "./mount.ts";
export { chompTabs, heredocOf, heredocsOnLine, parseHeredoc } from "./heredoc.ts";
export type { Heredoc } from "./heredoc.ts";
export { expandWord, expandWords } from "./shell-word.ts";
export type { Environment, ExpandOptions, ExpandedWord } from "./shell-word.ts";
export { parsePorts } from "./ports.ts";
export type { ExposedPorts } from "./ports.ts";
export { parseDuration } from "./duration.ts";
export { isReported, lintOptions, optionsFor } from "./lint.ts";
export type { LintOptions, Note, Warning } from "./lint.ts";
export type { Location } from "./problem.ts";
export { compileGlob, hasGlob, matchGlob } from "./glob.ts";
export { PatternMatcher } from "./pattern-matcher.ts";
export type { ParentMatches, PathPattern } from "./pattern-matcher.ts";
export { createIgnore, readIgnoreFile } from "./ignore.ts";
export type { IgnoreFilter } from "./ignore.ts";
export { formatGitReference, parseGitReference } from "./git-reference.ts";
export type { GitReference } from "./git-reference.ts";
export { printDockerfile } from "./print.ts";
export { runScript } from "./run-script.ts";
export type { RunScript } from "./run-script.ts";
export { decodeText } from "./decode.ts";
