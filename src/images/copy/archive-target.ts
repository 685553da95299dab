// SPDX-License-Identifier: Apache-2.0
/*
 * A tar archive to copy to, written as a stream: blobs as they come, one after the other, then the documents that name
 * them. A docker archive holds the OCI layout too, as Docker ≥ 25 writes it.
 */
import { Semaphore } from "../../base/index.ts";
import type { ByteSink, Digest } from "../../base/index.ts";
import { TarWriter } from "../../archive/index.ts";
import { MEDIA_TYPES, parseManifest, serializeIndex } from "../../oci/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import { shortName } from "../image-names.ts";
import { blobPath } from "../save.ts";
import { entriesFor } from "./layout-target.ts";
import type { LayoutName } from "./layout-target.ts";
import type { CopyBlob, CopyDocument, CopyReceipt, DocumentRole, ImageTarget } from "./types.ts";

/** What kind of archive, and what its image is called. */
export interface ArchiveForm extends LayoutName {
  readonly format: "docker" | "oci";
}

/** Copies into an archive by `work`; it is whole when that has ended. The sink is not closed. */
export async function intoArchive<T>(
  sink: ByteSink,
  form: ArchiveForm,
  work: (target: ImageTarget) => Promise<T>,
): Promise<T> {
  const target = new ArchiveTarget(sink, form);
  await target.begin();
  const result = await work(target);
  await target.finish();
  return result;
}

class ArchiveTarget implements ImageTarget {
  readonly holds: "everything" | "image";
  readonly jobs = 1;
  readonly compresses = false;
  readonly canRepeat = false;
  readonly wantsDiffIds = false;
  readonly #writer: TarWriter;
  readonly #form: ArchiveForm;
  /** One entry at a time. */
  readonly #turn = new Semaphore(1);
  readonly #written = new Set<Digest>();
  readonly #entries: Descriptor[] = [];
  #top: CopyDocument | undefined;

  constructor(sink: ByteSink, form: ArchiveForm) {
    this.#writer = new TarWriter(sink);
    this.#form = form;
    this.holds = form.format === "docker" ? "image" : "everything";
  }

  async begin(): Promise<void> {
    for (const name of ["blobs", "blobs/sha256"]) {
      await this.#writer.entry({ type: "directory", name, mode: 0o755, mtime: 0 });
    }
  }

  async has(): Promise<boolean> {
    return false;
  }

  putBlob({ descriptor, open, onProgress }: CopyBlob): Promise<CopyReceipt> {
    const { digest, size } = descriptor;
    return this.#turn.run(async () => {
      if (this.#written.has(digest)) return { outcome: "exists", digest, size };
      await this.#writer.entry(fileEntry(blobPath(digest), size));
      let done = 0;
      for await (const chunk of open()) {
        await this.#writer.write(chunk);
        onProgress((done += chunk.length));
      }
      this.#written.add(digest);
      return { outcome: "copied", digest, size };
    });
  }

  async putDocument(document: CopyDocument, role: DocumentRole): Promise<boolean> {
    const { digest, bytes } = document;
    this.#entries.push(...entriesFor(document, role, this.#form));
    if (role.kind === "top") this.#top = document;
    await this.#turn.run(async () => {
      if (!this.#written.has(digest)) await this.#file(blobPath(digest), bytes);
      this.#written.add(digest);
    });
    return true;
  }

  async finish(): Promise<void> {
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: this.#entries } as const;
    await this.#file("oci-layout", '{"imageLayoutVersion":"1.0.0"}');
    await this.#file("index.json", serializeIndex(index));
    if (this.#form.format === "docker" && this.#top) {
      await this.#file("manifest.json", dockerManifest(this.#top, this.#form.names));
    }
    await this.#writer.finish();
  }

  async #file(name: string, content: string | Buffer): Promise<void> {
    const bytes = Buffer.from(content);
    await this.#writer.entry(fileEntry(name, bytes.length));
    await this.#writer.write(bytes);
  }
}

function fileEntry(name: string, size: number): Parameters<TarWriter["entry"]>[0] {
  return { type: "file", name, mode: 0o644, mtime: 0, size };
}

function dockerManifest({ bytes }: CopyDocument, names: readonly string[]): string {
  const { config, layers } = parseManifest(bytes.toString("utf8"), { allowNoLayers: true });
  const image = {
    Config: blobPath(config.digest),
    RepoTags: names.length > 0 ? names.map(shortName) : null,
    Layers: layers.map(({ digest }) => blobPath(digest)),
  };
  return JSON.stringify([image]);
}
