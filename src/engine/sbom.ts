// SPDX-License-Identifier: Apache-2.0
import { imageDetails } from "../images/index.ts";
import type { ImageDetails } from "../images/index.ts";
import { familiarName, formatPlatform, imageIdPrefix, normalizeReference } from "../oci/index.ts";
import type { Reference } from "../oci/index.ts";
import { sbomDocument, takeInventory } from "../trust/index.ts";
import type { ImageSubject } from "../trust/index.ts";
import { requireImageTrees } from "./deferred.ts";
import type { SbomRequest } from "./facade-trust.ts";
import { fullName, platformOf, requireImage } from "./image-lookup.ts";
import type { Rooms } from "./rooms.ts";

/** `sbom`. */
export async function sbomOfImage(rooms: Rooms, request: SbomRequest): Promise<Readonly<Record<string, unknown>>> {
  const { image, platform, format, version, signal } = request;
  const store = rooms.reader();
  const record = requireImage(store, image, "listing the content of");
  await requireImageTrees(rooms, record, request);
  const details = imageDetails(store, record, platform === undefined ? undefined : platformOf(platform));
  const inventory = takeInventory(store, details, signal);
  const subject = subjectOf(details, nameOf(image, record.names));
  return sbomDocument(format, { subject, inventory, tool: { name: "tare", version } });
}

/** The name that was asked for; for an id the image's first. */
function nameOf(text: string, names: readonly string[]): Reference | undefined {
  const [first] = names;
  const asked = imageIdPrefix(text) === undefined || first === undefined ? fullName(text) : first;
  const name = names.includes(asked) ? asked : first;
  return name === undefined ? undefined : normalizeReference(name);
}

/** What documents about an image call it. `digest`: of its manifest at a registry. */
export function subjectOf(details: ImageDetails, name: Reference | undefined, digest?: string): ImageSubject {
  return {
    name: name ? familiarName(name) : details.id.slice("sha256:".length).slice(0, 12),
    ...(name?.tag === undefined ? {} : { tag: name.tag }),
    digest: digest ?? details.manifestDigest,
    id: details.id,
    platform: formatPlatform(details.config),
    created: details.config.created ?? "",
  };
}
