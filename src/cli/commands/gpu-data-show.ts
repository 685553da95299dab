// SPDX-License-Identifier: Apache-2.0
import { usageError } from "../usage-error.ts";
import { listedTime } from "../text/human.ts";
import { gpuFactsText } from "../gpu-facts.ts";
import type { CommandBody } from "../command.ts";
import type { GpuDataSummary } from "../../engine/index.ts";

/** `tare gpu data show`. */
export const command: CommandBody = {
  usage: "[OPTIONS] [NAME [VERSION]]",
  description: [
    "Shows the version, the date and the origin of the compatibility data in use. With a name, what it has about a Python",
    "distribution (torch, tensorflow, jax, onnxruntime-gpu, vllm), about `cuda`, about a `driver` of NVIDIA or about a",
    "`gpu` by its compute capability, with the sources; without a version the known ones. What the data does not know is",
    "said to be unknown, and the exit code is 1.",
  ].join(" "),
  count: { min: 0, max: 2 },
  options: [
    { name: "json", type: "boolean", description: "Print it as JSON" },
    { name: "raw", type: "boolean", description: "Print the whole data, as `tare gpu data update` takes it" },
  ],
  examples: [
    { line: "tare gpu data show", text: "how old is it" },
    { line: "tare gpu data show torch 2.7.0", text: "its builds, kernels and indexes" },
    { line: "tare gpu data show cuda 12.8", text: "the drivers that it needs" },
    { line: "tare gpu data show --raw > gpu-data.json", text: "a start for data of your own" },
  ],
  async run(context, parsed) {
    const { gpuData } = await context.engine();
    const [name, version] = parsed.positionals;
    const json = parsed.boolean("json");
    const print = (value: unknown): void => context.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
    if (parsed.boolean("raw")) {
      if (name !== undefined || json) throw usageError("--raw prints the whole data and goes with nothing else");
      return context.stdout.write(await gpuData.document());
    }
    if (name === undefined) {
      const summary = await gpuData.show();
      return json ? print(summary) : context.stdout.write(summaryText(summary));
    }
    const facts = await gpuData.lookUp(name, version);
    if (json) print(facts);
    else context.stdout.write(gpuFactsText(facts));
    return facts.kind === "unknown" ? 1 : 0;
  },
};

function summaryText(summary: GpuDataSummary): string {
  const { version, date, schema, counts } = summary;
  const rows = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return [
    `Version:  ${version} (schema ${schema})`,
    `Date:     ${date}`,
    `Origin:   ${originOf(summary)}`,
    `Rows:     ${rows.join(", ")}`,
    "",
  ].join("\n");
}

function originOf({ origin, from, updatedAt, digest }: GpuDataSummary): string {
  if (origin === "shipped") return "came with this program";
  return `${from ?? ""}, taken ${listedTime(Date.parse(updatedAt ?? ""))} (${digest ?? ""})`;
}
