// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import { builtWheels, checkWheel, normalizeName } from "../python/index.ts";
import type { BuiltWheel, WheelStore } from "../python/index.ts";
import type { Store } from "../store/index.ts";
import { doubtsOf } from "./doubts.ts";
import type { Doubts } from "./doubts.ts";
import { pushBytes, pushFile } from "./push-file.ts";
import { telling } from "./transfer.ts";
import type { RemoteRepository, TransferListener } from "./transfer.ts";
import { EMPTY, formatWheelSet, parseWheelSet } from "./wheel-artifact.ts";

/** A place for wheels: a tag of a repository. */
export interface RemoteWheels extends RemoteRepository {
  readonly tag: string;
}

/** How wheels are shared. */
export interface ShareWheelsOptions {
  readonly listener: TransferListener;
  readonly signal?: AbortSignal;
}

/** The set at a registry after a push, and what of it was sent. */
export interface PushedWheels {
  readonly digest: Digest;
  /** Of this store. */
  readonly wheels: readonly BuiltWheel[];
  /** In the set by now, with those of others. */
  readonly total: number;
  /** The registry had exactly this set. */
  readonly wasThere: boolean;
}

/**
 * Adds wheels to the set at a registry: those of others stay, and of two built from the same sources the new one is
 * kept. What the registry has is not sent. Throws `E_REGISTRY*`, `E_MANIFEST` when the tag is something else.
 */
export async function pushWheels(
  store: Store,
  wheels: readonly BuiltWheel[],
  remote: RemoteWheels,
  options: ShareWheelsOptions,
): Promise<PushedWheels> {
  const { client, repository, tag } = remote;
  const call = callOf(options);
  const known = await client.headManifest(repository, tag, { forPush: true, ...call });
  const there = known === undefined ? [] : await readSet(remote, options);
  const merged = new Map([...there, ...wheels].map((wheel) => [wheel.key, wheel]));
  await pushBlobs(store, wheels, remote, { ...options, doubts: () => false });
  const manifest = formatWheelSet([...merged.values()]);
  const total = merged.size;
  if (known !== undefined && formatWheelSet(there).bytes.equals(manifest.bytes) && known.digest !== undefined) {
    return { digest: known.digest, wheels, total, wasThere: true };
  }
  const put = (): Promise<Digest> => client.putManifest(repository, tag, manifest, call);
  try {
    return { digest: await put(), wheels, total, wasThere: false };
  } catch (error) {
    const doubts = doubtsOf(error);
    if (!doubts) throw error;
    await pushBlobs(store, wheels, remote, { ...options, doubts });
    return { digest: await put(), wheels, total, wasThere: false };
  }
}

interface Pushing extends ShareWheelsOptions {
  /** These are sent whatever the registry says. */
  readonly doubts: Doubts;
}

async function pushBlobs(
  store: Store,
  wheels: readonly BuiltWheel[],
  remote: RemoteWheels,
  pushing: Pushing,
): Promise<void> {
  for (const { digest, size } of wheels) {
    await pushFile(remote, { path: store.blobs.path(digest), digest, size }, pushing);
  }
  await pushBytes(remote, EMPTY.bytes, pushing);
}

function callOf({ signal }: ShareWheelsOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function readSet(remote: RemoteWheels, options: ShareWheelsOptions): Promise<readonly BuiltWheel[]> {
  const { client, repository, tag } = remote;
  const { bytes } = await client.getManifest(repository, tag, callOf(options));
  return parseWheelSet(bytes.toString("utf8"), `${client.domain}/${repository}:${tag}`);
}

/** Which wheels of a set are fetched. */
export interface PullWheelsOptions extends ShareWheelsOptions {
  readonly wheels: WheelStore;
  /** `flash-attn`, `flash-attn==2.8.3`; none: all. */
  readonly names: readonly string[];
  /** `linux/amd64`; absent: of every platform. */
  readonly platform?: string;
}

/** What a pull did. */
export interface PulledWheels {
  readonly wheels: readonly BuiltWheel[];
  /** Of the set, for other platforms. */
  readonly others: number;
}

/**
 * Fetches wheels of a set. A build takes them in place of building the same sources; what this store built itself is not
 * replaced. Every wheel has its digest, and is the one that its name says. Throws `E_REGISTRY*`, `E_MANIFEST`,
 * `E_DIGEST_MISMATCH`, `E_WHEEL…`, `E_WHEEL_MISSING` for a name that the set has not.
 */
export async function pullWheels(
  store: Store,
  remote: RemoteWheels,
  options: PullWheelsOptions,
): Promise<PulledWheels> {
  const all = chooseWheels(await readSet(remote, options), options.names, `the set at ${remote.client.domain}`);
  const wanted = all.filter(({ platform }) => options.platform === undefined || platform === options.platform);
  const known = builtWheels(store);
  for (const wheel of wanted) {
    await pullOne(store, wheel, remote, options);
    const own = known.get(wheel.key);
    if (own === undefined || !store.blobs.has(own.digest)) known.put(wheel.key, wheel);
  }
  return { wheels: wanted, others: all.length - wanted.length };
}

async function pullOne(
  store: Store,
  wheel: BuiltWheel,
  { client, repository }: RemoteWheels,
  options: PullWheelsOptions,
): Promise<void> {
  const { digest, size, fileName } = wheel;
  const { listener } = options;
  listener({ kind: "begin", digest, what: "layer" });
  await telling(listener, digest, async () => {
    const wasHere = store.blobs.has(digest);
    const blob = client.openBlob(repository, { digest, size }, callOf(options));
    const shown = wasHere
      ? blob
      : counted(blob, (current) => listener({ kind: "progress", digest, current, total: size }));
    await store.blobs.write(shown, { digest, size });
    checkWheel(store.blobs.path(digest), fileName);
    await options.wheels.fetch([{ fileName, digest, size }]);
    listener({ kind: "end", digest, outcome: wasHere ? "exists" : "pulled", size });
  });
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  report: (current: number) => void,
): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const chunk of chunks) {
    current += chunk.length;
    report(current);
    yield chunk;
  }
}

/** The wheels of these names, `NAME` or `NAME==VERSION`; all without any. Throws `E_WHEEL_MISSING`. */
export function chooseWheels<Wheel extends Pick<BuiltWheel, "name" | "version">>(
  wheels: readonly Wheel[],
  names: readonly string[],
  where: string,
): readonly Wheel[] {
  if (names.length === 0) return wheels;
  const chosen = names.map((text) => {
    const [name = "", version] = text.split("==");
    const isIt = (wheel: Wheel): boolean =>
      wheel.name === normalizeName(name) && (version === undefined || wheel.version === version);
    const found = wheels.filter(isIt);
    if (found.length > 0) return found;
    throw new TareError("E_WHEEL_MISSING", `looking for wheels of \`${text}\`: ${where} has none`, {
      hint: "`tare wheels ls` lists what is here",
    });
  });
  return [...new Set(chosen.flat())];
}
