// SPDX-License-Identifier: Apache-2.0
/*
 * Kills at random moments in the life of containers. Each trial kills one thing (Tare in a command, conmon, the runtime,
 * a waiter, a watcher, the exit command, or everything as a reboot does) and then checks that the volume has all that
 * was written, that `ps` tells the truth, that the name can be used again, and that nothing is left after a prune.
 */
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { Leftovers } from "./leftovers.ts";
import { allPids, killNow, textOf } from "./processes.ts";
import type { ProgramWorld } from "./program.ts";
import { randomNumbers } from "./random.ts";
import { rebootWorld } from "./reboot.ts";

/** What a trial needs of its surroundings. */
export interface TrialSetting {
  readonly world: ProgramWorld;
  /** In the environment of every process of a container. */
  readonly marker: string;
  readonly seed: number;
  /** Flags of `run` for the network. */
  readonly network: readonly string[];
  /** What the volume must hold: a line for every trial so far. */
  readonly ledger: number[];
}

type Trial = (setting: TrialSetting, random: () => number) => Promise<void>;

const NAME = "crash";
const STAY = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"];
const BRIEF = ["sh", "-c", "sleep 0.2; exit 3"];
const HEALTH = ["--health-cmd", "true", "--health-interval", "100ms"];
/** Longer than any of the commands takes here when nobody else is at work. */
const SPAN = 900;

/** What is killed, by name. */
export const TRIALS: Readonly<Record<string, Trial>> = {
  "tare run": killTare(["run"], BRIEF),
  "tare run --rm": killTare(["run", "--rm"], BRIEF),
  "tare run -d": killTare(["run", "-d"], BRIEF),
  "tare run -d --rm": killTare(["run", "-d", "--rm"], BRIEF),
  "tare run -d --restart": killTare(["run", "-d", "--restart", "always", ...HEALTH], STAY),
  "tare rm -f": whileRunning((setting, random) => killCommand(setting, ["rm", "-f", NAME], random() * SPAN)),
  "tare stop": whileRunning((setting, random) => killCommand(setting, ["stop", NAME], random() * SPAN)),
  "tare kill": whileRunning((setting, random) => killCommand(setting, ["kill", NAME], random() * SPAN)),
  "tare restart": whileRunning((setting, random) => killCommand(setting, ["restart", NAME], random() * SPAN * 2)),
  "tare rename": whileRunning((setting, random) => killCommand(setting, ["rename", NAME, "other"], random() * SPAN)),
  "tare exec": whileRunning((setting, random) =>
    killCommand(setting, ["exec", NAME, "sh", "-c", "sleep 0.3"], random() * SPAN),
  ),
  conmon: whileRunning(async ({ world }) => Promise.resolve(void killMatching(world, /(^|\/)conmon\0/))),
  "conmon and the program": whileRunning(async ({ world }) => {
    killMatching(world, /(^|\/)conmon\0/);
    killProgram(world);
    await Promise.resolve();
  }),
  "the program of a restarting container": whileRunning(
    async ({ world }) => Promise.resolve(killProgram(world)),
    ["--restart", "always"],
  ),
  "the runtime": (setting, random) =>
    during(setting, ["run", "-d", ...flagsOf(setting), "busybox", ...BRIEF], random() * SPAN, /runc\0|crun\0/),
  "the exit command": async (setting, random) => {
    setting.world.tare(["run", "-d", ...flagsOf(setting), "--restart", "always", "busybox", "true"]);
    await killSoon(setting.world, /container-ended\.worker/, random() * 300);
  },
  "the waiter": async (setting, random) => {
    setting.world.tare(["run", "-d", ...flagsOf(setting), "--restart", "always", "busybox", "false"]);
    await sleep(random() * SPAN);
    await killSoon(setting.world, /container-restart\.worker/, 0);
  },
  "the watcher": whileRunning(async ({ world }, random) => killSoon(world, /\/health\0/, random() * 300), HEALTH),
  reboot: whileRunning(async ({ world }) => Promise.resolve(rebootWorld(world)), ["--restart", "always", ...HEALTH]),
  "reboot while starting": async (setting, random) => {
    const child = setting.world.start(["run", "-d", ...flagsOf(setting), "busybox", ...STAY]);
    await sleep(random() * SPAN);
    rebootWorld(setting.world);
    await endOf(child);
  },
};

