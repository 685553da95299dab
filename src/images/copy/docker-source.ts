// SPDX-License-Identifier: Apache-2.0
/*
 * An image of a docker archive (`docker save`, podman, skopeo), or of a running engine, which gives one. Newer ones hold
 * an OCI layout too, whose manifest is taken; else one is made of manifest.json.
 */
import { TareError, digestOf } from "../../base/index.ts";
import {
  MEDIA_TYPES,
  isIndex,
  parseImageConfig,
  parseIndex,
  parseManifest,
  serializeManifest,
} from "../../oci/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import type { ArchiveSource } from "../archive-source.ts";
import { malformed } from "../archive-source.ts";
import { REF_ANNOTATION, fullName, shortName } from "../image-names.ts";
import { archivedLayer, readDockerManifest } from "../load-docker.ts";
import type { DockerEntry } from "../load-docker.ts";
import { blobPath } from "../save.ts";
import { layoutImage, madeDocument, notChosen } from "./layout-source.ts";
import type { ImageSource } from "./types.ts";

/** The image that `wanted` names, or the only one. Throws `E_ARCHIVE`, `E_MANIFEST`, `E_IMAGE_NOTFOUND`. */
export async function dockerSource(
  source: ArchiveSource,
  label: string,
  wanted: string | undefined,
): Promise<ImageSource> {
  if (!source.has("manifest.json")) {
    const hint = source.has("index.json") ? { hint: "write `oci-archive:` instead" } : {};
    throw new TareError("E_ARCHIVE", `copying ${label}: it is no docker archive`, hint);
  }
  const entry = findEntry(readDockerManifest(source), { label, wanted });
  const names = entry.names.map(fullName);
  const inLayout = source.has("index.json") ? findManifest(source, entry) : undefined;
  const image = inLayout
    ? layoutImage(source, { label, entries: [], top: inLayout })
    : await madeImage(source, entry, label);
  return { ...image, names, isMade: true };
}

function findEntry(
  entries: readonly DockerEntry[],
  { label, wanted }: { readonly label: string; readonly wanted: string | undefined },
): DockerEntry {
  const full = wanted === undefined ? undefined : fullName(wanted);
  const fitting =
    full === undefined ? entries : entries.filter(({ names }) => names.some((name) => fullName(name) === full));
  const [only] = fitting;
  if (only && fitting.length === 1) return only;
  const known = entries.map(({ names, config }) => ({
    digest: digestOf(config),
    annotations: {
      [REF_ANNOTATION]: names[0] === undefined ? "(no name)" : shortName(fullName(names[0])),
    },
  }));
  throw notChosen(known, { label, wanted });
}

/** The manifest of the layout beside it that has the same config. */
function findManifest(source: ArchiveSource, { config }: DockerEntry): Descriptor | undefined {
  const pending = [...parseIndex(source.read("index.json")?.toString("utf8") ?? "").manifests];
  for (let at = 0; at < Math.min(pending.length, 1000); at += 1) {
    const descriptor = pending[at];
    const bytes = descriptor && source.read(blobPath(descriptor.digest));
    if (!descriptor || !bytes) continue;
    if (isIndex(descriptor.mediaType)) pending.push(...parseIndex(bytes.toString("utf8")).manifests);
    else if (blobPath(parseManifest(bytes.toString("utf8"), { allowNoLayers: true }).config.digest) === config) {
      return descriptor;
    }
  }
  return undefined;
}

async function madeImage(source: ArchiveSource, entry: DockerEntry, label: string): Promise<ImageSource> {
  const config = source.read(entry.config);
  if (!config) throw malformed(source.label, `the config \`${entry.config}\` is missing`);
  const diffIds = parseImageConfig(config.toString("utf8")).rootfs.diff_ids;
  if (diffIds.length !== entry.layers.length) {
    throw malformed(source.label, `${entry.layers.length} layers, but the config lists ${diffIds.length}`);
  }
  const files = new Map<string, string>([[digestOf(config), entry.config]]);
  const layers: Descriptor[] = [];
  for (const [index, diffId] of diffIds.entries()) {
    const name = entry.layers[index] ?? "";
    const layer = await archivedLayer(source, { name, diffId });
    files.set(layer.digest, name);
    layers.push(layer);
  }
  const manifest = madeDocument(
    serializeManifest({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
      layers,
    }),
  );
  return {
    label,
    names: [],
    isMade: true,
    target: async () => manifest,
    document: async ({ digest }) => {
      throw malformed(source.label, `it has no manifest \`${digest}\``);
    },
    open: ({ digest }) => source.open(files.get(digest) ?? blobPath(digest)),
    referrers: async () => [],
    tagged: async () => undefined,
  };
}
