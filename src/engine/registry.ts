// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError } from "../base/index.ts";
import type { RemoteBase } from "../build/index.ts";
import type { AbsentBlobs, PullOptions, PushOptions, PushedImage } from "../images/index.ts";
import { formatReference, hostPlatform, normalizeReference, referenceName, withDefaultTag } from "../oci/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type {
  LoginRequest,
  LoginResult,
  PullRequest,
  PulledTag,
  PushRequest,
  PushedTag,
  RegistryApi,
} from "./facade-registry.ts";
import type { LongCall } from "./facade.ts";
import { admitted } from "./admission.ts";
import { imageTags } from "./all-tags.ts";
import { recordTransfer } from "./image-events.ts";
import { withForm } from "./layer-form.ts";
import { lookUpImage, platformOf, requireImage, shortName } from "./image-lookup.ts";
import { configPlace, openRegistry, remoteName } from "./registry-connection.ts";
import type { RemoteName } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";
import { withTransfer } from "./transfer-events.ts";

const HUB = "docker.io";

/** The registries as an engine sees them. */
export function registryApi(rooms: Rooms): RegistryApi {
  return {
    push: (request) => push(rooms, request),
    pull: (request) => pull(rooms, request),
    copy: async (request) => (await import("./copy.ts")).copy(rooms, request),
    search: async (request) => (await import("./search.ts")).search(rooms, request),
    manifest: async (request) => (await import("./manifests.ts")).inspectManifest(rooms, request),
    login: (request) => login(rooms, request),
    logout: async (host) => {
      const { removeLogin } = await import("../registry/index.ts");
      return removeLogin(hostOf(host), configPlace(rooms.settings));
    },
  };
}

/** `push`, of one name or of all tags of a repository. */
export async function push(rooms: Rooms, request: PushRequest): Promise<readonly PushedTag[]> {
  const store = rooms.writer();
  const items = itemsToPush(store, request);
  const client = await openRegistry(rooms.settings, remoteName(request.name).domain);
  const pushed: PushedTag[] = [];
  for (const item of items) {
    const { tag, image } = await pushRecord(rooms, { ...item, ...request, name: item.name, client });
    pushed.push(tag);
    recordTransfer(rooms, "push", tag.name);
    if (!isUsualForm(request.compression) || image.layers.every(({ wasThere }) => wasThere)) continue;
    const { shareWheels } = await import("./wheel-sharing.ts");
    const target = { client, repository: remoteName(item.name).repository };
    await shareWheels(rooms, target, { layers: image.layers, ...longCall(request) });
  }
  return pushed;
}

function longCall({ listener, signal }: LongCall): LongCall {
  return { ...(listener === undefined ? {} : { listener }), ...(signal === undefined ? {} : { signal }) };
}

interface PushItem {
  readonly name: string;
  readonly record: ImageRecord;
}

function itemsToPush(store: Store, { name, all }: PushRequest): readonly PushItem[] {
  const reference = normalizeReference(name);
  if (reference.digest !== undefined) {
    throw new TareError("E_REF", `pushing \`${name}\`: a digest can't be pushed to`, { hint: "give a tag instead" });
  }
  if (!all) {
    const full = formatReference(withDefaultTag(reference));
    return [{ name: full, record: requireImage(store, full, "pushing") }];
  }
  if (reference.tag !== undefined) {
    throw new TareError("E_USAGE", `pushing all tags of \`${name}\`: the name has a tag`, {
      hint: "leave out the tag",
    });
  }
  const repository = referenceName(reference);
  const items = store.images.list().flatMap((record) => record.names.map((each) => ({ name: each, record })));
  const found = items.filter((item) => referenceName(normalizeReference(item.name)) === repository);
  if (found.length > 0) return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  throw new TareError("E_IMAGE_NOTFOUND", `pushing all tags of \`${name}\`: the local store has none`);
}

/** Layers of wheels are known to the next machine in the one form that all machines make without being asked. */
export function isUsualForm(compression: string | undefined): boolean {
  return compression === undefined || compression === "gzip";
}

/** An image on its way to one name. */
export interface RecordPush extends LongCall, Pick<PushRequest, "platforms" | "compression" | "attestations"> {
  /** In full, or as a user writes it. */
  readonly name: string;
  readonly record: Pick<ImageRecord, "target" | "mediaType" | "id">;
  readonly client: RegistryClient;
  readonly absent?: AbsentBlobs;
}

