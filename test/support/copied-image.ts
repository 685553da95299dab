// SPDX-License-Identifier: Apache-2.0
/* An image for two platforms with an attestation and what refers to it, at a registry in this process. */
import { gzipSync } from "node:zlib";
import { TarWriter } from "../../src/archive/index.ts";
import { digestOf } from "../../src/base/index.ts";
import type { Digest } from "../../src/base/index.ts";
import { MEDIA_TYPES } from "../../src/oci/index.ts";
import type { FakeRegistry } from "../../src/registry/fixture.ts";

/** A blob or document by what names it. */
interface Named {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** What was put. */
export interface MadeImage {
  readonly index: Named;
  readonly amd64: Named;
  readonly arm64: Named;
  readonly attestation: Named;
  /** Refers to the index, and is referred to itself. */
  readonly sbom: Named;
  readonly signature: Named;
  readonly layers: readonly Named[];
  readonly configs: readonly Named[];
}

/** A layer of one file, as a tar. */
export async function tarOf(name: string, text: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const writer = new TarWriter({ write: (chunk) => void chunks.push(Buffer.from(chunk)) });
  const bytes = Buffer.from(text);
  await writer.entry({ type: "file", name, mode: 0o644, mtime: 0, size: bytes.length });
  await writer.write(bytes);
  await writer.finish();
  return Buffer.concat(chunks);
}

/** Puts documents and blobs into one repository of a registry. */
export class Maker {
  readonly #registry: FakeRegistry;
  readonly #repository: string;

  constructor(registry: FakeRegistry, repository: string) {
    this.#registry = registry;
    this.#repository = repository;
  }

  blob(mediaType: string, bytes: Buffer): Named {
    this.#registry.addBlob(this.#repository, bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  }

  /** Under its digest, and a tag. */
  document(value: Readonly<Record<string, unknown>> & { readonly mediaType: string }, tag?: string): Named {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = digestOf(bytes);
    this.#registry.addManifest(this.#repository, tag ?? `at-${digest.slice(7, 19)}`, {
      bytes,
      mediaType: value.mediaType,
    });
    return { mediaType: value.mediaType, digest, size: bytes.length };
  }

  /** An image of one layer. */
  async image(architecture: string, tag?: string): Promise<{ manifest: Named; config: Named; layer: Named }> {
    const tar = await tarOf("hello", `${architecture}\n`.repeat(20_000));
    const config = this.blob(
      MEDIA_TYPES.ociConfig,
      Buffer.from(
        JSON.stringify({
          architecture,
          os: "linux",
          config: {},
          rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
        }),
      ),
    );
    const layer = this.blob(MEDIA_TYPES.ociLayerGzip, gzipSync(tar));
    const { ociManifest: mediaType } = MEDIA_TYPES;
    return { manifest: this.document({ ...BASE, mediaType, config, layers: [layer] }, tag), config, layer };
  }

  /** A manifest that refers to another one. */
  referrer(subject: Named, artifactType: string): Named {
    const config = this.blob("application/vnd.oci.empty.v1+json", Buffer.from("{}"));
    const layer = this.blob("text/plain", Buffer.from(artifactType));
    return this.document({
      ...BASE,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType,
      config,
      layers: [layer],
      subject,
    });
  }
}

const BASE = { schemaVersion: 2 } as const;

/** Puts the image at `repository:1`. */
export async function putImage(registry: FakeRegistry, repository: string): Promise<MadeImage> {
  const maker = new Maker(registry, repository);
  const amd64 = await maker.image("amd64");
  const arm64 = await maker.image("arm64");
  const statement = maker.blob("application/vnd.in-toto+json", Buffer.from('{"predicate":{}}'));
  const unknown = maker.blob(
    MEDIA_TYPES.ociConfig,
    Buffer.from('{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":[]}}'),
  );
  const attestation = maker.document({
    ...BASE,
    mediaType: MEDIA_TYPES.ociManifest,
    config: unknown,
    layers: [statement],
  });
  const entries = [
    { ...amd64.manifest, platform: { os: "linux", architecture: "amd64" } },
    { ...arm64.manifest, platform: { os: "linux", architecture: "arm64" } },
    {
      ...attestation,
      platform: { os: "unknown", architecture: "unknown" },
      annotations: {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": amd64.manifest.digest,
      },
    },
  ];
  const index = maker.document({ ...BASE, mediaType: MEDIA_TYPES.ociIndex, manifests: entries }, "1");
  const sbom = maker.referrer(index, "example/sbom");
  const signature = maker.referrer(sbom, "example/signature");
  return {
    index,
    amd64: amd64.manifest,
    arm64: arm64.manifest,
    attestation,
    sbom,
    signature,
    layers: [amd64.layer, arm64.layer, statement],
    configs: [amd64.config, arm64.config, unknown],
  };
}
