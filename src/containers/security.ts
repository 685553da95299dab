// SPDX-License-Identifier: Apache-2.0
import { isRootless, userNamespace } from "../base/index.ts";
import { buildSpec } from "../runtime/index.ts";
import type { ContainersContext } from "./context.ts";
import { findContainer } from "./find.ts";
import { containerTree, imageTree } from "./image-tree.ts";
import { confinement, userOf } from "./launch-spec.ts";
import { mergeConfig } from "./merge-config.ts";
import { usesHostNetwork } from "./network-settings.ts";
import type { GpuRequest, PortBinding } from "../options/index.ts";
import { PLAIN_REQUEST } from "./plain-request.ts";
import { parseSecurityOptions } from "./security-options.ts";
import { securityReport } from "./security-report.ts";
import type { SecurityReport } from "./security-report.ts";
import type { SourceTree } from "../store/index.ts";
import type { ContainerImage, ContainerRecord } from "./types.ts";

/** What a container may do. Reads only. Throws `E_CONTAINER_NOTFOUND`. */
export function containerSecurity(context: ContainersContext, text: string): SecurityReport {
  const record = findContainer(context, text);
  return reportOf(record, record.name, { kind: "container", tree: containerTree(context, record) });
}

/** What a container may do that is made of an image without any flag. Reads only. */
export function imageSecurity(context: ContainersContext, image: ContainerImage): SecurityReport {
  const { reference, id, target, diffIds, defaults } = image;
  // What it runs does not matter, and an image may lack a command.
  const request = { ...PLAIN_REQUEST, command: ["sh"], image: reference };
  const record: ContainerRecord = {
    version: 1,
    id: "0".repeat(64),
    name: reference,
    createdAt: 0,
    image: reference,
    imageId: id,
    imageTarget: target,
    layers: diffIds,
    config: mergeConfig(defaults, request, ""),
    host: { ...request, network: usesHostNetwork() ? "host" : "bridge", runtime: undefined, cgroupParent: undefined },
    mounts: [],
    state: { status: "created" },
  };
  return reportOf(record, reference, { kind: "image", tree: imageTree(context, record) });
}

interface Subject {
  readonly kind: SecurityReport["kind"];
  readonly tree: SourceTree;
}

function reportOf(record: ContainerRecord, name: string, { kind, tree }: Subject): SecurityReport {
  const { host, mounts } = record;
  const { privileged, securityOptions } = host.security;
  const { seccomp } = parseSecurityOptions(securityOptions);
  const { memory, pidsLimit, nanoCpus } = host.resources;
  const namespace = userNamespace();
  return securityReport({
    name,
    kind,
    spec: buildSpec({ ...confinement(record, userOf(record, tree)), rootfs: "/" }),
    privileged,
    seccomp: privileged || seccomp === "unconfined" ? "none" : seccomp === "default" ? "default" : "custom",
    mounts,
    ports: (record.host.ports ?? []).map(bindingText),
    requestedDevices: (host.deviceRequests ?? []).flatMap(requestText),
    limits: {
      memory: memory === undefined || memory <= 0 ? undefined : memory,
      pids: pidsLimit === undefined || pidsLimit <= 0 ? undefined : pidsLimit,
      cpus: nanoCpus === undefined ? undefined : nanoCpus / 1e9,
    },
    uidMap: namespace.isInitial ? [] : namespace.uids,
    isRootless: isRootless(),
  });
}

/** Names of devices, or `gpus` where a count is asked for. */
function requestText({ deviceIds, count }: GpuRequest): readonly string[] {
  return deviceIds.length > 0 ? deviceIds : count === 0 ? [] : ["gpus"];
}

/** `127.0.0.1:8080->80/tcp`, as asked for. */
function bindingText({ hostIp, hostPort, containerPort, protocol }: PortBinding): string {
  return `${hostIp}:${hostPort?.start ?? "any"}->${containerPort}/${protocol}`;
}
