// SPDX-License-Identifier: Apache-2.0
import { PLATFORM_OPTION } from "../common-options.ts";
import { gpuReportText } from "../gpu-text.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare gpu check`. */
export const command: CommandBody = {
  usage: "[OPTIONS] [IMAGE]",
  description: [
    "With an image: compares its CUDA, the kernels in its packages and what it requires with the driver and the GPUs of",
    "this host, or of machines that `--target` describes. Without one: looks whether this host can give GPUs to",
    "containers. Every finding says what was compared, and what to change. The exit code is 1 when something stands in",
    "the way. `--json` prints for each machine `target`, `about` and `findings` (`rule`, `level`, `message`, `fix`).",
  ].join(" "),
  count: { min: 0, max: 1 },
  options: [
    {
      name: "target",
      type: "list",
      valueName: "target",
      description: "Machine to check for: `driver=535,sm=70[,brand=tesla,name=V100]`, or its name in tare.toml",
    },
    PLATFORM_OPTION,
    PROGRESS_OPTION,
    { name: "quiet", short: "q", type: "boolean", description: "Print errors and warnings alone" },
    { name: "json", type: "boolean", description: "Print the findings as JSON" },
  ],
  complete: ["image"],
  examples: [
    { line: "tare gpu check", text: "can this host give GPUs to containers?" },
    { line: "tare gpu check app", text: "will this image run on its GPUs?" },
    { line: "tare gpu check app --target driver=535,sm=70", text: "and on a cluster with V100s and R535?" },
  ],
  async run(context, parsed) {
    const { gpus } = await context.engine();
    const [image] = parsed.positionals;
    const platform = parsed.string("platform");
    const request = {
      targets: parsed.list("target"),
      folder: context.cwd,
      ...(image === undefined ? {} : { image }),
      ...(platform === undefined ? {} : { platform }),
    };
    const mode = progressMode(parsed.string("progress"), context.env);
    const reports = await withProgress(context, { mode, title: "Reading" }, (call) =>
      gpus.check({ ...request, ...call }),
    );
    const { stdout } = context;
    if (parsed.boolean("json")) stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
    else stdout.write(gpuReportText(reports, { color: stdout.color, quiet: parsed.boolean("quiet") }));
    return reports.some(({ findings }) => findings.some(({ level }) => level === "error")) ? 1 : 0;
  },
};
