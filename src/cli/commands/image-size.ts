// SPDX-License-Identifier: Apache-2.0
import { PLATFORM_OPTION } from "../common-options.ts";
import { sizeText, treeText } from "../size-text.ts";
import type { CommandBody, OptionSpec } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `--top`. */
export const TOP_OPTION: OptionSpec = {
  name: "top",
  type: "string",
  valueName: "int",
  default: "10",
  description: "Rows of each list of sizes",
};

/** `tare image size`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE",
  description: [
    "Shows where the bytes of an image are: by layer, by Python distribution, by package of the system, by shared",
    "object and by folder; files that are there twice, that upper layers hide, and that nothing uses. Sizes are bytes",
    "of file content. `--json` has all lists in full and exact: `names`, `id`, `size` (all layers), `merged` (what a",
    "container sees), `files`, `layers`, `distributions`, `packages`, `sharedObjects`, `directories` (three names deep,",
    "each with all below it), `duplicates`, `hidden`, `deadWeight` and `leftOut` (by `build --slim`).",
  ].join(" "),
  count: { min: 1, max: 1 },
  options: [TOP_OPTION, PLATFORM_OPTION, { name: "json", type: "boolean", description: "Print everything as JSON" }],
  complete: ["image"],
  examples: [
    { line: "tare image size app", text: "what makes it large" },
    { line: "tare image size --json app | jq '.distributions[:5]'", text: "the five largest distributions" },
  ],
  run: (context, parsed) => printSizes(context, parsed, { text: sizeText, platform: parsed.string("platform") }),
};

/** What is shown, and of which platform's image. */
export interface SizesShown {
  readonly text: typeof sizeText | typeof treeText;
  readonly platform?: string | undefined;
}

/** Measures the image of the first word and prints it as JSON or as text. */
export async function printSizes(
  context: CommandContext,
  parsed: ParsedArguments,
  { text, platform }: SizesShown,
): Promise<void> {
  const top = parsed.integer("top", { min: 1, max: 100_000 }) ?? 10;
  const { sizes } = await context.engine();
  const image = await sizes.measure(parsed.word(0), {
    signal: context.signal,
    ...(platform === undefined ? {} : { platform }),
  });
  const { stdout } = context;
  if (parsed.boolean("json")) return stdout.write(`${JSON.stringify(image, undefined, 2)}\n`);
  stdout.write(text(image, { columns: Math.max(40, stdout.size().columns), color: stdout.color, top }));
}
