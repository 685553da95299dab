// SPDX-License-Identifier: Apache-2.0
/* The data in use: what came with the program, or what was put into the store later. */
import { TareError, digestOf, isTareError } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { DocumentStore, Store } from "../../store/index.ts";
import { compareDotted } from "../versions.ts";
import { shippedGpuData } from "./load.ts";
import { gpuDataOf, parseGpuData } from "./parse.ts";
import type { GpuData } from "./types.ts";

/** Compatibility data and where it is from. */
export interface CurrentGpuData {
  readonly data: GpuData;
  /** `shipped` with the program, or `updated` later. */
  readonly origin: "shipped" | "updated";
  /** Of an update: the file or reference as it was given. */
  readonly from?: string;
  /** Of an update: when it was taken, in milliseconds since the epoch. */
  readonly at?: number;
  /** Of an update: of the bytes that were taken. */
  readonly digest?: Digest;
}

/** What the store keeps; the whole document, so that it changes in one write. */
interface Kept {
  readonly data: unknown;
  readonly from: string;
  readonly at: number;
  readonly digest: Digest;
  /** Older than what came with the program, and wanted all the same. */
  readonly forced: boolean;
}

const KEY = "current";

function documents(store: Store): DocumentStore<Kept> {
  return store.documents<Kept>("gpu-data");
}

/**
 * The data that answers count on. What the store has is used unless the program brings newer data. Throws `E_GPU_DATA`
 * when a newer program left data of another schema.
 */
export async function currentGpuData(store: Store): Promise<CurrentGpuData> {
  const shipped = await shippedGpuData();
  const kept = documents(store).get(KEY);
  if (kept === undefined) return { data: shipped, origin: "shipped" };
  const data = gpuDataOf(kept.data);
  if (!kept.forced && compareDotted(data.version, shipped.version) < 0) return { data: shipped, origin: "shipped" };
  const { from, at, digest } = kept;
  return { data, origin: "updated", from, at, digest };
}

/** Tells one set of data from another without reading it: the digest of an update, or `shipped`. */
export function gpuDataMark(store: Store): string {
  return documents(store).get(KEY)?.digest ?? "shipped";
}

/** Data that is to replace the current. */
export interface GpuDataUpdate {
  readonly bytes: Buffer;
  /** As the user named it. */
  readonly from: string;
  /** Take it although it is older. */
  readonly force: boolean;
}

/** What an update did. */
export interface GpuDataChange {
  readonly before: CurrentGpuData;
  readonly after: CurrentGpuData;
}

/**
 * Puts data into the store, in one write after it was read as a whole. Throws `E_GPU_DATA` when it is malformed, or
 * older than the current without `force`.
 */
export async function updateGpuData(store: Store, update: GpuDataUpdate): Promise<GpuDataChange> {
  const { bytes, from, force } = update;
  const data = parseGpuData(bytes.toString("utf8"));
  // Data of a schema that this program can't read must be replaceable.
  const before = force ? await currentOrShipped(store) : await currentGpuData(store);
  const order = compareDotted(data.version, before.data.version);
  if (order < 0 && !force) throw older(data, before.data.version, from);
  const kept: Kept = { data, from, at: Date.now(), digest: digestOf(bytes), forced: order < 0 };
  documents(store).change(KEY, (now) => {
    // Somebody else may have been quicker.
    const other = force ? undefined : versionOf(now);
    if (other !== undefined && compareDotted(data.version, other) < 0) throw older(data, other, from);
    return kept;
  });
  return { before, after: { data, origin: "updated", from, at: kept.at, digest: kept.digest } };
}

async function currentOrShipped(store: Store): Promise<CurrentGpuData> {
  try {
    return await currentGpuData(store);
  } catch (error) {
    if (!isTareError(error, "E_GPU_DATA")) throw error;
    return { data: await shippedGpuData(), origin: "shipped" };
  }
}

/** The version of a kept document, which may be of any schema. */
function versionOf(kept: Kept | undefined): string | undefined {
  const data = kept?.data;
  if (typeof data !== "object" || data === null || !("version" in data)) return undefined;
  return typeof data.version === "string" ? data.version : undefined;
}

function older(data: GpuData, current: string, from: string): TareError {
  return new TareError(
    "E_GPU_DATA",
    `updating GPU compatibility data from \`${from}\`: it is version ${data.version}, and ${current} is in use`,
    { hint: "`--force` takes it all the same" },
  );
}

/** Goes back to the data that came with the program. */
export async function resetGpuData(store: Store): Promise<GpuDataChange> {
  const before = await currentOrShipped(store);
  documents(store).remove(KEY);
  return { before, after: { data: await shippedGpuData(), origin: "shipped" } };
}
