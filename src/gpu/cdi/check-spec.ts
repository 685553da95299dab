// SPDX-License-Identifier: Apache-2.0
// The rules of the standard for a specification whose fields have the right types.
import type { CdiDevice, CdiDeviceNode, CdiEdits, CdiHook, CdiSpec } from "../types.ts";
import { specError } from "./fields.ts";
import { deviceNameFault, kindFault } from "./names.ts";
import { isSince110, versionFault } from "./versions.ts";

/** Points of a container's life at which a hook may be called. */
export const HOOK_NAMES: readonly string[] = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
];

const NODE_TYPES = ["", "b", "c", "u", "p"];
/** Longest name of a class of service, and the words that no folder may have. */
const CLOS_LIMIT = 4096;
const NO_FOLDER = new Set([".", ".."]);

/** Checks everything that the standard demands of one specification. Throws `E_CDI_SPEC`. */
export function checkSpec(spec: CdiSpec): void {
  fault("cdiVersion", versionFault(spec));
  fault("kind", kindFault(spec.kind));
  if (spec.devices.length === 0) throw specError("devices", "there must be one at least");
  if (spec.containerEdits !== undefined) checkEdits(spec.containerEdits, "containerEdits");
  const seen = new Set<string>();
  for (const device of spec.devices) {
    if (seen.has(device.name)) throw specError("devices", `two have the name \`${device.name}\``);
    seen.add(device.name);
    checkDevice(device);
  }
  if (isSince110(spec)) refuseDropped(spec);
}

/** Checks a device of a specification. Throws `E_CDI_SPEC`. */
export function checkDevice({ name, containerEdits }: CdiDevice): void {
  fault(`device \`${name.slice(0, 100)}\``, deviceNameFault(name));
  if (isEmpty(containerEdits)) throw specError(`device \`${name}\``, "its containerEdits are empty");
  checkEdits(containerEdits, `device \`${name}\``);
}

/** Checks edits of a specification or a device, which `at` names. Throws `E_CDI_SPEC`. */
export function checkEdits(edits: CdiEdits, at: string): void {
  for (const entry of edits.env ?? []) checkVariable(entry, `${at}: env`);
  for (const node of edits.deviceNodes ?? []) checkNode(node, at);
  for (const hook of edits.hooks ?? []) checkHook(hook, at);
  for (const { hostPath, containerPath } of edits.mounts ?? []) {
    if (hostPath === "") throw specError(`${at}: mounts`, "a hostPath is empty");
    if (containerPath === "") throw specError(`${at}: mounts`, `the containerPath of \`${hostPath}\` is empty`);
  }
  const closId = edits.intelRdt?.closID ?? "";
  if (closId !== "/" && (closId.length >= CLOS_LIMIT || NO_FOLDER.has(closId) || /[/\n]/.test(closId))) {
    throw specError(`${at}: intelRdt`, "closID is no file name and not `/`");
  }
  checkNetDevices(edits, at);
}

/** True for edits that change nothing, which a device may not have. */
function isEmpty(edits: CdiEdits): boolean {
  return Object.values(edits).every((value: unknown) => Array.isArray(value) && value.length === 0);
}

function checkNode({ path, type, permissions }: CdiDeviceNode, at: string): void {
  if (path === "") throw specError(`${at}: deviceNodes`, "a path is empty");
  if (!NODE_TYPES.includes(type ?? "")) throw specError(`${at}: device node \`${path}\``, `unknown type \`${type}\``);
  if (permissions === "none" || /^[rwm]*$/.test(permissions ?? "")) return;
  throw specError(`${at}: device node \`${path}\``, `permissions \`${permissions}\` are not made of r, w, m`);
}

function checkHook({ hookName, path, env }: CdiHook, at: string): void {
  if (!HOOK_NAMES.includes(hookName)) throw specError(`${at}: hooks`, `unknown hookName \`${hookName}\``);
  if (path === "") throw specError(`${at}: hook \`${hookName}\``, "its path is empty");
  for (const entry of env ?? []) checkVariable(entry, `${at}: hook \`${hookName}\``);
}

function checkVariable(entry: string, at: string): void {
  if (entry.indexOf("=") <= 0) throw specError(at, `\`${entry}\` is not NAME=VALUE`);
}

function checkNetDevices({ netDevices }: CdiEdits, at: string): void {
  const hosts = new Set<string>();
  const names = new Set<string>();
  for (const { hostInterfaceName, name } of netDevices ?? []) {
    if (hostInterfaceName === "" || name === "") throw specError(`${at}: netDevices`, "a name is empty");
    if (hosts.has(hostInterfaceName))
      throw specError(`${at}: netDevices`, `\`${hostInterfaceName}\` stands there twice`);
    if (names.has(name)) throw specError(`${at}: netDevices`, `two become \`${name}\``);
    hosts.add(hostInterfaceName);
    names.add(name);
  }
}

function refuseDropped({ containerEdits, devices }: CdiSpec): void {
  for (const { intelRdt } of [containerEdits ?? {}, ...devices.map((device) => device.containerEdits)]) {
    if (intelRdt?.enableCMT === undefined && intelRdt?.enableMBM === undefined) continue;
    throw specError("intelRdt", "version 1.1.0 has no `enableCMT` and `enableMBM`; write `enableMonitoring`");
  }
}

function fault(at: string, why: string | undefined): void {
  if (why !== undefined) throw specError(at, why);
}
