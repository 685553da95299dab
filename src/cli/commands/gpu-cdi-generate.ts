// SPDX-License-Identifier: Apache-2.0
import { dirname, extname, resolve } from "node:path";
import { TareError, ensureDirectory, writeFileAtomic } from "../../base/index.ts";
import { flag, list, refused, text } from "../option-specs.ts";
import type { DeviceNaming, DriverCapability, GenerateCdiRequest, GeneratedCdi } from "../../engine/index.ts";
import type { CommandBody } from "../command.ts";
import type { ParsedArguments } from "../parsed.ts";

const NAMINGS: readonly DeviceNaming[] = ["index", "uuid", "type-index"];
const CAPABILITIES: readonly DriverCapability[] = [
  "compute",
  "compat32",
  "graphics",
  "utility",
  "video",
  "display",
  "ngx",
];
const NO_GROUPS = "no-additional-gids-for-device-nodes";
const NO_HOOKS = "the specification needs no hook";

/** `tare gpu cdi generate`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description: [
    "Writes a specification of this host's GPUs for programs that read CDI (Docker, podman, containerd, Tare itself):",
    "device nodes, the driver's libraries and programs. It takes the flags of `nvidia-ctk cdi generate`, needs no software",
    "of NVIDIA besides the driver, and the specification needs no hook. Tare has no need of the file: without one it",
    "makes the specification anew for each container. A file is of the driver that was there when it was written, so",
    "write it anew after an upgrade and after a change of MIG.",
  ].join(" "),
  count: { min: 0, max: 0 },
  options: [
    text("output", "File to write; default: the standard output", { short: "o", complete: "file" }),
    text("format", "Form of the specification; default: by the name of the file, else yaml", {
      choices: ["yaml", "json"],
    }),
    text("kind", "Of which maker, where there are several: nvidia.com/gpu, amd.com/gpu, intel.com/gpu", {
      valueName: "kind",
    }),
    list(
      "device-name-strategy",
      "Name of each device, once for each: index, uuid, type-index; default index and uuid",
      {
        choices: NAMINGS,
      },
    ),
    text(
      "driver-capabilities",
      "Parts of NVIDIA's driver, separated by commas: compute, utility, graphics, video, display, ngx, compat32",
      {
        valueName: "list",
        default: "all",
      },
    ),
    text("driver-root", "Where the driver's files are; default NVIDIA_DRIVER_ROOT, else /", { complete: "directory" }),
    text("dev-root", "Where `/dev` is; default the driver's root where it has one, else /", { complete: "directory" }),
    flag("no-all-device", "Leave out the device `all`"),
    list("feature-flag", `\`${NO_GROUPS}\`: for readers of versions below 0.7.0`, { choices: [NO_GROUPS] }),
    refused("nvidia-cdi-hook-path", NO_HOOKS),
    refused("ldconfig-path", NO_HOOKS),
    refused("mode", "what is on the host decides; Jetson's devices are written by NVIDIA's own nvidia-ctk"),
  ],
  complete: ["none"],
  examples: [
    { line: "tare gpu cdi generate", text: "what Tare gives to containers, as other programs read it" },
    { line: "tare gpu cdi generate --output /etc/cdi/nvidia.yaml", text: "for Docker and podman" },
    { line: "tare gpu cdi generate --driver-root /run/nvidia/driver", text: "where the driver runs in a container" },
  ],
  async run(context, parsed) {
    const output = parsed.string("output") ?? "";
    const { gpus } = await context.engine();
    const { specs, remarks } = await gpus.generateCdi(requestOf(parsed, output));
    const spec = chosen(specs, parsed.string("kind"), remarks);
    const others = specs.filter((other) => other !== spec && !parsed.given("kind"));
    const also = others.map(({ kind }) => `${kind} is here too: write it with --kind ${kind}`);
    for (const remark of [...remarks, ...also, ...nameRemarks(output)]) context.stderr.write(`note: ${remark}\n`);
    if (output === "" || output === "-") return context.stdout.write(spec.text);
    const path = resolve(context.cwd, output);
    ensureDirectory(dirname(path), 0o755);
    writeFileAtomic(path, spec.text, 0o644);
  },
};

function requestOf(parsed: ParsedArguments, output: string): GenerateCdiRequest {
  const [driverRoot, devRoot] = [parsed.string("driver-root"), parsed.string("dev-root")];
  const names = NAMINGS.filter((naming) => parsed.list("device-name-strategy").includes(naming));
  const capabilities = capabilitiesOf(parsed.string("driver-capabilities") ?? "all");
  const format = parsed.string("format") ?? (extname(output) === ".json" ? "json" : "yaml");
  return {
    format: format === "json" ? "json" : "yaml",
    hasAll: !parsed.boolean("no-all-device"),
    hasGroups: !parsed.list("feature-flag").includes(NO_GROUPS),
    ...(driverRoot === undefined ? {} : { driverRoot }),
    ...(devRoot === undefined ? {} : { devRoot }),
    ...(names.length === 0 ? {} : { names }),
    ...(capabilities === undefined ? {} : { capabilities }),
  };
}

function capabilitiesOf(value: string): readonly DriverCapability[] | undefined {
  if (value === "all") return undefined;
  return value.split(",").map((word) => {
    const known = CAPABILITIES.find((capability) => capability === word.trim());
    if (known !== undefined) return known;
    throw new TareError("E_USAGE", `unknown part of the driver \`${word.slice(0, 40)}\` in --driver-capabilities`, {
      hint: `there are ${CAPABILITIES.join(", ")}, and all`,
    });
  });
}

function chosen(specs: readonly GeneratedCdi[], kind: string | undefined, remarks: readonly string[]): GeneratedCdi {
  const spec = specs.find((one) => kind === undefined || one.kind === kind);
  if (spec !== undefined) return spec;
  const found = specs.map((one) => one.kind).join(", ");
  throw new TareError(
    "E_GPU_MISSING",
    found === ""
      ? "this host has no GPU that a specification could be of"
      : `this host has no \`${kind ?? ""}\`, only ${found}`,
    { hint: [...remarks, "`tare gpu check` looks at the host's drivers"].join("; ") },
  );
}

/** Readers pass over files of other names. */
function nameRemarks(output: string): readonly string[] {
  if (output === "" || output === "-" || [".json", ".yaml"].includes(extname(output))) return [];
  return [`programs that read CDI take files named *.yaml and *.json alone, and not \`${output}\``];
}