/** The findings of one trial; none when all is well. `number` also says what the volume must hold. */
export async function runTrial(setting: TrialSetting, number: number): Promise<readonly string[]> {
  const { world, marker, seed } = setting;
  const names = Object.keys(TRIALS);
  const name = names[number % names.length] ?? "";
  const leftovers = new Leftovers(world, marker);
  const findings: string[] = [];
  await TRIALS[name]?.(setting, randomNumbers(seed * 1_000_003 + number));
  findings.push(...untruths(world, marker));
  for (const container of [NAME, "other"]) {
    const { code, err } = world.tare(["rm", "-f", container]);
    if (code !== 0 && !err.includes("E_CONTAINER_NOTFOUND")) findings.push(`rm -f: ${err.trim()}`);
  }
  findings.push(...writeAndRead(setting, number));
  const prune = world.tare(["system", "prune", "-f"]);
  if (prune.code !== 0) findings.push(`prune: ${prune.err.trim()}`);
  const left = world.ok("ps", "-aq");
  if (left !== "") findings.push(`containers left: ${left}`);
  findings.push(...(await leftovers.after(15)));
  return findings.map((finding) => `${number} ${name}: ${finding}`);
}

/** The name can be used again, and the volume has a line for every trial so far. */
function writeAndRead(setting: TrialSetting, number: number): readonly string[] {
  const command = `echo ${number} >> /data/ledger; cat /data/ledger`;
  const words = ["run", "--rm", ...flagsOf(setting), "busybox", "sh", "-c", command];
  const { code, out, err } = setting.world.tare(words);
  if (code !== 0) return [`the name cannot be used again: ${err.trim()}`];
  const lines = out.trim().split("\n").map(Number);
  setting.ledger.push(number);
  const isWhole = lines.join(" ") === setting.ledger.join(" ");
  return isWhole ? [] : [`the volume lost something: ${lines.join(" ")}`];
}

function flagsOf({ marker, network }: TrialSetting): readonly string[] {
  return ["--name", NAME, "-v", "kept:/data", "-e", `MARKER=${marker}`, "--stop-timeout", "2", ...network];
}

/** A container that `ps` shows as running has a process, and one that it shows as ended has none. */
function untruths(world: ProgramWorld, marker: string): readonly string[] {
  const { code, out, err } = world.tare(["ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.State}}"]);
  if (code !== 0) return [`ps: ${err.trim()}`];
  const rows = out.split("\n").filter(Boolean);
  return rows.flatMap((row) => {
    const [id = "", state = ""] = row.split(" ");
    const isThere = programsOf(id, marker).length > 0;
    const isAsShown = state === "running" ? isThere : state === "exited" || state === "created" ? !isThere : true;
    // It may have begun or ended between the two looks.
    return isAsShown || stateOf(world, id) !== state
      ? []
      : [`ps says ${state}, and there is ${isThere ? "a" : "no"} process`];
  });
}

function stateOf(world: ProgramWorld, id: string): string {
  return world.tare(["inspect", "--format", "{{.State.Status}}", id]).out.trim();
}

function programsOf(id: string, marker: string): readonly number[] {
  return allPids().filter(
    (pid) => textOf(`/proc/${pid}/cgroup`).includes(id) && textOf(`/proc/${pid}/environ`).includes(marker),
  );
}

function killTare(words: readonly string[], command: readonly string[]): Trial {
  return (setting, random) =>
    killCommand(setting, [...words, ...flagsOf(setting), "busybox", ...command], random() * SPAN);
}

async function killCommand({ world }: TrialSetting, words: readonly string[], after: number): Promise<void> {
  const child = world.start(words);
  await sleep(after);
  child.kill("SIGKILL");
  await endOf(child);
}

function whileRunning(act: Trial, flags: readonly string[] = []): Trial {
  return async (setting, random) => {
    setting.world.ok("run", "-d", ...flagsOf(setting), ...flags, "busybox", ...STAY);
    await act(setting, random);
  };
}

/** Kills what matches while a command goes on. */
async function during(
  { world }: TrialSetting,
  words: readonly string[],
  after: number,
  pattern: RegExp,
): Promise<void> {
  const child = world.start(words);
  await sleep(after);
  killMatching(world, pattern);
  await endOf(child);
}

/** Waits up to a second for it to appear. */
async function killSoon(world: ProgramWorld, pattern: RegExp, after: number): Promise<void> {
  await sleep(after);
  for (let tries = 0; tries < 50 && killMatching(world, pattern) === 0; tries += 1) await sleep(20);
}

/** Kills processes whose command line names this store and matches; the number of them. */
function killMatching(world: ProgramWorld, pattern: RegExp): number {
  const found = allPids().filter((pid) => {
    const line = textOf(`/proc/${pid}/cmdline`);
    return line.includes(world.root) && pattern.test(line);
  });
  for (const pid of found) killNow(pid);
  return found.length;
}

function killProgram(world: ProgramWorld): void {
  killNow(Number(world.tare(["inspect", "--format", "{{.State.Pid}}", NAME]).out));
}

function endOf(child: ChildProcess): Promise<unknown> {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", resolve));
}
