// SPDX-License-Identifier: Apache-2.0
/* Facts of the compatibility data as text. */
import { alignColumns } from "./text/columns.ts";
import { escapeLine } from "./text/escape.ts";
import type { FrameworkBuild, GpuFacts } from "../engine/index.ts";

/** The text of facts, sources last. */
export function gpuFactsText(facts: GpuFacts): string {
  const lines = linesOf(facts);
  const sources =
    "sources" in facts && facts.sources.length > 0 ? ["Sources:", ...facts.sources.map((url) => `  ${url}`)] : [];
  return [...lines, ...sources].map((line) => `${escapeLine(line)}\n`).join("");
}

function linesOf(facts: GpuFacts): readonly string[] {
  switch (facts.kind) {
    case "unknown":
      return [`unknown: ${facts.reason}`];
    case "releases":
      return facts.versions;
    case "framework":
      return frameworkLines(facts);
    case "cuda":
      return pairs([
        ["CUDA", facts.version],
        ["Minimum driver", facts.minimumDriver.native ?? "unknown"],
        ["For finished code", facts.minimumDriver.minor ?? "the same"],
        ["cuda-compat with", facts.compatDrivers?.map((branch) => `R${branch}`).join(" ") ?? "unknown"],
        ["Compute capabilities", facts.capabilities?.join(" ") ?? "unknown"],
      ]);
    case "driver":
      return pairs([
        ["Driver", facts.version],
        [
          "CUDA",
          facts.cuda ?? (facts.cudaAtLeast === undefined ? "unknown" : `unknown, at least ${facts.cudaAtLeast}`),
        ],
        ["Branch", facts.branchKind ?? "unknown"],
        ["Supported until", facts.end ?? "unknown"],
      ]);
    case "gpu":
      return pairs([
        ["Compute capability", `${facts.capability}${facts.architecture === null ? "" : ` (${facts.architecture})`}`],
        ["Chips", facts.chips.join(" ") || "unknown"],
        ["First CUDA", facts.firstCuda ?? "unknown"],
        ["Last CUDA", lastText(facts.lastCuda)],
        ["Last driver", lastText(facts.lastDriver === null ? null : String(facts.lastDriver))],
      ]);
  }
}

function lastText(last: string | null): string {
  if (last === null) return "unknown";
  return last === "current" ? "none: the newest supports it" : last;
}

function pairs(rows: readonly (readonly [string, string])[]): readonly string[] {
  return alignColumns(rows.map(([name, value]) => [`${name}:`, value]))
    .split("\n")
    .filter((line) => line !== "");
}

function frameworkLines({ name, version, builds }: Extract<GpuFacts, { kind: "framework" }>): readonly string[] {
  const [first] = builds;
  const python = first?.python;
  const companions = Object.entries(first?.companions ?? {}).map(([other, release]) => `${other} ${release}`);
  const table = alignColumns([["BUILD", "CUDA", "CUDNN", "DRIVER", "KERNELS", "INDEX"], ...builds.map(rowOf)]);
  return [
    `${name} ${version}`,
    ...(python === undefined ? [] : [`Python: ${typeof python === "string" ? python : python.join(" ")}`]),
    ...(companions.length === 0 ? [] : [`With: ${companions.join(", ")}`]),
    ...table.split("\n").filter((line) => line !== ""),
    ...(builds.some(({ isDefault }) => isDefault) ? ["* what a plain `pip install` brings"] : []),
  ];
}

function rowOf(build: FrameworkBuild): readonly string[] {
  const { local, cuda, rocm, cudnn, driver, needs, indexUrl, isDefault } = build;
  const tool =
    cuda === undefined
      ? rocm === undefined
        ? "-"
        : `ROCm ${rocm}`
      : `${cuda}${needs === undefined ? "" : ` (${needs})`}`;
  const none = rocm === undefined ? "unknown" : "-";
  return [
    `${local === "" ? "-" : local}${isDefault ? " *" : ""}`,
    tool,
    cudnn ?? none,
    driver ?? "-",
    kernelsText(build) ?? none,
    indexUrl ?? "-",
  ];
}

function kernelsText({ kernels, minimumCapability }: FrameworkBuild): string | undefined {
  if (kernels === undefined) return minimumCapability === undefined ? undefined : `from ${minimumCapability}`;
  const ptx = kernels.kind === "list" ? kernels.kernels.ptx : kernels.ptx;
  const code = kernels.kind === "list" ? kernels.kernels.cubins.join(" ") : `${kernels.low} to ${kernels.high}`;
  return ptx.length === 0 ? code : `${code} +PTX ${ptx.join(" ")}`;
}
