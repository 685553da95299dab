// SPDX-License-Identifier: Apache-2.0
/* CPU or GPU on purpose: which builds of torch and its kin are taken, and what a CPU image must not have. */
import { TareError, suggest } from "../../base/index.ts";

/** What `--accelerator` may say besides `cpu`, `xpu` and `auto`. */
const BUILDS = /^(?:cpu|xpu|cu\d{2,3}|rocm\d+\.\d+(?:\.\d+)?)$/;
/** For suggestions: builds that torch still has. */
const KNOWN = ["auto", "cpu", "xpu", "cu118", "cu126", "cu128", "cu129", "cu130", "rocm6.3", "rocm6.4", "rocm7.0"];

/** Distributions that only a GPU needs. */
const GPU_ONLY =
  /^(?:nvidia-.*|triton|pytorch-triton(?:-.*)?|triton-rocm|cuda-(?:toolkit|bindings|pathfinder|core|python))$/;

/** True for distributions that a CPU image has no use for: CUDA's own, and triton. */
export function isGpuPackage(name: string): boolean {
  return GPU_ONLY.test(name);
}

/**
 * The build that is meant; `automatic` decides what `auto` is, by the driver and the GPUs of the machines that it is for.
 * Throws `E_USAGE`.
 */
export function chooseAccelerator(wanted: string | undefined, automatic: () => string): string | undefined {
  if (wanted === undefined || BUILDS.test(wanted)) return wanted;
  if (wanted === "auto") return automatic();
  const near = suggest(wanted, KNOWN);
  throw new TareError("E_USAGE", `unknown accelerator \`${wanted.slice(0, 40)}\``, {
    hint: near === undefined ? `one of ${KNOWN.join(", ")}` : `did you mean \`${near}\``,
  });
}

/** The error for GPU packages in a CPU set; `wantedBy` says of whom, where that is known: names, or the user's files. */
export function gpuPackagesError(
  names: readonly string[],
  wantedBy: ReadonlyMap<string, readonly string[]>,
): TareError {
  const [first = ""] = names;
  const who = [...new Set(names.flatMap((name) => wantedBy.get(name) ?? []))].filter((name) => !isGpuPackage(name));
  const rest = names.length === 1 ? "" : ` and ${names.length - 1} more`;
  const files = who.filter((each) => FILE.test(each));
  const verb = files.length === 0 ? "needs" : "asks for";
  const what = names.length === 1 ? "it" : "them";
  const because = who.length === 0 ? "" : `: ${who.map((each) => `\`${each}\``).join(", ")} ${verb} ${what}`;
  return new TareError(
    "E_ACCELERATOR",
    `choosing packages for the CPU: \`${first}\`${rest} would be among them${because}`,
    {
      hint: hintFor(who.filter((each) => !FILE.test(each))),
    },
  );
}

const FILE = /\.(?:txt|in|toml|lock)$/;

function hintFor([first]: readonly string[]): string {
  if (first === "torch") return "lock again with `tare lock --accelerator cpu`, so that torch is its CPU build";
  if (first === undefined) return "take them out of the requirements, or lock again with `tare lock --accelerator cpu`";
  return `take a CPU build of \`${first}\` (some have a package of their own, as \`${first}-cpu\`), or choose another accelerator`;
}
