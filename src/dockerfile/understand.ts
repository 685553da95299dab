// SPDX-License-Identifier: Apache-2.0
import { suggest } from "../base/index.ts";
import { KEYWORDS } from "./arguments.ts";
import { parseDuration } from "./duration.ts";
import { parseFlags } from "./flags.ts";
import type { FlagKind, Flags } from "./flags.ts";
import { chompTabs, heredocOf } from "./heredoc.ts";
import type * as Tree from "./instruction.ts";
import { checkMount, parseDevice } from "./mount.ts";
import type { Node } from "./nodes.ts";
import { didYouMean, problem } from "./problem.ts";
import { isTareError } from "../base/index.ts";
import { cut, quoted, trim, trimStart } from "./text.ts";

type Understand = (node: Node, base: Tree.InstructionBase) => Tree.Instruction | Tree.FromInstruction;

const TABLE: Readonly<Record<string, Understand>> = {
  add: addInstruction,
  arg: argInstruction,
  cmd: (node, base) => ({ ...base, kind: "cmd", command: checkedCommand(node) }),
  copy: copyInstruction,
  entrypoint: (node, base) => ({ ...base, kind: "entrypoint", command: checkedCommand(node) }),
  env: (node, base) => ({ ...base, kind: "env", assignments: assignmentsOf(node, "ENV") }),
  expose: exposeInstruction,
  from: fromInstruction,
  healthcheck: healthcheckInstruction,
  label: (node, base) => ({ ...base, kind: "label", assignments: assignmentsOf(node, "LABEL") }),
  maintainer: (node, base) => ({ ...base, kind: "maintainer", maintainer: onlyArgument(node) }),
  onbuild: onbuildInstruction,
  run: runInstruction,
  shell: shellInstruction,
  stopsignal: (node, base) => ({ ...base, kind: "stopsignal", signal: single(node) }),
  user: (node, base) => ({ ...base, kind: "user", user: onlyArgument(node) }),
  volume: volumeInstruction,
  workdir: (node, base) => ({ ...base, kind: "workdir", path: onlyArgument(node) }),
};

/** Understands one instruction. Throws `E_DF_*` without a place; the caller adds it. */
export function understand(node: Node): Tree.Instruction | Tree.FromInstruction {
  const name = node.keyword.toLowerCase();
  const rule = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
  if (rule === undefined) {
    const hint = didYouMean(suggest(node.keyword, KEYWORDS));
    throw problem(
      "E_DF_UNKNOWN",
      `unknown instruction \`${node.keyword}\``,
      hint ?? `the instructions are ${KEYWORDS.join(", ")}`,
    );
  }
  const { keyword, location, comments, heredocs } = node;
  return rule(node, { keyword, text: node.text, location, comments, heredocs });
}

function single(node: Node): string {
  const [argument] = node.args;
  if (argument !== undefined && node.args.length === 1) return argument;
  throw problem("E_DF_ARGS", `${node.keyword.toUpperCase()} requires exactly one argument`);
}

function onlyArgument(node: Node): string {
  const argument = single(node);
  parseFlags(node.flags, {});
  return argument;
}

function needArguments(node: Node): void {
  if (node.args.length === 0)
    throw problem("E_DF_ARGS", `${node.keyword.toUpperCase()} requires at least one argument`);
}

function commandOf(node: Node, args: readonly string[] = node.args): Tree.CommandLine {
  return node.isJson ? { form: "exec", args } : { form: "shell", command: args.join(" ") };
}

function checkedCommand(node: Node): Tree.CommandLine {
  parseFlags(node.flags, {});
  return commandOf(node);
}

const STAGE_NAME = /^[a-z][a-z0-9\-_.]*$/;

function fromInstruction(node: Node, base: Tree.InstructionBase): Tree.FromInstruction {
  const [image = "", as, written] = node.args;
  const isNamed = node.args.length === 3 && as?.toLowerCase() === "as";
  if (!isNamed && node.args.length !== 1) {
    throw problem(
      "E_DF_ARGS",
      "FROM requires either one or three arguments",
      "write `FROM image` or `FROM image AS name`",
    );
  }
  const name = written?.toLowerCase();
  if (isNamed && (name === undefined || !STAGE_NAME.test(name))) {
    const reason = `invalid name for build stage: ${quoted(written ?? "")}, name can't start with a number or contain symbols`;
    throw problem("E_DF_STAGE", reason);
  }
  const flags = parseFlags(node.flags, { platform: "string" });
  const platform = presence(flags.string("platform"));
  return { ...base, kind: "from", base: image, platform, name, nameAsWritten: written };
}

