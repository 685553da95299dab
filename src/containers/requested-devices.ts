// SPDX-License-Identifier: Apache-2.0
/*
 * Devices that a container asks for by name (`--device vendor.com/class=name`, `--gpus`). The record keeps the request;
 * what it means is looked up at every start, because a driver may have been upgraded since.
 */
import { readTextIfPresent } from "../base/index.ts";
import type { DevicePlaces, FoundDevices } from "../gpu/index.ts";
import { isMembers, parseJson } from "../oci/index.ts";
import type { GpuRequest } from "../options/index.ts";
import { namespaceLimits } from "../runtime/index.ts";
import type { OciSpec } from "../runtime/index.ts";
import type { SourceTree } from "../store/index.ts";
import type { ContainersContext } from "./context.ts";
import type { CreateRequest } from "./request.ts";
import type { ContainerRecord, HostSettings } from "./types.ts";

/** Where programs reach NVIDIA's Multi-Process Service. */
const MPS = "/tmp/nvidia-mps";
const MPS_TEXT =
  "NVIDIA's Multi-Process Service runs on this host, and its programs share memory: `--ipc host` lets this container's take part";

/** Where the devices of records are looked for that do not say so. */
const USUAL_PLACES: DevicePlaces = { driverRoot: "/", cdiDirectories: ["/etc/cdi", "/var/run/cdi"] };

/**
 * The configuration with the devices that the record asks for; `tree` has the container's files. Throws `E_CDI_DEVICE`, `E_GPU_MISSING`, `E_GPU_UNKNOWN`,
 * and for files that are gone.
 */
export async function withRequestedDevices(spec: OciSpec, record: ContainerRecord, tree: SourceTree): Promise<OciSpec> {
  const found = await foundDevices(record);
  if (found === undefined) return spec;
  const { giveDevices, withCompat } = await import("../gpu/index.ts");
  const { driverRoot } = record.host.devicePlaces ?? USUAL_PLACES;
  return giveDevices(spec, withCompat(found, tree, { driverRoot }), { namespace: namespaceLimits() });
}

/** A program that starts it again later has not the settings of the command that made it: the record has the places. */
async function foundDevices({ host, config }: ContainerRecord): Promise<FoundDevices | undefined> {
  const { deviceRequests: requests = [], devicePlaces = USUAL_PLACES } = host;
  if (requests.length === 0) return undefined;
  const { findDevices } = await import("../gpu/index.ts");
  return await findDevices({ requests, env: config.Env }, devicePlaces);
}

/** What a new container's record says of them. */
export function deviceSettings(
  { devicePlaces }: Pick<ContainersContext, "devicePlaces">,
  { deviceRequests = [] }: CreateRequest,
): Pick<HostSettings, "deviceRequests" | "devicePlaces"> {
  if (deviceRequests.length === 0) return {};
  return { deviceRequests, ...(devicePlaces ? { devicePlaces: devicePlaces() } : {}) };
}

/**
 * What is odd about a new container's devices: what of the user's own is covered by them, as with other engines, and
 * nodes that have other numbers than their specification says. Devices that can't be had are the start's to refuse.
 */
export async function deviceWarnings(record: ContainerRecord): Promise<readonly string[]> {
  const resolution = await foundDevices(record).catch(() => undefined);
  if (resolution === undefined) return [];
  const { staleNodes } = await import("../gpu/index.ts");
  const { edits } = resolution;
  const mounts = new Set((edits.mounts ?? []).map(({ containerPath }) => containerPath));
  const nodes = new Set((edits.deviceNodes ?? []).map(({ path }) => path));
  const covered = [
    ...record.mounts.map(({ destination }) => destination).filter((path) => mounts.has(path)),
    ...record.host.security.devices.map(({ target }) => target).filter((path) => nodes.has(path)),
  ];
  const options = (record.host.deviceRequests ?? []).flatMap((request) => Object.keys(request.options));
  return [
    ...(options.length === 0 ? [] : [`options of \`--gpus\` are left out (${options.join(", ")}): no driver has any`]),
    ...(mounts.has(MPS) && record.host.namespaces.ipc === undefined ? [MPS_TEXT] : []),
    ...covered.map((path) => `\`${path}\` is from the CDI device and not from your own flag for that path`),
    ...staleNodes(edits),
  ];
}

/** A part of what a process is given. */
export interface ProcessGift {
  readonly env: readonly string[];
  readonly groups: readonly number[];
}

/** What devices added to the first process at the last start, besides the usual: further processes get it too. */
export function addedByDevices(record: ContainerRecord, folder: string, usual: ProcessGift): ProcessGift {
  const process = startedConfig(record, folder)?.["process"];
  if (!isMembers(process) || !isMembers(process["user"])) return { env: [], groups: [] };
  const env = listOf(process["env"]).filter((entry) => typeof entry === "string");
  const groups = listOf(process["user"]["additionalGids"]).filter((group) => typeof group === "number");
  return {
    env: env.filter((entry) => !usual.env.includes(entry)),
    groups: groups.filter((group) => !usual.groups.includes(group)),
  };
}

/** What the last start let the container do with devices, as `--device-cgroup-rule` says it: `c 195:0 rwm`. */
export function startedDeviceRules(record: ContainerRecord, folder: string): readonly string[] {
  const linux = startedConfig(record, folder)?.["linux"];
  const resources = isMembers(linux) ? linux["resources"] : undefined;
  const rules = isMembers(resources) ? listOf(resources["devices"]) : [];
  return rules.flatMap((rule) => {
    if (!isMembers(rule) || rule["allow"] !== true) return [];
    const number = (name: string): string => (typeof rule[name] === "number" ? String(rule[name]) : "*");
    return [`${textOf(rule, "type") || "a"} ${number("major")}:${number("minor")} ${textOf(rule, "access") || "rwm"}`];
  });
}

/** config.json of the last start of a container that asks for devices; undefined when there is none. */
function startedConfig({ host }: ContainerRecord, folder: string): Readonly<Record<string, unknown>> | undefined {
  if ((host.deviceRequests ?? []).length === 0) return undefined;
  const path = `${folder}/config.json`;
  const text = readTextIfPresent(path);
  const config = text === undefined ? undefined : parseJson(text, `\`${path}\``);
  return isMembers(config) ? config : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown, name: string): string {
  const text = isMembers(value) ? value[name] : undefined;
  return typeof text === "string" ? text : "";
}

/** `DeviceRequests` of `inspect`, in Docker's words. */
export function deviceRequestDocument(requests: readonly GpuRequest[] | undefined): readonly object[] | null {
  if (requests === undefined || requests.length === 0) return null;
  return requests.map(({ driver, count, deviceIds, capabilities, options }) => ({
    Driver: driver,
    Count: count,
    DeviceIDs: deviceIds.length === 0 ? null : deviceIds,
    Capabilities: capabilities.length === 0 ? null : [capabilities],
    Options: driver === "cdi" && Object.keys(options).length === 0 ? null : options,
  }));
}
