// SPDX-License-Identifier: Apache-2.0
/*
 * The variables by which NVIDIA's runtime is asked (its documentation, "Specialized Configurations with Docker"). Here
 * they ask only when the user himself sets them for a container: an image's NVIDIA_VISIBLE_DEVICES=all, which every CUDA
 * image has, is a hint.
 */
import { TareError } from "../../base/index.ts";
import { isCdiName } from "../../options/index.ts";
import type { GpuRequest } from "../../options/index.ts";
import { DRIVER_CAPABILITIES } from "../generate/capabilities.ts";
import type { DriverCapability } from "../generate/capabilities.ts";
import { capabilityOf } from "./drivers.ts";
import type { AskedCapability } from "./drivers.ts";

const DEVICES = "NVIDIA_VISIBLE_DEVICES";
const CAPABILITIES = "NVIDIA_DRIVER_CAPABILITIES";
/** What an image gets that says nothing, as with NVIDIA's runtime. */
const USUAL: readonly DriverCapability[] = ["utility", "compute"];

/** What the user's own variables (`NAME=value`) ask for; undefined when they ask for no GPU. */
export function requestOfEnvironment(env: readonly string[]): GpuRequest | undefined {
  const words = devicesIn(env);
  if (words === undefined) return undefined;
  const plain = { driver: "nvidia", capabilities: ["gpu"], options: {} };
  if (words.every(isCdiName)) return { ...plain, driver: "cdi", count: 0, deviceIds: words };
  if (words.includes("all")) return { ...plain, count: -1, deviceIds: [] };
  const named = words.filter((word) => word !== "none");
  // Of a GPU nothing, and of the driver what its programs need to say so.
  return { ...plain, count: 0, deviceIds: named.length === 0 ? ["none"] : named };
}

/** The value by which an image asks for GPUs; undefined when it does not. */
export function imageAsksFor(env: readonly string[]): string | undefined {
  const words = devicesIn(env);
  return words === undefined || words.every((word) => word === "none") ? undefined : words.join(",");
}

/**
 * The parts of NVIDIA's driver for a container: those that were asked for, else those of its variables, else the usual.
 * Throws `E_USAGE` for a word that is none.
 */
export function driverCapabilities(
  asked: readonly AskedCapability[],
  env: readonly string[],
): readonly DriverCapability[] {
  const chosen = asked.length > 0 ? asked : capabilitiesIn(env);
  if (chosen.includes("all")) return DRIVER_CAPABILITIES;
  return chosen.length === 0 ? USUAL : [...new Set(chosen.filter((word) => word !== "all"))];
}

function capabilitiesIn(env: readonly string[]): readonly AskedCapability[] {
  const words = wordsOf(env, CAPABILITIES);
  return words.map((word) => {
    const known = capabilityOf(word);
    if (known !== undefined) return known;
    const message = `unsupported capabilities found in '${words.join(",")}' (${CAPABILITIES}): \`${word}\``;
    const hint = `they are ${DRIVER_CAPABILITIES.join(", ")}, or all`;
    throw new TareError("E_USAGE", message, { hint, exitCode: 125 });
  });
}

/** The items of the list; undefined when it says that this is no container for GPUs: unset, empty, or `void` in it. */
function devicesIn(env: readonly string[]): readonly string[] | undefined {
  const words = wordsOf(env, DEVICES);
  return words.length === 0 || words.includes("void") ? undefined : words;
}

/** A list's items without blanks. The last of equals counts; a name alone takes the variable away. */
function wordsOf(env: readonly string[], name: string): readonly string[] {
  const entry = env.findLast((one) => one === name || one.startsWith(`${name}=`)) ?? "";
  const words = entry.slice(name.length + 1).split(",");
  return words.map((word) => word.trim()).filter((word) => word !== "");
}
