// SPDX-License-Identifier: Apache-2.0
/**
 * Writes down which commands and flags Docker's client has, from its own help:
 * `node scripts/record-docker-help.ts > test/conformance/compatibility/docker-help.json`. DOCKER names the client.
 */
import { execFileSync } from "node:child_process";

const DOCKER = process.env["DOCKER"] ?? "docker";
const GROUPS = ["container", "volume", "network"];
/** Commands of no group, or whose short spelling has flags of its own. */
const OTHERS = ["events", "inspect"];

/** Flags that help hides, by command. */
const HIDDEN: Readonly<Record<string, readonly string[]>> = {
  run: ["dns-opt", "net", "net-alias"],
  create: ["dns-opt", "net", "net-alias"],
  restart: ["time"],
  stop: ["time"],
};

function help(...words: readonly string[]): string {
  return execFileSync(DOCKER, [...words, "--help"], { encoding: "utf8" });
}

/** The commands of a group: `volume ls`, and the short spelling where there is one. */
function commandsOf(group: string): readonly string[] {
  const [, list = ""] = /^Commands:\n((?: .*\n)+)/m.exec(help(group)) ?? [];
  return [...list.matchAll(/^ {2}([\w-]+)/gm)].map(([, name = ""]) => shortest(`${group} ${name}`));
}

/** `docker container ls, …, docker ps`: the spelling of one word, except where that is another command. */
function shortest(name: string): string {
  const [, text = ""] = /^Aliases:\n {2}(.*)$/m.exec(help(...name.split(" "))) ?? [];
  const aliases = text.split(", ").map((alias) => alias.replace(/^docker /, ""));
  return aliases.find((alias) => alias !== "" && !alias.includes(" ")) ?? name;
}

function flagsOf(name: string): readonly string[] {
  const shown = [...help(...name.split(" ")).matchAll(/^ {2}(?:-\w, | {4})--([\w-]+)/gm)];
  return [...shown.map(([, flag = ""]) => flag), ...(HIDDEN[name] ?? [])].toSorted();
}

const names = [...GROUPS.flatMap(commandsOf), ...OTHERS].toSorted();
const [version = ""] = /\d+\.\d+\.\d+/.exec(execFileSync(DOCKER, ["--version"], { encoding: "utf8" })) ?? [];
const commands = Object.fromEntries(names.map((name) => [name, flagsOf(name)]));
process.stdout.write(`${JSON.stringify({ version, commands }, undefined, 2)}\n`);
