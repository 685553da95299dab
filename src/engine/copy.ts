// SPDX-License-Identifier: Apache-2.0
/*
 * `copy`: from any place to any other, streamed from one to the other. Two pairs have better ways of their own: a push
 * compresses layers made here, and a pull fetches in ranges and goes on where it was.
 */
import { Once, TareError, isTareError } from "../base/index.ts";
import type { CopiedImage, PlatformChoice } from "../images/index.ts";
import { formatReference, hostPlatform, normalizeReference } from "../oci/index.ts";
import type { Platform } from "../oci/index.ts";
import { parseImagePlace } from "../options/index.ts";
import type { ImagePlace } from "../options/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import { admitted } from "./admission.ts";
import { withSource, withTarget } from "./copy-places.ts";
import type { CopyPlaces } from "./copy-places.ts";
import type { CopyRequest, CopyResult } from "./facade-copy.ts";
import { fullName, lookUpImage, platformOf, requireImage } from "./image-lookup.ts";
import { pushRecord } from "./registry.ts";
import { openRegistry, remoteName } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";
import { withTransfer } from "./transfer-events.ts";

interface Ends {
  readonly from: ImagePlace;
  readonly to: ImagePlace;
}

/** Copies an image. Throws `E_USAGE`, `E_UNSUPPORTED` for what the target can't hold, and what the places throw. */
export async function copy(rooms: Rooms, request: CopyRequest): Promise<CopyResult> {
  const ends = { from: parseImagePlace(request.source), to: parseImagePlace(request.target) };
  requireSense(request, ends);
  const places = placesOf(rooms, request);
  const { wasThere, ...image } = await withHint(rooms, ends.from, () => copyBetween(places, request, ends));
  const { source, target } = request;
  return { source, target, ...image, existed: wasThere };
}

function requireSense({ target, allPlatforms, platforms, referrers }: CopyRequest, { from, to }: Ends): void {
  if (from.kind === "store" && to.kind === "store") {
    throw new TareError("E_USAGE", "copying inside the store: nothing has to be copied", { hint: "use `tare tag`" });
  }
  if (allPlatforms && platforms.length > 0) {
    throw new TareError("E_USAGE", "--all-platforms and --platform can't be used together");
  }
  if (referrers && (from.kind === "store" || from.kind === "docker-archive" || from.kind === "docker-daemon")) {
    throw new TareError("E_UNSUPPORTED", "copying with --referrers: only registries and OCI layouts keep referrers", {
      hint: "copy from the registry that has them",
    });
  }
  if (to.kind === "registry" && normalizeReference(to.name).digest !== undefined) {
    throw new TareError("E_REF", `copying to \`${target}\`: a digest can't be written to`, {
      hint: "give a tag instead",
    });
  }
}

function placesOf(rooms: Rooms, call: CopyRequest): CopyPlaces {
  const clients = new Once<RegistryClient>();
  const clientFor = (domain: string): Promise<RegistryClient> =>
    clients.run(domain, () => openRegistry(rooms.settings, domain, call));
  return { rooms, call, clientFor, platforms: wantedOf(call) };
}

/** None: all that the image is for. */
function wantedOf(request: CopyRequest): readonly Platform[] {
  const choice = choiceOf(request);
  if (choice.kind === "all") return [];
  return choice.kind === "these" ? choice.platforms : [choice.platform];
}

function copyBetween(places: CopyPlaces, request: CopyRequest, { from, to }: Ends): Promise<CopiedImage> {
  const isOne = !request.allPlatforms && request.platforms.length < 2;
  if (from.kind === "store" && to.kind === "registry") return pushFrom(places, request, { from, to });
  if (from.kind === "registry" && to.kind === "store" && isOne && !request.referrers) {
    return pullInto(places, request, { from, to });
  }
  return stream(places, request, { from, to });
}

