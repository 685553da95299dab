// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError, suggest } from "../base/index.ts";
import { COMMANDS, groupEntries, groupNames, groupOf, lookUp } from "./commands/table.ts";
import { errorText } from "./error-text.ts";
import { loadCommand } from "./command.ts";
import { isTerminalDescriptor, outputOf } from "./output.ts";
import { COMMON_OPTIONS, ParsedArguments, parseArguments } from "./parsed.ts";
import { scan } from "./scan.ts";
import { Signals } from "./signals.ts";
import type { CommandSpec, OptionSpec } from "./command.ts";
import type { CommandContext } from "./context.ts";
import type { Engine, EngineOptions } from "../engine/index.ts";

/** What the process gives to the command line. */
export interface Invocation {
  /** Words after the program's name. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The process ends when `main` is done. */
  readonly exiting?: boolean;
  /** Tests put their own parts here. */
  readonly parts?: Partial<Pick<CommandContext, "stdout" | "stderr" | "now" | "stdinIsTerminal" | "stdin">> & {
    readonly openEngine?: (options: EngineOptions) => Engine | Promise<Engine>;
  };
}

const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  ...COMMON_OPTIONS.map((option) => {
    if (option.name === "debug") return { ...option, short: "D" };
    return option.name === "help" ? { ...option, short: "h" } : option;
  }),
  { name: "version", short: "v", type: "boolean", description: "Print the version" },
  { name: "host", short: "H", type: "list", description: "Ignored: there is no daemon", hidden: true },
  { name: "log-level", short: "l", type: "string", description: "Ignored", hidden: true },
  { name: "config", type: "string", description: "Ignored", hidden: true },
];

/** Docker's commands that are still missing: no typos of others. */
const LATER: ReadonlySet<string> = new Set(["compose", "context"]);

/** Runs one command line to its end and answers its exit code; prints errors. Never rejects. */
export async function main(invocation: Invocation): Promise<number> {
  const signals = new Signals();
  const session = new Session(invocation, signals);
  try {
    return await session.run();
  } catch (error) {
    return session.report(error);
  } finally {
    await session.close();
    signals.close();
  }
}

/** One command line: its context, and what has to be closed. */
class Session {
  readonly #invocation: Invocation;
  readonly #signals: Signals;
  readonly #context: CommandContext;
  #engine: Promise<Engine> | undefined;
  #root: string | undefined;
  #policy: string | undefined;
  #debug: boolean;
  #spec: CommandSpec | undefined;

  constructor(invocation: Invocation, signals: Signals) {
    this.#invocation = invocation;
    this.#signals = signals;
    this.#debug = invocation.env["TARE_DEBUG"] === "1";
    this.#context = this.#makeContext();
  }

  async run(): Promise<number> {
    const { words } = this.#invocation;
    const found = scan(words, { options: GLOBAL_OPTIONS, stopAtPositional: true });
    const globals = new ParsedArguments(GLOBAL_OPTIONS, found.occurrences, found.positionals);
    this.#root = globals.string("root");
    this.#policy = globals.string("signature-policy");
    this.#debug ||= globals.boolean("debug");
    if (globals.boolean("version")) return this.#dispatch(["version", "--short"]);
    if (globals.boolean("help") || found.positionals.length === 0) return this.#help(found.positionals);
    return this.#dispatch(found.positionals);
  }