/** Pushes an image of the store, or one that `absent` completes. */
export async function pushRecord(
  rooms: Rooms,
  { name, record, client, absent, ...request }: RecordPush,
): Promise<{ readonly tag: PushedTag; readonly image: PushedImage }> {
  const { parseLayerForm, pushImage, wheelLayersOf } = await import("../images/index.ts");
  const { repository, tag, full } = remoteName(name);
  const form = request.compression === undefined ? undefined : parseLayerForm(request.compression);
  const isConverted = form === "estargz" || form === "gzip:single";
  const options: PushOptions = {
    ...(absent === undefined ? {} : { absent }),
    wheels: wheelLayersOf(rooms.writer(), () => rooms.wheels()),
    platforms: request.platforms.map(platformOf),
    ...(form === undefined || isConverted ? {} : { compression: form }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  };
  const short = shortName(full);
  const { attestations } = request;
  if (attestations)
    await (await import("./attestations.ts")).checkAttestations(rooms, { name: short, record, attestations });
  const image = await withForm(
    rooms,
    request,
    { record, form: isConverted ? form : undefined, name: short },
    (converted) =>
      withTransfer(request, `push ${short}`, (listener) =>
        pushImage(rooms.writer(), converted, { client, repository, tag }, { ...options, listener }),
      ),
  );
  const { digest, mediaType, size, wasThere } = image;
  const pushed = { name: short, tag, digest, mediaType, size, existed: wasThere };
  if (attestations === undefined) return { tag: pushed, image };
  const { attachDocuments } = await import("./attestations.ts");
  const about = { target: { client, repository }, pushed: image, record, name: full, attestations };
  return { tag: { ...pushed, attached: await attachDocuments(rooms, { ...about, ...longCall(request) }) }, image };
}

/** `pull`, of one name or of all tags of a repository. */
export async function pull(rooms: Rooms, request: PullRequest): Promise<readonly PulledTag[]> {
  const wanted = remoteName(request.name);
  const client = await openRegistry(rooms.settings, wanted.domain, request);
  const names = request.all ? await imageTags(client, request) : [wanted];
  const pulled: PulledTag[] = [];
  for (const name of names) {
    const { record, wasThere } = await pullOne(rooms, client, { ...request, name });
    const shown = name.isPinned ? request.name : shortName(name.full);
    pulled.push({ name: shown, id: record.id, digest: record.target, existed: wasThere });
    recordTransfer(rooms, "pull", shown);
  }
  return pulled;
}

type PullOne = Omit<PullRequest, "name" | "all"> & { readonly name: RemoteName };

async function pullOne(
  rooms: Rooms,
  client: RegistryClient,
  { name, platform, signal, ...call }: PullOne,
): Promise<{ readonly record: ImageRecord; readonly wasThere: boolean }> {
  const { pullImage } = await import("../images/index.ts");
  const { repository, full, isPinned } = name;
  const wanted = platform === undefined ? hostPlatform(process.arch) : platformOf(platform);
  const tag = await admitted(rooms, { client, name, platforms: [wanted], ...(signal === undefined ? {} : { signal }) });
  const options: PullOptions = {
    platform: wanted,
    isPlatformExplicit: platform !== undefined,
    names: isPinned ? [] : [full],
    ...(signal === undefined ? {} : { signal }),
  };
  return withTransfer(call, `pull ${shortName(full)}`, (listener) =>
    pullImage(rooms.writer(), { client, repository, tag }, { ...options, listener }),
  );
}

/** When an image is fetched that a run or a build needs. */
export type PullPolicy = "always" | "missing" | "never";

/**
 * The image of that name: from the store, or pulled where the policy lets it. Throws `E_IMAGE_NOTFOUND`, also when no
 * registry can be reached or has it, with the store's near names in the hint; `always` throws the registry's error.
 */
export async function imageOrPull(
  rooms: Rooms,
  text: string,
  call: LongCall & { readonly policy: PullPolicy; readonly platform?: string; readonly doing: string },
): Promise<ImageRecord> {
  const { policy, doing, ...rest } = call;
  const store = rooms.writer();
  const known = policy === "always" ? undefined : lookUpImage(store, text);
  if (known) return known;
  if (policy === "never") return requireImage(store, text, doing);
  return pullNeeded(rooms, text, { ...rest, doing, isForced: policy === "always" });
}

/**
 * Pulls what a run or a build needs. Throws `E_IMAGE_NOTFOUND` when no registry can be reached or has it, and with
 * `isForced` the registry's error.
 */
export async function pullNeeded(
  rooms: Rooms,
  text: string,
  call: LongCall & { readonly isForced: boolean; readonly platform?: string; readonly doing: string },
): Promise<ImageRecord> {
  const { isForced, doing, ...rest } = call;
  return orNotFound(rooms, text, { isForced, doing }, async () => {
    const name = remoteName(text);
    const client = await openRegistry(rooms.settings, name.domain, rest);
    return (await pullOne(rooms, client, { ...rest, name })).record;
  });
}

/** Looks at an image that a build needs, without its layers. Throws as `pullNeeded`. */
export async function peekNeeded(
  rooms: Rooms,
  text: string,
  call: LongCall & { readonly isForced: boolean; readonly platform: string; readonly doing: string },
): Promise<Omit<RemoteBase, "pull">> {
  return orNotFound(rooms, text, call, async () => {
    const name = remoteName(text);
    const { repository } = name;
    const client = await openRegistry(rooms.settings, name.domain, call);
    const signal = call.signal === undefined ? {} : { signal: call.signal };
    const tag = await admitted(rooms, { client, name, platforms: [platformOf(call.platform)], ...signal });
    const { peekImage } = await import("../images/index.ts");
    const { layers, ...image } = await peekImage(
      rooms.writer(),
      { client, repository, tag },
      {
        platform: platformOf(call.platform),
        isPlatformExplicit: true,
        ...signal,
      },
    );
    const open: RemoteBase["open"] = (blob, own) =>
      client.openBlob(repository, blob, own === undefined ? {} : { signal: own });
    return { image: { name: text, ...image }, layers, open };
  });
}

async function orNotFound<T>(
  rooms: Rooms,
  text: string,
  { isForced, doing }: { readonly isForced: boolean; readonly doing: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isForced || !isTareError(error) || !isAbsent(error)) throw error;
    throw notFound(rooms.writer(), text, { doing, error });
  }
}