async function stream(places: CopyPlaces, request: CopyRequest, { from, to }: Ends): Promise<CopiedImage> {
  const { copyImage, rememberOrigin } = await import("../images/index.ts");
  const { signal } = request;
  return withTransfer(request, `copy ${request.source} to ${request.target}`, (listener) =>
    withSource(places, from, async (source) => {
      const options = { platforms: choiceOf(request), referrers: request.referrers, listener };
      const copied = await withTarget(places, { place: to, names: source.names }, (target) =>
        copyImage(source, target, { ...options, ...(signal === undefined ? {} : { signal }) }),
      );
      if (to.kind === "store") rememberOrigin(places.rooms.writer(), source, copied.digest);
      return copied;
    }),
  );
}

function choiceOf({ allPlatforms, platforms }: CopyRequest): PlatformChoice {
  if (allPlatforms) return { kind: "all" };
  if (platforms.length > 0) return { kind: "these", platforms: platforms.map(platformOf) };
  return { kind: "host", platform: hostPlatform(process.arch) };
}

type Between<From, To> = {
  readonly from: Extract<ImagePlace, { kind: From }>;
  readonly to: Extract<ImagePlace, { kind: To }>;
};

async function pushFrom(
  { rooms, clientFor }: CopyPlaces,
  request: CopyRequest,
  { from, to }: Between<"store", "registry">,
): Promise<CopiedImage> {
  const record = requireImage(rooms.writer(), from.name, "copying the image");
  const { domain } = remoteName(to.name);
  const name = formatReference({ ...normalizeReference(to.name), tag: remoteName(to.name).tag });
  const { platforms, listener, signal } = request;
  const { image } = await pushRecord(rooms, {
    name,
    record,
    platforms,
    client: await clientFor(domain),
    ...(listener === undefined ? {} : { listener }),
    ...(signal === undefined ? {} : { signal }),
  });
  const copied = image.layers.filter(({ wasThere }) => !wasThere);
  const { digest, mediaType, size, wasThere } = image;
  return {
    digest,
    mediaType,
    size,
    wasThere,
    blobs: { copied: copied.length, mounted: 0, existing: image.layers.length - copied.length },
    bytes: copied.reduce((sum, { blob }) => sum + blob.size, 0),
    referrers: 0,
  };
}

async function pullInto(
  { rooms, clientFor }: CopyPlaces,
  request: CopyRequest,
  { from, to }: Between<"registry", "store">,
): Promise<CopiedImage> {
  const { pullImage } = await import("../images/index.ts");
  const name = remoteName(from.name);
  const { domain, repository } = name;
  const client = await clientFor(domain);
  const [platform] = request.platforms;
  const { signal } = request;
  const tag = await admitted(rooms, {
    client,
    name,
    platforms: wantedOf(request),
    ...(signal === undefined ? {} : { signal }),
  });
  const tally = { copied: 0, existing: 0, bytes: 0 };
  const options = {
    platform: platform === undefined ? hostPlatform(process.arch) : platformOf(platform),
    isPlatformExplicit: platform !== undefined,
    names: [fullName(to.name)],
    ...(signal === undefined ? {} : { signal }),
  };
  const { record, wasThere } = await withTransfer(request, `copy ${request.source} to ${request.target}`, (listener) =>
    pullImage(
      rooms.writer(),
      { client, repository, tag },
      {
        ...options,
        listener: (event) => {
          listener(event);
          if (event.kind !== "end") return;
          const isNew = event.outcome === "pulled";
          tally[isNew ? "copied" : "existing"] += 1;
          tally.bytes += isNew ? event.size : 0;
        },
      },
    ),
  );
  const { copied, existing, bytes } = tally;
  const size = rooms.writer().blobs.stat(record.target)?.size ?? 0;
  return {
    digest: record.target,
    mediaType: record.mediaType,
    size,
    wasThere,
    blobs: { copied, mounted: 0, existing },
    bytes,
    referrers: 0,
  };
}

/** A name alone is a registry's; who means the store is told how to say so. */
async function withHint<T>(rooms: Rooms, from: ImagePlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isRegistry = isTareError(error) && error.code.startsWith("E_REGISTRY");
    if (!isRegistry || from.kind !== "registry" || !lookUpImage(rooms.reader(), from.name)) throw error;
    throw new TareError(error.code, error.message, {
      hint: `the store has an image of that name: write \`store:${from.name}\` to copy that one`,
      cause: error,
      details: error.details,
    });
  }
}
