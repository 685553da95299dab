// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ioError } from "../base/index.ts";
import {
  parseDevice,
  parseEnv,
  parseEnvFile,
  parseExtraHost,
  parseGpus,
  parseHostname,
  parseIpAddress,
  parseKeyValueFile,
  parseLabels,
  parseSysctl,
  parseUserNamespace,
} from "../options/index.ts";
import { checkVolumeDriver, mountsOf } from "./create-mounts.ts";
import { healthRequest } from "./health-options.ts";
import { restartPolicy } from "./restart-option.ts";
import { usageError } from "./usage-error.ts";
import { networkRequest } from "./create-network.ts";
import { allValues, defined, flagValue, oneValue } from "./flag-value.ts";
import type { DeviceMapping } from "../options/index.ts";
import type { CreateRequest, DeviceRequest, NamespaceRequest, SecurityRequest } from "../engine/index.ts";
import { resourceRequest } from "./limit-options.ts";
import type { CommandContext } from "./context.ts";
import type { ParsedArguments } from "./parsed.ts";

/** The container that `run` and `create` ask for. Reads `--env-file` and `--label-file`. Throws `E_USAGE`, `E_IO`. */
export function createRequest(context: CommandContext, parsed: ParsedArguments): CreateRequest {
  const [image = "", ...command] = parsed.positionals;
  checkVolumeDriver(parsed.string("volume-driver"));
  return {
    image,
    command,
    interactive: parsed.boolean("interactive"),
    tty: parsed.boolean("tty"),
    env: environment(context, parsed),
    mounts: mountsOf(context, parsed),
    volumesFrom: parsed.list("volumes-from"),
    readOnly: parsed.boolean("read-only"),
    init: parsed.boolean("init"),
    autoRemove: false,
    labels: labels(context, parsed),
    annotations: parsed.pairs("annotation"),
    resources: resourceRequest(parsed),
    onWarning: (text) => context.stderr.write(`WARNING: ${text}\n`),
    onNote: (text) => context.stderr.write(`${text}\n`),
    security: security(parsed),
    ...deviceRequests(parsed),
    namespaces: namespaces(parsed),
    network: networkRequest(parsed),
    sysctls: Object.fromEntries(allValues(parsed, "sysctl", parseSysctl)),
    addHosts: checked(parsed, "add-host", parseExtraHost),
    dns: allValues(parsed, "dns", parseIpAddress),
    dnsSearch: parsed.list("dns-search"),
    dnsOptions: [...parsed.list("dns-option"), ...parsed.list("dns-opt")],
    pull: pullPolicy(parsed),
    signal: context.signal,
    ...healthRequest(parsed),
    ...restart(parsed),
    logOptions: parsed.list("log-opt"),
    ...texts(parsed),
  };
}

/** Throws `E_USAGE` with Docker's texts. */
function restart(parsed: ParsedArguments): Pick<CreateRequest, "restart"> {
  const policy = restartPolicy(parsed);
  if (policy === undefined) return {};
  if (parsed.boolean("rm") && !["", "no"].includes(policy.name)) {
    throw usageError("conflicting options: cannot specify both --restart and --rm");
  }
  return { restart: policy };
}

/** Options that are handed on as they are. */
function texts(parsed: ParsedArguments): Partial<CreateRequest> {
  const cgroupParent = parsed.string("cgroup-parent");
  return defined({
    name: parsed.string("name"),
    workdir: parsed.string("workdir"),
    user: parsed.string("user"),
    entrypoint: parsed.string("entrypoint"),
    hostname: oneValue(parsed, "hostname", parseHostname),
    domainname: parsed.string("domainname"),
    stopSignal: parsed.string("stop-signal"),
    stopTimeout: parsed.integer("stop-timeout", { min: -1 }),
    platform: parsed.string("platform"),
    runtime: parsed.string("runtime"),
    cidfile: parsed.string("cidfile"),
    logDriver: parsed.string("log-driver"),
    cgroupParent: cgroupParent === "" ? undefined : cgroupParent,
  });
}

