// SPDX-License-Identifier: Apache-2.0
/*
 * Wheels that were built from sources, as an OCI artifact (image-spec manifest.md, "Guidelines for Artifact Usage"): one
 * manifest whose layers are the wheels. ORAS and the like fetch them by their titles; the other annotations say what a
 * wheel was built from, so that a build elsewhere finds it instead of building.
 */
import { TareError, isDigest } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import { parseManifest, serializeManifest } from "../oci/index.ts";
import type { Descriptor, Manifest } from "../oci/index.ts";
import { normalizeName, parseWheelName } from "../python/index.ts";
import type { BuiltWheel } from "../python/index.ts";

/** `artifactType` of the manifest. */
const ARTIFACT_TYPE = "application/vnd.tare.wheels.v1+json";
const WHEEL_TYPE = "application/vnd.pypi.wheel";
const TITLE = "org.opencontainers.image.title";
const PREFIX = "tare.wheel.";
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** The config of an artifact that needs none (image-spec manifest.md, "Guidance for an Empty Descriptor"). */
export const EMPTY: { readonly bytes: Buffer; readonly descriptor: Descriptor } = {
  bytes: Buffer.from("{}"),
  descriptor: {
    mediaType: "application/vnd.oci.empty.v1+json",
    digest: emptyDigest("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
    size: 2,
  },
};

function emptyDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new Error("a digest");
}

/** The manifest of wheels; equal sets have equal bytes. */
export function formatWheelSet(wheels: readonly BuiltWheel[]): { readonly bytes: Buffer; readonly mediaType: string } {
  const sorted = wheels.toSorted((a, b) => (a.fileName + a.key < b.fileName + b.key ? -1 : 1));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config: EMPTY.descriptor,
    layers: sorted.map(descriptorOf),
  };
  return { bytes: Buffer.from(serializeManifest(manifest)), mediaType: MANIFEST_TYPE };
}

function descriptorOf({ fileName, digest, size, ...facts }: BuiltWheel): Descriptor {
  const { key, source, python, platform, seconds } = facts;
  const own = Object.entries({ key, source, python, platform, seconds: String(seconds) });
  const annotations = { [TITLE]: fileName, ...Object.fromEntries(own.map(([name, value]) => [PREFIX + name, value])) };
  return { mediaType: WHEEL_TYPE, digest, size, annotations };
}

/** The wheels of a manifest from outside. Throws `E_MANIFEST` when it is no set of wheels or a malformed one. */
export function parseWheelSet(text: string, from: string): readonly BuiltWheel[] {
  const manifest = parseManifest(text);
  if (manifest.artifactType !== ARTIFACT_TYPE) {
    throw malformed(from, `it is \`${manifest.artifactType ?? manifest.config.mediaType}\`, no set of wheels`);
  }
  return manifest.layers.map((layer) => wheelOf(layer, from));
}

function wheelOf({ digest, size, annotations = {} }: Descriptor, from: string): BuiltWheel {
  const text = (name: string): string => {
    const value = annotations[name];
    if (value !== undefined && value !== "" && value.length < 300 && !/\p{Cc}/u.test(value)) return value;
    throw malformed(from, `a wheel has no usable annotation \`${name}\``);
  };
  const fileName = text(TITLE);
  const key = text(`${PREFIX}key`);
  const seconds = Number(text(`${PREFIX}seconds`));
  if (!isDigest(key)) throw malformed(from, `the key of \`${fileName}\` is no digest`);
  if (!(seconds >= 0)) throw malformed(from, `the time of \`${fileName}\` is no number`);
  if (/[/\\]/.test(fileName)) throw malformed(from, `\`${fileName}\` is not the name of a wheel`);
  const { name, version } = parseWheelName(fileName);
  return {
    key,
    fileName,
    digest,
    size,
    name: normalizeName(name),
    version,
    source: text(`${PREFIX}source`),
    python: text(`${PREFIX}python`),
    platform: text(`${PREFIX}platform`),
    seconds,
  };
}

function malformed(from: string, why: string): TareError {
  return new TareError("E_MANIFEST", `reading the wheels of \`${from}\`: ${why}`, {
    hint: "name a repository that `tare wheels push` filled",
  });
}
