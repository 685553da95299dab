// SPDX-License-Identifier: Apache-2.0
import { byteSink } from "../byte-io.ts";
import { humanSize } from "../text/human.ts";
import { usageError } from "../usage-error.ts";
import { PAUSE_OPTION } from "../volume-options.ts";
import { volumeRemarks } from "../volume-remarks.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { VolumeBackup } from "../../engine/index.ts";
import type { ParsedArguments } from "../parsed.ts";

const COMPRESSIONS = ["zstd", "gzip", "none"] as const;

/** `tare volume backup`. */
export const command: CommandBody = {
  usage: "[OPTIONS] VOLUME | --verify FILE",
  description: [
    "Writes all of a volume to one file that says what it is: owners, modes, times, attributes, ACLs, links, holes, with a",
    "digest of each file and one of the whole. It is a tar, so that other programs can read it too. With `--since` it",
    "holds what changed after another backup, and the names of what is gone; `volume restore` then wants both.",
  ].join(" "),
  count: { min: 0, max: 1 },
  options: [
    {
      name: "output",
      short: "o",
      type: "string",
      description: "File to write; default: the standard output",
      complete: "file",
    },
    {
      name: "since",
      type: "string",
      valueName: "file",
      description: "The backup to go on from: only what changed since is written",
      complete: "file",
    },
    PAUSE_OPTION,
    { name: "compress", type: "string", default: "zstd", choices: COMPRESSIONS, description: "How it is compressed" },
    {
      name: "verify",
      type: "string",
      valueName: "file",
      description: "Read a backup to its end and compare all digests; write nothing",
      complete: "file",
    },
    { name: "json", type: "boolean", description: "Print what it holds as JSON, with `-o` or `--verify`" },
    PROGRESS_OPTION,
  ],
  complete: ["volume"],
  examples: [
    { line: "tare volume backup models > models.backup", text: "everything, to one file" },
    { line: "tare volume backup --since sunday.backup -o monday.backup db", text: "what changed since Sunday" },
    { line: "tare volume backup --pause db | ssh nas 'cat > db.backup'", text: "of one moment, to another machine" },
    { line: "tare volume backup --verify models.backup", text: "is the file whole?" },
  ],
  async run(context, parsed) {
    const file = parsed.string("verify");
    if (file !== undefined) return verify(context, parsed, file);
    const name = parsed.positionals[0];
    if (name === undefined) throw usageError("`tare volume backup` needs a volume, or `--verify` and a file");
    const path = parsed.string("output");
    const output = byteSink(context, path);
    const engine = await context.engine();
    const mode = progressMode(parsed.string("progress"), context.env);
    const compression = COMPRESSIONS.find((each) => each === parsed.string("compress")) ?? "zstd";
    const since = parsed.string("since");
    const report = await withProgress(context, { mode, title: "Backing up" }, (call) =>
      engine.volumes.backup({
        name,
        output,
        compression,
        pause: parsed.boolean("pause"),
        ...(since === undefined ? {} : { since }),
        ...call,
      }),
    );
    context.stderr.write(volumeRemarks(report));
    if (typeof output !== "string") return;
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    context.stdout.write(`${output}: ${contentText(report)}\n`);
  },
};

async function verify(context: CommandContext, parsed: ParsedArguments, file: string): Promise<void> {
  const { volumes } = await context.engine();
  const input = file === "-" ? context.stdin() : file;
  const report = await volumes.verify({ input, signal: context.signal });
  if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  const from = report.parent === undefined ? "" : `, going on from ${report.parent}`;
  context.stdout.write(`${file}: whole; backup ${report.id} of ${report.name}${from}: ${contentText(report)}\n`);
}

function contentText({ entries, stored, bytes }: Pick<VolumeBackup, "entries" | "stored" | "bytes">): string {
  const changed = stored === entries ? "" : `, ${stored} of them in this file`;
  return `${entries} entries${changed}, ${humanSize(bytes)} of files`;
}
