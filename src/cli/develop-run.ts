// SPDX-License-Identifier: Apache-2.0
/* `run --debug`, `run --notebook`: what is done before a container starts, and told to the user. */
import { usageError } from "./usage-error.ts";
import { progressMode, withProgress } from "./work.ts";
import type { CreateRequest, DebugPlan, Engine, LongCall, NotebookPlan } from "../engine/index.ts";
import type { OptionSpec } from "./command.ts";
import type { CommandContext } from "./context.ts";
import type { ParsedArguments } from "./parsed.ts";

const PORT = /^\d{1,5}$/;

/** Flags of `run` for developing. */
export const DEVELOP_OPTIONS: readonly OptionSpec[] = [
  {
    name: "debug",
    type: "string",
    valueName: "port",
    optional: { bare: "", value: PORT },
    description: "Run the Python program under debugpy on 127.0.0.1:5678, and print how to attach",
  },
  {
    name: "notebook",
    type: "string",
    valueName: "port",
    optional: { bare: "", value: PORT },
    description: "Serve notebooks of this folder on 127.0.0.1:8888 with a token, and print the address",
  },
  { name: "debug-wait", type: "boolean", description: "The same, and wait for an editor before the first line" },
];

/** The request as it is run, with what the flags put in front of its program. */
export async function developed(
  context: CommandContext,
  parsed: ParsedArguments,
  request: CreateRequest,
): Promise<CreateRequest> {
  const wait = parsed.boolean("debug-wait");
  const isDebug = wait || parsed.given("debug");
  if (parsed.given("notebook")) {
    if (isDebug || parsed.given("watch")) throw usageError("`--notebook` excludes `--debug` and `--watch`");
    return await withNotebook(context, parsed, request);
  }
  if (!isDebug) return request;
  const port = portOf(parsed, "debug");
  const plan = await prepared(context, ({ develop }, call) => develop.debug(request, { ...call, ...port, wait }));
  context.stderr.write(debugText(plan, wait));
  return plan.request;
}

async function withNotebook(
  context: CommandContext,
  parsed: ParsedArguments,
  request: CreateRequest,
): Promise<CreateRequest> {
  const port = portOf(parsed, "notebook");
  const plan = await prepared(context, ({ develop }, call) => develop.notebook(request, { ...call, ...port }));
  context.stderr.write(notebookText(plan));
  return plan.request;
}

async function prepared<Plan>(
  context: CommandContext,
  plan: (engine: Engine, call: LongCall) => Promise<Plan>,
): Promise<Plan> {
  const engine = await context.engine();
  const shown = { mode: progressMode(undefined, context.env), title: "Preparing" };
  return await withProgress(context, shown, (call) => plan(engine, call));
}

function notebookText({ url, source, workdir, version }: NotebookPlan): string {
  const lines = [
    version === undefined ? "Jupyter of the image" : `JupyterLab ${version}, mounted beside the image`,
    ...(source === undefined ? [] : [`${source} is ${workdir}`]),
    `notebook: ${url}`,
  ];
  return `${lines.join("\n")}\n`;
}

function portOf(parsed: ParsedArguments, name: "debug" | "notebook"): { readonly port?: number } {
  const text = parsed.string(name);
  if (text === undefined || text === "") return {};
  const port = PORT.test(text) ? Number(text) : 0;
  if (port > 0 && port < 65_536) return { port };
  throw usageError(`invalid argument "${text}" for "--${name}" flag: expected a port from 1 to 65535`);
}

/** What the user is told: where the debugger listens, and the entry for VS Code. */
function debugText({ host, port, version, python, entry }: DebugPlan, wait: boolean): string {
  const begins = wait ? "the program waits for an editor" : "the program starts at once (`--debug-wait` waits)";
  const json = JSON.stringify(entry, undefined, 2).replaceAll(/^/gm, "  ");
  return [
    `debugpy ${version} on ${host}:${port}, Python ${python}: ${begins}`,
    'VS Code: add this to "configurations" of .vscode/launch.json, then Run > Start Debugging:',
    json,
    `others: attach by the Debug Adapter Protocol to ${host}:${port} (docs/debugging.md)`,
    "",
  ].join("\n");
}
