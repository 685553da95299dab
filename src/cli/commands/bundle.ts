// SPDX-License-Identifier: Apache-2.0
import { byteSink, byteSource } from "../byte-io.ts";
import { humanSize } from "../text/human.ts";
import { escapeLine } from "../text/escape.ts";
import { usageError } from "../usage-error.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { BundleReport } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare bundle`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE [IMAGE...] -o FILE | --load FILE",
  description: [
    "A bundle carries images to a machine that has no network: the images, the bases that they stand on, the wheels that",
    "their layers are made of, and locks. There `tare build` of the project gives the same image. Other tools read it as",
    "an archive of images. Loading one is trusting its maker as with `load`: names of images become what it says. What",
    "nobody can verify is left in it unless `--trust` is given: results of RUN steps, how requirements without a lock",
    "were resolved, which sources a wheel was built from, compiled modules, and which wheels layers are made of.",
  ].join(" "),
  count: { min: 0 },
  options: [
    {
      name: "output",
      short: "o",
      type: "string",
      description: "File to write; default: the standard output",
      complete: "file",
    },
    { name: "lock", type: "list", description: "Lock or other file that goes along", complete: "file" },
    { name: "no-wheels", type: "boolean", description: "Leave the wheels out" },
    { name: "load", type: "string", description: "Load this bundle; `-`: the standard input", complete: "file" },
    { name: "to", type: "string", description: "With --load: folder for the locks in it", complete: "directory" },
    { name: "trust", type: "boolean", description: "With --load: take also what can't be verified" },
    { name: "json", type: "boolean", description: "Print what is in it as JSON" },
    PROGRESS_OPTION,
  ],
  complete: ["image"],
  examples: [
    { line: "tare bundle app --lock pylock.toml -o app.bundle", text: "an image with its base, wheels and lock" },
    { line: "tare bundle --load app.bundle --to .", text: "on the other machine, in the project's folder" },
  ],
  async run(context, parsed) {
    const from = parsed.string("load");
    checkUsage(parsed, from !== undefined);
    const report = from === undefined ? await create(context, parsed) : await load(context, parsed, from);
    if (report) print(context, parsed, { report, isLoaded: from !== undefined });
  },
};

/** Each half has options of its own. Throws `E_USAGE`. */
function checkUsage(parsed: ParsedArguments, isLoad: boolean): void {
  const given = (names: readonly string[]): string | undefined => names.find((name) => parsed.given(name));
  const foreign = given(isLoad ? ["output", "lock", "no-wheels"] : ["to", "trust"]);
  if (foreign !== undefined)
    throw usageError(`\`--${foreign}\` is of no use ${isLoad ? "with" : "without"} \`--load\``);
  if (isLoad && parsed.positionals.length > 0)
    throw usageError("`--load` takes no images: all of the bundle are loaded");
  if (!isLoad && parsed.positionals.length === 0)
    throw usageError("name at least one image, or a bundle with `--load`");
}

async function create(context: CommandContext, parsed: ParsedArguments): Promise<BundleReport | undefined> {
  const path = parsed.string("output");
  const output = byteSink(context, path);
  const engine = await context.engine();
  const mode = progressMode(parsed.string("progress"), context.env);
  const request = {
    images: parsed.positionals,
    files: parsed.list("lock"),
    wheels: !parsed.boolean("no-wheels"),
    output,
  };
  const report = await withProgress(context, { mode, title: "Bundling" }, (call) =>
    engine.bundles.create({ ...request, ...call }),
  );
  // The archive itself is on the standard output.
  return typeof output === "string" ? report : undefined;
}

async function load(context: CommandContext, parsed: ParsedArguments, from: string): Promise<BundleReport> {
  const input = byteSource(context, from);
  const engine = await context.engine();
  const mode = progressMode(parsed.string("progress"), context.env);
  const files = parsed.string("to");
  const request = { input, isTrusted: parsed.boolean("trust"), ...(files === undefined ? {} : { files }) };
  return withProgress(context, { mode, title: "Loading" }, (call) => engine.bundles.load({ ...request, ...call }));
}

function print(
  context: CommandContext,
  parsed: ParsedArguments,
  { report, isLoaded }: { readonly report: BundleReport; readonly isLoaded: boolean },
): void {
  if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  const { images, wheels, files, claims } = report;
  const verb = isLoaded ? "Loaded" : "Bundled";
  const size = humanSize(wheels.reduce((sum, wheel) => sum + wheel.size, 0));
  const place = isLoaded ? parsed.string("to") : undefined;
  const lines = [
    ...images.map(({ name, id }) => (name ? `${verb} image: ${name}\n` : `${verb} image ID: ${id}\n`)),
    ...(wheels.length > 0 ? [`${verb} wheels: ${wheels.length} (${size})\n`] : []),
    ...files.map((name) => `${filesVerb(isLoaded, place)}: ${escapeLine(name)}\n`),
    ...(claims > 0 ? [`${verb} without proof: ${claims} results of builds and resolutions\n`] : []),
  ];
  context.stdout.write(lines.join(""));
}

function filesVerb(isLoaded: boolean, place: string | undefined): string {
  if (!isLoaded) return "Bundled file";
  return place === undefined ? "Left in the bundle (--to FOLDER takes it out)" : "Written file";
}
