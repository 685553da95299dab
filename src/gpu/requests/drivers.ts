// SPDX-License-Identifier: Apache-2.0
/* Which driver a request means, by Docker's rule: its name, or the first that has all its capabilities. */
import { TareError, suggest } from "../../base/index.ts";
import type { GpuRequest } from "../../options/index.ts";
import { DRIVER_CAPABILITIES } from "../generate/capabilities.ts";
import type { DriverCapability } from "../generate/capabilities.ts";
import type { GpuVendor } from "../types.ts";

/** `all`, or the name of a part of NVIDIA's driver. */
export type AskedCapability = DriverCapability | "all";

/** The word as such; undefined when it is none. */
export function capabilityOf(word: string): AskedCapability | undefined {
  return word === "all" ? word : DRIVER_CAPABILITIES.find((one) => one === word);
}

const CAPABILITIES: Readonly<Record<GpuVendor, ReadonlySet<string>>> = {
  nvidia: new Set(["gpu", "nvidia", "all", ...DRIVER_CAPABILITIES]),
  amd: new Set(["gpu", "amd"]),
  intel: new Set(["gpu", "intel"]),
};

/** Docker's names of drivers. */
const DRIVERS: Readonly<Record<string, GpuVendor>> = {
  nvidia: "nvidia",
  "nvidia.cdi": "nvidia",
  "nvidia.runtime-hook": "nvidia",
  amd: "amd",
  "amd.cdi": "amd",
  intel: "intel",
};

/** The vendors that can serve a request, in the order of preference. Throws `E_USAGE` for one that nobody can serve. */
export function vendorsFor(request: GpuRequest): readonly GpuVendor[] {
  const { driver, capabilities } = request;
  if (driver !== "") {
    const vendor = DRIVERS[driver];
    if (vendor === undefined) throw noDriver(request, `drivers are ${[...Object.keys(DRIVERS), "cdi"].join(", ")}`);
    return [vendor];
  }
  const all: readonly GpuVendor[] = ["nvidia", "amd", "intel"];
  const able = all.filter((vendor) => capabilities.every((word) => CAPABILITIES[vendor].has(word.trim())));
  if (able.length === 0) throw noDriver(request, capabilityHint(capabilities));
  return able;
}

/** The parts of NVIDIA's driver that requests ask for; none when they leave it to the image. */
export function askedCapabilities(requests: readonly GpuRequest[]): readonly AskedCapability[] {
  const words = requests.flatMap(({ capabilities }) => capabilities.map((word) => word.trim()));
  return [...new Set(words.flatMap((word) => capabilityOf(word) ?? []))];
}

/** Docker's text. */
function noDriver({ driver, capabilities }: GpuRequest, hint: string): TareError {
  const words = `[[${capabilities.join(" ")}]]`;
  const message = `could not select device driver ${JSON.stringify(driver)} with capabilities: ${words}`;
  return new TareError("E_USAGE", message, { hint, exitCode: 125 });
}

function capabilityHint(words: readonly string[]): string {
  const known = [...new Set(Object.values(CAPABILITIES).flatMap((set) => [...set]))];
  const wrong = words.find((word) => !known.includes(word.trim()));
  if (wrong === undefined) return "these belong to different vendors' drivers";
  // Compose's own documentation writes `nvidia-compute`.
  const near = suggest(wrong.replace(/^nvidia-/, ""), known);
  const list = `capabilities are ${known.join(", ")}`;
  return near === undefined ? list : `did you mean ${JSON.stringify(near)}? ${list}`;
}
