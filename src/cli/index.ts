// SPDX-License-Identifier: Apache-2.0
export { main } from "./main.ts";
export type { Invocation } from "./main.ts";
export { COMMANDS, groupEntries, groupNames, lookUp } from "./commands/table.ts";
export { loadCommand } from "./command.ts";
export type {
  ArgumentCount,
  CommandBody,
  CommandEntry,
  CommandGroup,
  CommandSpec,
  CompletionKind,
  Example,
  OptionSpec,
} from "./command.ts";
export type { CommandContext } from "./context.ts";
export type { Output } from "./output.ts";
export { optionsOf } from "./parsed.ts";
export { optionRight, valueName } from "./help.ts";
export { takesValue } from "./scan.ts";
export { createProgress } from "./progress/index.ts";
export type { Progress, ProgressMode, ProgressOptions } from "./progress/index.ts";
export { compileTemplate } from "./template/index.ts";
export type { Template } from "./template/index.ts";