const RUN_FLAGS = { mount: "list", network: "string", security: "string", device: "list" } as const;

function runInstruction(node: Node, base: Tree.InstructionBase): Tree.RunInstruction {
  const flags = parseFlags(node.flags, RUN_FLAGS);
  const mounts = flags.list("mount");
  for (const mount of mounts) checkMount(mount);
  const network = oneOf(flags.string("network") ?? "default", ["default", "none", "host"], "invalid network mode");
  const security = oneOf(flags.string("security") ?? "sandbox", ["sandbox", "insecure"], "invalid security mode");
  const devices = flags.list("device").map((device) => parseDevice(device));
  return {
    ...base,
    kind: "run",
    command: commandOf(node),
    mounts,
    network,
    security,
    devices,
    flagsUsed: flags.used,
  };
}

function oneOf<const T extends string>(value: string, known: readonly T[], what: string): T {
  const found = known.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw problem(
    "E_DF_FLAG",
    `${what} ${quoted(value)}`,
    didYouMean(suggest(value, known)) ?? `use one of ${known.join(", ")}`,
  );
}

const COPY_FLAGS = { chown: "string", chmod: "string", link: "boolean", exclude: "list" } as const;

function copyInstruction(node: Node, base: Tree.InstructionBase): Tree.CopyInstruction {
  const flags = copyFlags(node, { ...COPY_FLAGS, from: "string", parents: "boolean" });
  const parents = flags.boolean("parents") ?? false;
  return { ...base, kind: "copy", ...sourcesOf(node, flags), from: presence(flags.string("from")), parents };
}

function addInstruction(node: Node, base: Tree.InstructionBase): Tree.AddInstruction {
  const own = { "keep-git-dir": "boolean", checksum: "string", unpack: "boolean" } as const;
  const flags = copyFlags(node, { ...COPY_FLAGS, ...own });
  return {
    ...base,
    kind: "add",
    ...sourcesOf(node, flags),
    checksum: presence(flags.string("checksum")),
    keepGitDir: flags.boolean("keep-git-dir"),
    unpack: flags.boolean("unpack"),
  };
}

function copyFlags(node: Node, known: Readonly<Record<string, FlagKind>>): Flags {
  if (node.args.length < 2) {
    const keyword = node.keyword.toUpperCase();
    const reason = `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`;
    throw problem("E_DF_ARGS", reason, `write \`${keyword} source… destination\``);
  }
  return parseFlags(node.flags, known);
}

function sourcesOf(node: Node, flags: Flags): Tree.CopySources {
  const destination = node.args.at(-1) ?? "";
  if (heredocOf(destination) !== undefined) {
    throw problem("E_DF_HEREDOC", `${node.keyword.toUpperCase()} cannot accept a heredoc as a destination`);
  }
  const contents = new Map(node.heredocs.map((heredoc) => [heredoc.name, heredoc.content]));
  const sources: string[] = [];
  const inlineFiles: Tree.InlineFile[] = [];
  for (const word of node.args.slice(0, -1)) {
    const mark = heredocOf(word);
    if (mark === undefined) {
      sources.push(word);
      continue;
    }
    const raw = contents.get(mark.name) ?? "";
    inlineFiles.push({ name: mark.name, content: mark.chomp ? chompTabs(raw) : raw, expand: mark.expand });
  }
  return {
    sources,
    inlineFiles,
    destination,
    chown: presence(flags.string("chown")),
    chmod: presence(flags.string("chmod")),
    link: flags.boolean("link") ?? false,
    exclude: flags.list("exclude"),
  };
}

