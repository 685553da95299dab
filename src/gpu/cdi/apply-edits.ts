// SPDX-License-Identifier: Apache-2.0
/* Edits applied to an OCI configuration as the standard's library does it, field by field and in its order. */
import { posix } from "node:path";
import type { NamespaceLimits, OciSpec } from "../../runtime/index.ts";
import type { CdiDeviceNode, CdiEdits, CdiHook, CdiMount } from "../types.ts";
import { fillNode } from "./fill-node.ts";
import { THIS_HOST } from "./host-node.ts";
import type { CdiHost } from "./host-node.ts";
import { withSearchPaths } from "./search-paths.ts";

type Linux = OciSpec["linux"];
type Mount = OciSpec["mounts"][number];
type Device = NonNullable<Linux["devices"]>[number];

/** How edits are applied. */
export interface ApplyOptions {
  readonly host?: CdiHost;
  /**
   * The user namespace of an ordinary user (`namespaceLimits()`), who can't make device nodes: those of the host are
   * mounted, from their `hostPath`. Mounts are not shifted into the container's namespace, which only root may do, and
   * groups that the namespace lacks are left out.
   */
  readonly namespace?: Pick<NamespaceLimits, "highestGid"> | undefined;
}

/** The configuration with the edits. Throws `E_CDI_DEVICE` for a device node that must be looked up and is not there. */
export function applyEdits(spec: OciSpec, edits: CdiEdits, options: ApplyOptions = {}): OciSpec {
  const host = options.host ?? THIS_HOST;
  const nodes = (edits.deviceNodes ?? []).map((node) => fillNode(node, host));
  const { namespace } = options;
  const bound = namespace === undefined ? [] : nodes.map(nodeMount);
  const shifts = namespace === undefined && spec.linux.namespaces.some(({ type }) => type === "user");
  const mounts = [...bound, ...(edits.mounts ?? []).map((mount) => ociMount(mount, shifts))];
  return {
    ...spec,
    process: withProcess(spec.process, edits, namespace?.highestGid ?? Number.POSITIVE_INFINITY),
    mounts: mounts.length === 0 ? spec.mounts : withMounts(spec.mounts, mounts),
    ...withHooks(spec.hooks, edits.hooks ?? []),
    linux: withLinux(spec, edits, { nodes, isBound: bound.length > 0 }),
  };
}

function withProcess(process: OciSpec["process"], edits: CdiEdits, highestGid: number): OciSpec["process"] {
  const { user, env } = process;
  const groups = user.additionalGids ?? [];
  const more = (edits.additionalGids ?? []).filter((group) => group !== 0 && group <= highestGid);
  const additionalGids = [...new Set([...groups, ...more])];
  const grouped = more.length === 0 ? user : { ...user, additionalGids };
  const changed = withEnvironment(env, edits.env ?? []);
  return { ...process, user: grouped, env: withSearchPaths(changed, edits.searchPaths ?? {}) };
}

/** A variable that is there gets its new value where it stands. */
function withEnvironment(env: readonly string[], changes: readonly string[]): readonly string[] {
  const result = [...env];
  const places = new Map(env.map((entry, index) => [nameOf(entry), index]));
  for (const entry of changes) {
    const place = places.get(nameOf(entry)) ?? result.length;
    places.set(nameOf(entry), place);
    result[place] = entry;
  }
  return result;
}

function nameOf(entry: string): string {
  return entry.split("=", 1)[0] ?? "";
}

interface Nodes {
  readonly nodes: readonly CdiDeviceNode[];
  /** They are mounted instead of made. */
  readonly isBound: boolean;
}

