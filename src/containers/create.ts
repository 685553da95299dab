// SPDX-License-Identifier: Apache-2.0
/*
 * Order of writing, so that a kill at any point leaves something that recovery understands: the record (with the name)
 * comes first, then the folder and volumes; the folder goes before the record. So a folder without a record is rubbish.
 */
import * as fs from "node:fs";
import { TareError, systemErrorCode, canGiveFiles, ioError, isTareError, removeTree } from "../base/index.ts";
import { filesOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { viewOf } from "./find.ts";
import { asksForGpus, withComforts } from "./gpu-comforts.ts";
import { imageTree } from "./image-tree.ts";
import { checkedLimits } from "./limits.ts";
import { userOf } from "./launch-spec.ts";
import { mountWarnings } from "./mount-owners.ts";
import { withContainerId } from "./joined-namespaces.ts";
import { mergeConfig } from "./merge-config.ts";
import { resolveMounts } from "./mounts.ts";
import { checkName, newContainerId, randomName } from "./names.ts";
import { checkNamespaces } from "./namespace-checks.ts";
import { exposedPorts, networkSettings, sharedName } from "./network-settings.ts";
import type { NetworkSettings } from "./network-settings.ts";
import type { CreateRequest, NamespaceRequest, ResourceRequest } from "./request.ts";
import type { ContainerImage, ContainerRecord, HostSettings, StoredState } from "./types.ts";
import { deviceSettings, deviceWarnings } from "./requested-devices.ts";
import { inheritedMounts } from "./volumes-from.ts";
import { prepareMount, removeAnonymous, volumePlace } from "./volumes.ts";

const NAME_TRIES = 8;

/**
 * Makes a container in the given state: record, folder, volumes. All or nothing. Throws `E_NAME_TAKEN`,
 * `E_LAYER_MISSING`, and what merging of configuration and mounts throws.
 */
export async function createRecord(
  context: ContainersContext,
  image: ContainerImage,
  request: CreateRequest,
  state: StoredState,
): Promise<ContainerRecord> {
  checkNamespaces(request.namespaces);
  const record = insertRecord(context, request.name, newRecord(context, { image, request, state }));
  try {
    makeFolder(context, record);
    for (const mount of record.mounts) await prepareMount(context, mount, () => imageTree(context, record));
    for (const text of writeWarnings(context, record)) request.onWarning?.(text);
    for (const text of await deviceWarnings(record)) request.onWarning?.(text);
    if (request.cidfile !== undefined) writeCidFile(request.cidfile, record.id);
    return record;
  } catch (error) {
    removeAnonymous(context, record);
    removeTree(filesOf(context, record.id).folder);
    recordsOf(context).remove(record.id);
    throw error;
  }
}

/** Only who mounts folders as somebody else needs the image's users. */
function writeWarnings(context: ContainersContext, record: ContainerRecord): readonly string[] {
  if (record.config.User === "" || !record.mounts.some(({ type }) => type === "bind")) return [];
  return mountWarnings(record, userOf(record, imageTree(context, record)));
}

function newRecord(
  context: ContainersContext,
  parts: { readonly image: ContainerImage; readonly request: CreateRequest; readonly state: StoredState },
): Omit<ContainerRecord, "name"> {
  const { defaults, reference, id: imageId, target: imageTarget, diffIds: layers } = parts.image;
  const id = newContainerId();
  const network = networkSettings(context, parts.request, defaults);
  return {
    version: 1,
    id,
    createdAt: context.now(),
    image: reference,
    imageId,
    imageTarget,
    layers,
    config: {
      ...mergeConfig(defaults, parts.request, id),
      ...exposedPorts(parts.request, defaults),
      ...sharedName(context, network),
    },
    host: {
      ...hostSettings(parts.request, withContainerId(context, parts.request.namespaces), network),
      ...deviceSettings(context, parts.request),
    },
    mounts: resolveMounts({
      requested: parts.request.mounts,
      inherited: inheritedMounts(context, parts.request.volumesFrom ?? []),
      image: defaults,
      placeOf: (name, options) => volumePlace(context, name, options),
    }),
    state: parts.state,
  };
}

/** A name that the user gave must be free; one of ours is tried again with another. */
function insertRecord(
  context: ContainersContext,
  wanted: string | undefined,
  record: Omit<ContainerRecord, "name">,
): ContainerRecord {
  const records = recordsOf(context, record.host);
  for (let attempt = 0; ; attempt += 1) {
    const name = wanted === undefined ? randomName(attempt) : checkName(wanted);
    try {
      const named = { ...record, name };
      records.insert(record.id, name, named);
      return named;
    } catch (error) {
      if (!isTareError(error, "E_NAME_TAKEN")) throw error;
      if (wanted !== undefined || attempt >= NAME_TRIES) throw nameTaken(context, name);
    }
  }
}

function nameTaken(context: ContainersContext, name: string): TareError {
  const holder = recordsOf(context).find(name);
  const who = holder
    ? `container ${holder.id.slice(0, 12)} (${viewOf(context, holder).state.status})`
    : "another container";
  return new TareError("E_NAME_TAKEN", `naming the container \`${name}\`: the name belongs to ${who}`, {
    hint: `remove that container with \`tare rm ${name}\`, rename it, or take another name`,
    details: { id: holder?.id, name },
  });
}

function hostSettings(request: CreateRequest, namespaces: NamespaceRequest, network: NetworkSettings): HostSettings {
  return {
    resources: checkedLimits(resourcesOf(request), request.onWarning ?? (() => undefined)),
    security: request.security,
    namespaces,
    ...network,
    readOnly: request.readOnly,
    init: request.init,
    autoRemove: request.autoRemove,
    restart: request.restart,
    sysctls: request.sysctls,
    annotations: request.annotations,
    addHosts: request.addHosts,
    dns: request.dns,
    dnsSearch: request.dnsSearch,
    dnsOptions: request.dnsOptions,
    runtime: request.runtime,
    cgroupParent: request.cgroupParent,
    log: request.log,
  };
}

/** What programs with a GPU need more of is told. */
function resourcesOf(request: CreateRequest): ResourceRequest {
  const comforts = asksForGpus(request) ? withComforts(request) : undefined;
  if (comforts === undefined) return request.resources;
  request.onNote?.(comforts.note);
  return comforts.resources;
}

/** The layers are looked up after the record names them: prune either sees the record or has taken them before. */
function makeFolder(context: ContainersContext, record: ContainerRecord): void {
  const layers = context.store.layers.getAll(record.layers);
  const files = filesOf(context, record.id);
  try {
    fs.mkdirSync(files.folder, { mode: 0o700 });
    for (const folder of [files.upper, files.work, files.rootfs]) fs.mkdirSync(folder, { mode: 0o755 });
    copyRootMode(files.upper, layers.at(-1)?.tree);
  } catch (error) {
    throw ioError(`making the container's folder \`${files.folder}\``, error);
  }
}

/** The upper directory's own mode and owner are what `/` has in the container, whatever the umask. */
function copyRootMode(upper: string, top: string | undefined): void {
  const root = top === undefined ? undefined : fs.statSync(top);
  fs.chmodSync(upper, root ? root.mode & 0o7777 : 0o755);
  if (root && (root.uid !== 0 || root.gid !== 0) && canGiveFiles()) fs.chownSync(upper, root.uid, root.gid);
}

function writeCidFile(path: string, id: string): void {
  try {
    fs.writeFileSync(path, id, { flag: "wx", mode: 0o644 });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") {
      const why = "container ID file found, make sure the other container isn't running or delete";
      throw new TareError("E_IO", `${why} \`${path}\``, { exitCode: 125 });
    }
    throw ioError(`writing the container's id to \`${path}\``, error);
  }
}