function presence(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function argInstruction(node: Node, base: Tree.InstructionBase): Tree.ArgInstruction {
  needArguments(node);
  const definitions = node.args.map((word) => {
    const [key, value] = cut(word, "=");
    if (key === "") throw blankName("ARG");
    return { key, value, description: descriptionOf(node.comments, key) };
  });
  return { ...base, kind: "arg", definitions };
}

/** The text of the comment `# name text`. */
function descriptionOf(comments: readonly string[], name: string): string | undefined {
  return comments.find((comment) => comment.startsWith(`${name} `))?.slice(name.length + 1);
}

function blankName(keyword: string): Error {
  return problem("E_DF_NAME", `${keyword} names can not be blank`, `write \`${keyword} name=value\``);
}

function assignmentsOf(node: Node, keyword: string): readonly Tree.Assignment[] {
  parseFlags(node.flags, {});
  needArguments(node);
  const assignments: Tree.Assignment[] = [];
  for (let index = 0; index < node.args.length; index += 3) {
    const [key = "", value = "", separator = ""] = node.args.slice(index, index + 3);
    if (key === "") throw blankName(keyword);
    assignments.push({ key, value, isLegacy: separator === "" });
  }
  return assignments;
}

function exposeInstruction(node: Node, base: Tree.InstructionBase): Tree.ExposeInstruction {
  needArguments(node);
  parseFlags(node.flags, {});
  return { ...base, kind: "expose", ports: node.args.toSorted(byCodeUnits) };
}

function byCodeUnits(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function volumeInstruction(node: Node, base: Tree.InstructionBase): Tree.VolumeInstruction {
  needArguments(node);
  parseFlags(node.flags, {});
  const volumes = node.args.map((volume) => trim(volume));
  if (volumes.includes("")) throw problem("E_DF_ARGS", "VOLUME specified can not be an empty string");
  return { ...base, kind: "volume", volumes };
}

function shellInstruction(node: Node, base: Tree.InstructionBase): Tree.ShellInstruction {
  parseFlags(node.flags, {});
  needArguments(node);
  if (node.isJson) return { ...base, kind: "shell", shell: node.args };
  throw problem("E_DF_JSON", "SHELL requires the arguments to be in JSON form", 'write `SHELL ["/bin/sh", "-c"]`');
}

const HEALTH_FLAGS = {
  interval: "string",
  timeout: "string",
  "start-period": "string",
  "start-interval": "string",
  retries: "string",
} as const;

function healthcheckInstruction(node: Node, base: Tree.InstructionBase): Tree.HealthcheckInstruction {
  needArguments(node);
  const [written = "", ...rest] = node.args;
  const type = written.toUpperCase();
  if (type === "NONE") {
    if (rest.length > 0) throw problem("E_DF_ARGS", "HEALTHCHECK NONE takes no arguments");
    return { ...base, kind: "healthcheck", check: undefined };
  }
  const flags = parseFlags(node.flags, HEALTH_FLAGS);
  if (type !== "CMD") throw problem("E_DF_ARGS", `Unknown type ${quoted(type)} in HEALTHCHECK (try CMD)`);
  if (rest.length === 0) throw problem("E_DF_ARGS", "Missing command after HEALTHCHECK CMD");
  return { ...base, kind: "healthcheck", check: healthcheckOf(commandOf(node, rest), flags) };
}

function healthcheckOf(command: Tree.CommandLine, flags: Flags): Tree.Healthcheck {
  return {
    command,
    interval: interval(flags, "interval"),
    timeout: interval(flags, "timeout"),
    startPeriod: interval(flags, "start-period"),
    startInterval: interval(flags, "start-interval"),
    retries: retries(flags.string("retries") ?? ""),
  };
}

function interval(flags: Flags, name: string): number {
  const text = flags.string(name) ?? "";
  const value = text === "" ? 0 : parseDuration(text);
  if (value === 0 || value >= 1e6) return value;
  throw problem("E_DF_DURATION", `Interval ${quoted(name)} cannot be less than 1ms`);
}

function retries(text: string): number {
  if (text === "") return 0;
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value < 0) throw problem("E_DF_DURATION", `--retries cannot be negative (${value})`);
  if (value <= 0x7f_ff_ff_ff) return value;
  throw problem("E_DF_DURATION", `--retries is not a number: ${text}`);
}

function onbuildInstruction(node: Node, base: Tree.InstructionBase): Tree.OnbuildInstruction {
  const { trigger } = node;
  if (trigger === undefined) throw problem("E_DF_ARGS", "ONBUILD requires at least one argument");
  parseFlags(node.flags, {});
  const keyword = trigger.keyword.toUpperCase();
  if (keyword === "ONBUILD") throw problem("E_DF_ONBUILD", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (keyword === "MAINTAINER" || keyword === "FROM") {
    throw problem("E_DF_ONBUILD", `${keyword} isn't allowed as an ONBUILD trigger`);
  }
  const contents = node.heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`).join("");
  const expression = trimStart(trimStart(node.text).slice("ONBUILD".length)) + contents;
  return { ...base, kind: "onbuild", expression, ...understandTrigger({ ...trigger, heredocs: node.heredocs }) };
}

/** A malformed trigger is no error before the build that it is meant for. */
function understandTrigger(node: Node): Pick<Tree.OnbuildInstruction, "trigger" | "triggerProblem"> {
  try {
    const trigger = understand(node);
    return { trigger: trigger.kind === "from" ? undefined : trigger, triggerProblem: undefined };
  } catch (error) {
    if (!isTareError(error)) throw error;
    return { trigger: undefined, triggerProblem: error.message };
  }
}