function withLinux({ linux, process }: OciSpec, edits: CdiEdits, { nodes, isBound }: Nodes): Linux {
  const devices = isBound ? [] : nodes.map((node) => ociDevice(node, process.user));
  const paths = new Set(devices.map(({ path }) => path));
  const kept = (linux.devices ?? []).filter(({ path }) => !paths.has(path));
  const rules = nodes.flatMap(deviceRule);
  const { netDevices = [], intelRdt } = edits;
  const named = Object.fromEntries(netDevices.map(({ hostInterfaceName, name }) => [hostInterfaceName, { name }]));
  return {
    ...linux,
    ...(devices.length === 0 ? {} : { devices: [...kept, ...lastOfEach(devices)] }),
    ...(rules.length === 0
      ? {}
      : { resources: { ...linux.resources, devices: [...(linux.resources.devices ?? []), ...rules] } }),
    ...(netDevices.length === 0 ? {} : { netDevices: { ...linux.netDevices, ...named } }),
    ...(intelRdt === undefined ? {} : { intelRdt }),
  };
}

/** Of devices at one path the last, where it stands: an earlier one is taken out before a later one is added. */
function lastOfEach(devices: readonly Device[]): readonly Device[] {
  return devices.filter(({ path }, index) => devices.findLastIndex((other) => other.path === path) === index);
}

function ociDevice(node: CdiDeviceNode, user: OciSpec["process"]["user"]): Device {
  const { path, type, major = 0, minor = 0, fileMode } = node;
  const uid = node.uid ?? (user.uid > 0 ? user.uid : undefined);
  const gid = node.gid ?? (user.gid > 0 ? user.gid : undefined);
  const owner = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
  const mode = fileMode === undefined ? {} : { fileMode };
  return { path, type: typeOf(type), major, minor, ...mode, ...owner };
}

function typeOf(type: string | undefined): Device["type"] {
  return type === "b" || type === "p" || type === "u" ? type : "c";
}

function deviceRule(node: CdiDeviceNode): NonNullable<Linux["resources"]["devices"]> {
  const { type, major = 0, minor = 0, permissions = "" } = node;
  if (type !== "b" && type !== "c") return [];
  const access = permissions === "" ? "rwm" : permissions === "none" ? "" : permissions;
  return [{ allow: true, type, major, minor, access }];
}

/** As `--device` of an ordinary user: the host's node itself. */
function nodeMount({ path, hostPath }: CdiDeviceNode): Mount {
  const options = ["bind", "rprivate", "nosuid", "noexec"];
  return { destination: path, type: "bind", source: hostPath ?? path, options };
}

function ociMount({ hostPath, containerPath, type, options = [] }: CdiMount, shifts: boolean): Mount {
  const words = shifts ? [...options, ...shiftOption(type, options)] : options;
  return {
    destination: containerPath,
    source: hostPath,
    ...(type === undefined || type === "" ? {} : { type }),
    ...(words.length === 0 ? {} : { options: words }),
  };
}

function shiftOption(type: string | undefined, options: readonly string[]): readonly string[] {
  if (options.some((word) => word === "idmap" || word === "ridmap")) return [];
  const word = options.findLast((one) => one === "bind" || one === "rbind");
  if (word === "rbind") return ["ridmap"];
  return word === "bind" || type === "bind" ? ["idmap"] : [];
}

/** One at each destination, the last; then all by depth, so that none hides another. */
function withMounts(mounts: readonly Mount[], added: readonly Mount[]): readonly Mount[] {
  const all = added.reduce<readonly Mount[]>(
    (rest, mount) => [...rest.filter(({ destination }) => destination !== mount.destination), mount],
    mounts,
  );
  return all.toSorted((left, right) => depth(left) - depth(right));
}

function depth({ destination }: Mount): number {
  return posix
    .normalize(destination)
    .replace(/(.)\/+$/, "$1")
    .split("/").length;
}

function withHooks(hooks: OciSpec["hooks"], added: readonly CdiHook[]): Pick<OciSpec, "hooks"> {
  if (added.length === 0) return {};
  const result: Record<string, NonNullable<OciSpec["hooks"]>[string]> = { ...hooks };
  for (const { hookName, ...hook } of added) result[hookName] = [...(result[hookName] ?? []), hook];
  return { hooks: result };
}