/** Nobody has it, as far as can be known. Docker Hub says "denied" for what does not exist. */
function isAbsent(error: TareError): boolean {
  return (
    error.code.startsWith("E_REGISTRY") &&
    error.code !== "E_REGISTRY_CONFIG" &&
    (error.code !== "E_REGISTRY" || error.details["unreachable"] === true)
  );
}

/** The store's own error, with what the registry said. */
function notFound(
  store: Store,
  text: string,
  { doing, error }: { readonly doing: string; readonly error: TareError },
): TareError {
  try {
    requireImage(store, text, doing);
  } catch (own) {
    if (!isTareError(own, "E_IMAGE_NOTFOUND")) throw own;
    const hint = own.hint?.startsWith("did you mean") ? own.hint : (error.hint ?? own.hint);
    return new TareError("E_IMAGE_NOTFOUND", `${own.message}; ${error.message}`, {
      cause: error,
      details: own.details,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return error;
}

/** `login`. */
async function login(rooms: Rooms, request: LoginRequest): Promise<LoginResult> {
  const { settings } = rooms;
  const host = hostOf(request.host);
  const place = configPlace(settings);
  const { findCredentials, storeLogin } = await import("../registry/index.ts");
  if (!request.login && !(await findCredentials(host, "", place))) {
    throw new TareError("E_REGISTRY_AUTH", `logging in to \`${host}\`: there is no login for it`, {
      hint: "give `--username` and `--password-stdin`",
    });
  }
  const client = await openRegistry(
    settings,
    host,
    request.login ? { credentials: { kind: "password", ...request.login } } : {},
  );
  await client.checkLogin(request.signal === undefined ? {} : { signal: request.signal });
  if (!request.login) return { host };
  const written = await storeLogin(host, request.login, place);
  return { host, ...(written.kind === "file" ? { path: written.path } : { helper: written.name }) };
}

/** A host as users write it: also as Docker's old URLs. */
function hostOf(text: string | undefined): string {
  const host = (text ?? "").replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return host === "" || host === "index.docker.io" || host === "registry-1.docker.io" ? HUB : host;
}
