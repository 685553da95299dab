// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { writeFileAtomic } from "../../base/index.ts";
import { BUILD_OPTIONS } from "../build-options.ts";
import { buildRequest } from "../build-request.ts";
import { escapeLine } from "../text/escape.ts";
import { planText } from "../plan-text.ts";
import { humanSize, shortId } from "../text/human.ts";
import { progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { BuildFinding, BuildRequest, BuildResult } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare build`. */
export const command: CommandBody = {
  usage: "[OPTIONS] PATH | URL | -",
  count: { min: 1, max: 1 },
  options: BUILD_OPTIONS,
  complete: ["directory"],
  examples: [
    { line: "tare build -t hello .", text: "build the Dockerfile of this folder" },
    { line: "tare build -t app .", text: "a folder with requirements.txt and main.py needs no Dockerfile" },
    { line: "tare build --target test --build-arg PYTHON=3.11 .", text: "one stage, with an argument" },
    { line: "tare build -o type=oci,dest=hello.tar .", text: "an OCI archive instead of an image in the store" },
    {
      line: "tare build --cache-from registry/app:cache --cache-to type=registry,ref=registry/app:cache,mode=max .",
      text: "start from what another machine built, and leave the next one this build's steps",
    },
    { line: "tare build --secret id=token,env=HF_TOKEN .", text: "a secret that does not end up in the image" },
  ],
  async run(context, parsed) {
    const request = buildRequest(context, parsed);
    if (parsed.boolean("plan")) return printPlan(context, parsed, request);
    if (parsed.boolean("check")) return printCheck(context, parsed, request);
    const engine = await context.engine();
    const mode = parsed.boolean("quiet") ? "quiet" : progressMode(parsed.string("progress"), context.env);
    const result = await withProgress(context, { mode, title: "Building" }, (call) =>
      engine.build({ ...request, ...call }),
    );
    writeFiles(context, parsed, result);
    printResult(context, parsed, result, mode === "quiet" || mode === "rawjson");
  },
};

async function printPlan(context: CommandContext, parsed: ParsedArguments, request: BuildRequest): Promise<void> {
  const engine = await context.engine();
  const mode = parsed.boolean("quiet") ? "quiet" : progressMode(parsed.string("progress"), context.env);
  const plan = await withProgress(context, { mode, title: "Planning" }, (call) => engine.plan({ ...request, ...call }));
  context.stdout.write(parsed.boolean("json") ? `${JSON.stringify(plan.vertices, undefined, 2)}\n` : planText(plan));
}

async function printCheck(context: CommandContext, parsed: ParsedArguments, request: BuildRequest): Promise<number> {
  const engine = await context.engine();
  const findings = await engine.check(request);
  if (parsed.boolean("json")) context.stdout.write(`${JSON.stringify(findings, undefined, 2)}\n`);
  else context.stdout.write(checkText(findings));
  return findings.length > 0 ? 1 : 0;
}

function checkText(findings: readonly BuildFinding[]): string {
  if (findings.length === 0) return "Check complete, no warnings found.\n";
  const blocks = findings.map(({ rule, message, file, line, text }) => {
    const place = file === undefined ? "" : `${escapeLine(file)}${line === undefined ? "" : `:${line}`}\n`;
    const source =
      text === undefined
        ? ""
        : text
            .split("\n")
            .map((row) => `  | ${escapeLine(row)}\n`)
            .join("");
    return `\nWARNING: ${rule}\n${escapeLine(message)}\n${place}${source}`;
  });
  const heading = `Check complete, ${findings.length} warning${findings.length === 1 ? " has" : "s have"} been found!`;
  return `${heading}\n${blocks.join("")}`;
}

function writeFiles(context: CommandContext, parsed: ParsedArguments, result: BuildResult): void {
  const idFile = parsed.string("iidfile");
  const metadataFile = parsed.string("metadata-file");
  if (idFile !== undefined) writeFileAtomic(resolve(context.cwd, idFile), idOf(result) ?? "", 0o644);
  if (metadataFile === undefined) return;
  writeFileAtomic(resolve(context.cwd, metadataFile), `${JSON.stringify(result.metadata, undefined, 2)}\n`, 0o644);
}

/** The image's id; of several platforms, the index. */
function idOf({ images, target }: BuildResult): string | undefined {
  return images.length === 1 ? images[0]?.id : target;
}

/** What `--slim` saved. */
function leftOutText({ leftOut = [] }: BuildResult): string {
  if (leftOut.length === 0) return "";
  const files = leftOut.reduce((sum, row) => sum + row.files, 0);
  const size = humanSize(leftOut.reduce((sum, row) => sum + row.size, 0));
  const rules = leftOut.map((row) => `${row.rule} ${humanSize(row.size)} in ${row.files}`).join(", ");
  return `Left out ${size} in ${files} files: ${rules} (docs/slim.md)\n`;
}

function printResult(context: CommandContext, parsed: ParsedArguments, result: BuildResult, silent: boolean): void {
  const id = idOf(result);
  if (parsed.boolean("json")) context.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  else if (parsed.boolean("quiet")) context.stdout.write(id === undefined ? "" : `${id}\n`);
  else if (!silent && id !== undefined) {
    const names = result.names.length > 0 ? result.names.join(", ") : "without a name";
    context.stderr.write(`Built ${names} (${shortId(id)})\n${leftOutText(result)}`);
  }
}
