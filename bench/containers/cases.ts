// SPDX-License-Identifier: Apache-2.0
/** What is compared: each case prepares an engine once and is then timed in rounds. */
import { spawn } from "node:child_process";
import type { Command } from "../measure.ts";
import { finished, timed } from "../measure.ts";
import type { Engine } from "./engines.ts";
import type { Options } from "./options.ts";

/** A comparison; values are seconds. */
export interface Case {
  readonly id: string;
  readonly title: (options: Options) => string;
  /** What the project promises. */
  readonly goal: string;
  readonly rounds?: (options: Options) => number;
  readonly prepare?: (engine: Engine, options: Options) => Promise<void>;
  readonly measure: (engine: Engine, options: Options) => Promise<number>;
  /** After the last round. */
  readonly clear?: (engine: Engine) => void;
}

/** The image of all cases. */
export const IMAGE = "bench-box:latest";

const NAME = "bench-container";
const STAY = 'trap "exit 0" TERM; while :; do sleep 0.05; done';
const AT_ONCE = 4;

const remove = (engine: Engine): void => void timed(engine.command("rm", "-f", NAME));

async function finish({ program, words, env }: Command): Promise<void> {
  const child = spawn(program, words, { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (data) => (errors += String(data)));
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`${words.join(" ")}: exit code ${String(code)}: ${errors.slice(-500)}`);
}

/** Commands at the same time, at most so many; the seconds until the last one ends. */
async function together(commands: readonly Command[], atOnce: number): Promise<number> {
  const started = performance.now();
  const queue = [...commands];
  const worker = async (): Promise<void> => {
    for (let command = queue.shift(); command; command = queue.shift()) await finish(command);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (performance.now() - started) / 1000;
}

function numbersTo(last: number): string {
  return Array.from({ length: last }, (_, index) => `${index + 1}\n`).join("");
}

/** Writes the lines with a container in the background and reads them back; throws when one is lost. */
function logLines(engine: Engine, lines: number): number {
  const started = performance.now();
  timed(engine.command("run", "-d", "--network", "none", "--name", NAME, IMAGE, "seq", `${lines}`));
  timed(engine.command("wait", NAME));
  const { output } = finished(engine.command("logs", NAME));
  const seconds = (performance.now() - started) / 1000;
  remove(engine);
  if (output !== numbersTo(lines)) {
    const read = output.split("\n").length - 1;
    throw new Error(`${engine.name}: ${read} of ${lines} lines came back, or others than were written`);
  }
  return seconds;
}

/** The cases in the order in which they are shown. */
export const CASES: readonly Case[] = [
  {
    id: "run",
    title: () => "`run --rm -p 8080:80 IMAGE true`: bridge and published port",
    goal: "≤ 0.6",
    measure: async (engine) => timed(engine.command("run", "--rm", "-p", "8080:80", IMAGE, "true")),
  },
  {
    id: "run-none",
    title: () => "`run --rm --network none IMAGE true`",
    goal: "",
    measure: async (engine) => timed(engine.command("run", "--rm", "--network", "none", IMAGE, "true")),
  },
  {
    id: "exec",
    title: () => "`exec CONTAINER true`",
    goal: "≤ 0.6",
    prepare: async (engine) =>
      void timed(engine.command("run", "-d", "--network", "none", "--name", NAME, IMAGE, "sleep", "100000")),
    measure: async (engine) => timed(engine.command("exec", NAME, "true")),
    clear: remove,
  },
  {
    id: "parallel",
    title: ({ parallel }) => `${parallel} × \`run --rm IMAGE true\` at once`,
    goal: "≤ 0.6",
    rounds: ({ rounds }) => Math.min(rounds, 3),
    measure: async (engine, { parallel }) => {
      const commands = Array.from({ length: parallel }, () => engine.command("run", "--rm", IMAGE, "true"));
      return together(commands, parallel);
    },
  },
  {
    id: "cycle",
    title: () => "`start` and `stop` of a program that ends at SIGTERM",
    goal: "",
    prepare: async (engine) =>
      void timed(engine.command("create", "--network", "none", "--name", NAME, IMAGE, "sh", "-c", STAY)),
    measure: async (engine) => timed(engine.command("start", NAME)) + timed(engine.command("stop", NAME)),
    clear: remove,
  },
  {
    id: "ps",
    title: ({ containers }) => `\`ps\` with ${containers} running containers`,
    goal: "< 0.15 s",
    prepare: async (engine, { containers }) => {
      const words = ["run", "-d", "--network", "none", IMAGE, "sleep", "100000"];
      await together(
        Array.from({ length: containers }, () => engine.command(...words)),
        AT_ONCE,
      );
    },
    measure: async (engine) => timed(engine.command("ps")),
    clear: (engine) => {
      const ids = finished(engine.command("ps", "-aq")).output.split("\n").filter(Boolean);
      timed(engine.command("rm", "-f", ...ids));
    },
  },
  {
    id: "logs",
    title: ({ lines }) => `${lines.toLocaleString("en")} lines into the log and out of it`,
    goal: "≤ 1",
    rounds: ({ rounds }) => Math.min(rounds, 3),
    measure: async (engine, { lines }) => logLines(engine, lines),
  },
];