/** Files first, then `-e`, as Docker does. */
function environment(context: CommandContext, parsed: ParsedArguments): readonly string[] {
  const files = parsed
    .list("env-file")
    .flatMap((path) => flagValue(parsed, "env-file", path, () => parseEnvFile(readInput(context, path), context.env)));
  return [...files, ...allValues(parsed, "env", (text) => parseEnv(text, context.env))];
}

function labels(context: CommandContext, parsed: ParsedArguments): Readonly<Record<string, string>> {
  const files = parsed
    .list("label-file")
    .flatMap((path) => parseKeyValueFile(readInput(context, path), () => undefined));
  return parseLabels([...files, ...parsed.list("label")]);
}

function readInput(context: CommandContext, path: string): Buffer {
  try {
    return readFileSync(path === "-" ? 0 : resolve(context.cwd, path));
  } catch (error) {
    throw ioError(`reading \`${path}\``, error);
  }
}

/** `--gpus`, then all CDI names of `--device` as one request, as Docker's client sends them. */
function deviceRequests(parsed: ParsedArguments): Pick<CreateRequest, "deviceRequests" | "gpuCheck"> {
  const gpus = allValues(parsed, "gpus", parseGpus);
  const options = allValues(parsed, "device", parseDevice);
  const deviceIds = options.flatMap((option) => (option.kind === "cdi" ? [option.name] : []));
  const named = deviceIds.length === 0 ? [] : [{ driver: "cdi", count: 0, deviceIds, capabilities: [], options: {} }];
  const all = [...gpus, ...named];
  return { ...(all.length === 0 ? {} : { deviceRequests: all }), gpuCheck: gpuCheck(parsed) };
}

function gpuCheck(parsed: ParsedArguments): NonNullable<CreateRequest["gpuCheck"]> {
  const value = parsed.string("gpu-check");
  return value === "warn" || value === "off" ? value : "error";
}

function security(parsed: ParsedArguments): SecurityRequest {
  return {
    capAdd: parsed.list("cap-add"),
    capDrop: parsed.list("cap-drop"),
    securityOptions: parsed.list("security-opt"),
    privileged: parsed.boolean("privileged"),
    devices: allValues(parsed, "device", parseDevice).flatMap((option) =>
      option.kind === "path" ? [deviceOf(option.device)] : [],
    ),
    deviceCgroupRules: parsed.list("device-cgroup-rule"),
    groupAdd: parsed.list("group-add"),
  };
}

function deviceOf({ pathOnHost, pathInContainer, cgroupPermissions }: DeviceMapping): DeviceRequest {
  return { source: pathOnHost, target: pathInContainer, permissions: cgroupPermissions };
}

function namespaces(parsed: ParsedArguments): NamespaceRequest {
  const cgroup = parsed.string("cgroupns");
  return defined({
    ipc: parsed.string("ipc"),
    pid: parsed.string("pid"),
    uts: parsed.string("uts"),
    cgroup: cgroup === "host" || cgroup === "private" ? cgroup : undefined,
    user: userNamespace(parsed),
  } as const);
}

/** As written, checked; undefined for the default. */
function userNamespace(parsed: ParsedArguments): string | undefined {
  const mode = oneValue(parsed, "userns", parseUserNamespace);
  return mode === undefined || mode.kind === "default" ? undefined : parsed.string("userns");
}

function pullPolicy(parsed: ParsedArguments): CreateRequest["pull"] {
  const text = parsed.string("pull");
  return text === "always" || text === "never" ? text : "missing";
}

/** Values that are checked here and handed on as written. */
function checked(parsed: ParsedArguments, name: string, parse: (text: string) => unknown): readonly string[] {
  return allValues(parsed, name, (text) => (parse(text), text));
}
