// SPDX-License-Identifier: Apache-2.0
import { humanSize, shortId } from "../text/human.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { BaseRequest, BaseResult } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare base`. */
export const command: CommandBody = {
  usage: "[OPTIONS] [RECIPE]",
  description: "Without a recipe it lists those it knows. The same packages give the same digest.",
  count: { min: 0, max: 1 },
  options: [
    { name: "arch", type: "string", description: "Architecture; default: this machine's" },
    { name: "force", type: "boolean", description: "Assemble again although the name exists" },
    { name: "json", type: "boolean", description: "Print the result as JSON" },
    { name: "mirror", type: "string", valueName: "url", description: "Debian mirror" },
    { name: "package", short: "p", type: "list", description: "Debian package besides the recipe's" },
    PROGRESS_OPTION,
    { name: "quiet", short: "q", type: "boolean", description: "Print the id only" },
    { name: "suite", type: "string", description: "Debian suite, when the recipe's own is not wanted" },
    { name: "tag", short: "t", type: "list", description: "Name of the result; default: the recipe's name" },
  ],
  complete: ["recipe"],
  examples: [
    { line: "tare base python:3.11-slim", text: "what `FROM python:3.11-slim` expects" },
    { line: "tare base debian:bookworm-slim -p git -p curl -t tools", text: "Debian with two more packages" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const [recipe] = parsed.positionals;
    if (recipe === undefined) return printRecipes(context, parsed, await engine.bases.recipes());
    const mode = parsed.boolean("quiet") ? "quiet" : progressMode(parsed.string("progress"), context.env);
    const request = requestOf(parsed, recipe);
    const result = await withProgress(context, { mode, title: "Assembling" }, (call) =>
      engine.bases.assemble({ ...request, ...call }),
    );
    printResult(context, parsed, result);
  },
};

function requestOf(parsed: ParsedArguments, recipe: string): BaseRequest {
  const suite = parsed.string("suite");
  const mirror = parsed.string("mirror");
  const architecture = parsed.string("arch");
  return {
    recipe,
    packages: parsed.list("package").flatMap((text) => text.split(",").filter((name) => name !== "")),
    tags: parsed.list("tag"),
    force: parsed.boolean("force"),
    ...(suite === undefined ? {} : { suite }),
    ...(mirror === undefined ? {} : { mirror }),
    ...(architecture === undefined ? {} : { architecture }),
  };
}

function printRecipes(
  context: CommandContext,
  parsed: ParsedArguments,
  recipes: readonly { readonly name: string; readonly summary: string }[],
): void {
  if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(recipes, undefined, 2)}\n`);
  const width = Math.max(0, ...recipes.map(({ name }) => name.length));
  context.stdout.write(recipes.map(({ name, summary }) => `${name.padEnd(width)}  ${summary}\n`).join(""));
}

function printResult(context: CommandContext, parsed: ParsedArguments, result: BaseResult): void {
  if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  if (parsed.boolean("quiet")) return context.stdout.write(`${result.id}\n`);
  const facts = `${shortId(result.id)}, ${result.packages} packages, ${humanSize(result.size, 3)}`;
  const how = result.existed ? "already here" : "assembled";
  context.stdout.write(`${result.names.join(", ")}: ${how} (${facts})\n`);
}