  async #dispatch(words: readonly string[]): Promise<number> {
    if (words[0] === "help") return this.#help(words.slice(1));
    const found = lookUp(words);
    if (!found) return this.#withoutCommand(words);
    const spec = await loadCommand(found.entry);
    this.#spec = spec;
    if (this.#invocation.exiting === true && found.entry.outside !== true) await this.#enterNamespace();
    const parsed = parseArguments(spec.name, spec, words.slice(found.words));
    if (parsed.boolean("help")) return this.#printHelp(spec);
    this.#root = parsed.string("root") ?? this.#root;
    this.#policy = parsed.string("signature-policy") ?? this.#policy;
    this.#debug ||= parsed.boolean("debug");
    return (await spec.run(this.#context, parsed)) ?? 0;
  }

  /** For others than root: this process goes on in the user's namespace, where there is one. */
  async #enterNamespace(): Promise<void> {
    if (process.platform !== "linux" || process.getuid?.() === 0) return;
    const { enterNamespace } = await import("./enter-namespace.ts");
    await enterNamespace(this.#context);
  }

  /** A group alone prints its help; anything else is a typo. */
  async #withoutCommand(words: readonly string[]): Promise<number> {
    const [first = ""] = words;
    const found = groupOf(words);
    const next = found && words[found.words];
    if (found && (next === undefined || next === "--help" || next === "-h")) return this.#help(found.group.split(" "));
    const typed = found ? (next ?? "") : first;
    const before = found ? `${found.group} ` : "";
    const shown = `${before}${typed}`;
    const names = found
      ? groupEntries(found.group).map(([word]) => word)
      : [...COMMANDS.filter((entry) => !entry.hidden).map((entry) => entry.name), ...groupNames()];
    const near = suggest(typed, names);
    const isLater = LATER.has(first);
    throw new TareError("E_USAGE", `'${shown}' is not a tare command${isLater ? " yet" : ""}`, {
      hint: isLater
        ? "Docker has it; it comes with a later version of Tare"
        : near
          ? `did you mean \`tare ${before}${near}\`?`
          : `\`tare ${before}--help\` lists the commands`,
    });
  }

  async #help(words: readonly string[]): Promise<number> {
    const found = lookUp(words);
    if (found) return this.#printHelp(await loadCommand(found.entry));
    const { groupHelp, topHelp } = await import("./help.ts");
    const { stdout } = this.#context;
    const layout = { columns: stdout.size().columns, color: stdout.color };
    const inner = groupOf(words);
    if (words.length === 0) stdout.write(topHelp(COMMANDS, layout));
    else if (inner) stdout.write(groupHelp(inner.group, groupEntries(inner.group), layout));
    else return this.#withoutCommand(words);
    return 0;
  }

  async #printHelp(spec: CommandSpec): Promise<number> {
    const { commandHelp } = await import("./help.ts");
    const { stdout } = this.#context;
    stdout.write(commandHelp(spec, { columns: stdout.size().columns, color: stdout.color }));
    return 0;
  }

  /** Prints an error and answers the exit code. An abort that a signal asked for needs no words. */
  report(error: unknown): number {
    const { stderr } = this.#context;
    const interrupted = this.#signals.exitCode;
    if (interrupted !== undefined && (isTareError(error, "E_ABORTED") || isAbort(error))) {
      stderr.write("interrupted\n");
      return interrupted;
    }
    stderr.write(errorText(this.#explained(error), { color: stderr.color, debug: this.#debug }));
    if (!isTareError(error)) return this.#spec?.failureCode ?? 1;
    return error.exitCode === 1 && error.code !== "E_USAGE" ? (this.#spec?.failureCode ?? 1) : error.exitCode;
  }

  /** Usage errors get the command's usage line and a pointer to its help. */
  #explained(error: unknown): unknown {
    if (!isTareError(error, "E_USAGE") || this.#spec === undefined) return error;
    const { name, usage } = this.#spec;
    const help = `\`tare ${name} --help\` lists the options`;
    return new TareError("E_USAGE", error.message, {
      hint: error.hint ? `${error.hint}${/[?.!]$/.test(error.hint) ? "" : ";"} ${help}` : help,
      details: { ...error.details, usage: `tare ${name} ${usage}` },
      cause: error.cause,
    });
  }

  async close(): Promise<void> {
    const engine = await this.#engine?.catch(() => undefined);
    engine?.close({ exiting: this.#invocation.exiting === true });
  }

  #makeContext(): CommandContext {
    const { env, cwd, parts = {} } = this.#invocation;
    const isDebug = (): boolean => this.#debug;
    return {
      stdout: parts.stdout ?? outputOf(1, env),
      stderr: parts.stderr ?? outputOf(2, env),
      stdin: parts.stdin ?? (() => process.stdin),
      stdinIsTerminal: parts.stdinIsTerminal ?? isTerminalDescriptor(0),
      env,
      cwd,
      get debug() {
        return isDebug();
      },
      signal: this.#signals.signal,
      forwardSignals: (listener) => this.#signals.forward(listener),
      engine: () => (this.#engine ??= this.#openEngine()),
      now: parts.now ?? Date.now,
    };
  }

  async #openEngine(): Promise<Engine> {
    const { env, cwd, parts } = this.#invocation;
    const openEngine = parts?.openEngine ?? (await import("../engine/index.ts")).openEngine;
    const root = this.#root === undefined ? {} : { root: this.#root };
    const policy = this.#policy === undefined ? {} : { signaturePolicy: this.#policy };
    return openEngine({ env, cwd, ...root, ...policy });
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
