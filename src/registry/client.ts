// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../base/index.ts";
import type { Descriptor } from "../oci/index.ts";
import { fetchBlob } from "./fetch-blob.ts";
import { getManifest, headBlob, headManifest } from "./get-manifest.ts";
import { listTags } from "./list-tags.ts";
import { MirroredReader } from "./mirrored.ts";
import { putManifest } from "./put-manifest.ts";
import { listReferrers, putReferrer } from "./referrers.ts";
import { RestOfBlob } from "./rest-of-blob.ts";
import { RegistrySession } from "./session.ts";
import type {
  BlobReceipt,
  BlobTarget,
  BlobUpload,
  ManifestBytes,
  ManifestFacts,
  RegistryCall,
  RegistryOptions,
  RemoteManifest,
} from "./types.ts";
import { uploadBlob } from "./upload.ts";

/** A question of a push asks for the push's token, so that one token serves all. */
type ForPush = RegistryCall & { readonly forPush?: boolean };

/**
 * A registry by the OCI distribution specification 1.1. One for each host; safe to use from several callers at once.
 * Every call may throw `E_REGISTRY_AUTH`, `E_REGISTRY_DENIED`, `E_REGISTRY_NOTFOUND`, `E_REGISTRY` and `E_ABORTED`; no
 * message holds a credential.
 */
export class RegistryClient {
  /** As users write it: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  readonly #session: RegistrySession;
  readonly #reader: MirroredReader;

  constructor(domain: string, options: RegistryOptions) {
    this.domain = domain;
    this.#session = new RegistrySession(domain, options);
    this.#reader = new MirroredReader(domain, options, this.#session);
  }

  /** Requests sent so far. */
  get requests(): number {
    return this.#session.requests;
  }

  /** Finds the registry; the first other call does it too. */
  async connect(call: RegistryCall = {}): Promise<void> {
    await this.#session.connect(call.signal);
  }

  /** Asks the registry whether it knows the user; for `login`. Throws `E_REGISTRY_AUTH` when it does not. */
  async checkLogin(call: RegistryCall = {}): Promise<void> {
    const doing = `logging in to \`${this.domain}\``;
    (await this.#session.request({ target: "/v2/", doing, expect: [200], ...call })).discard();
  }

  /** What a tag or digest names, without fetching it; undefined when there is no such manifest. */
  async headManifest(repository: string, tag: string, call: ForPush = {}): Promise<ManifestFacts | undefined> {
    const { forPush = false, ...rest } = call;
    const question = { repository, tag, actions: "pull,push" } as const;
    if (forPush) return headManifest(this.#reader.own(repository), question, rest);
    return this.#reader.read({ repository, tag }, (at) =>
      headManifest(at.session, { repository: at.repository, tag, actions: "pull" }, rest),
    );
  }

  /** A manifest or index by tag or digest; its digest was checked. Throws `E_DIGEST_MISMATCH`, `E_MANIFEST`. */
  async getManifest(repository: string, tag: string, call: ForPush = {}): Promise<RemoteManifest> {
    const { forPush = false, ...rest } = call;
    const question = { repository, tag, actions: "pull,push" } as const;
    if (forPush) return getManifest(this.#reader.own(repository), question, rest);
    return this.#reader.read({ repository, tag }, (at) =>
      getManifest(at.session, { repository: at.repository, tag, actions: "pull" }, rest),
    );
  }

  /** Writes a manifest or index under a tag or its digest. The blobs it names must be there. */
  async putManifest(
    repository: string,
    tag: string,
    manifest: ManifestBytes,
    call: RegistryCall = {},
  ): Promise<Digest> {
    return (await putManifest(this.#reader.own(repository), { repository, tag }, manifest, call)).digest;
  }

  /**
   * The manifests whose `subject` is this one: signatures, attestations, bills of materials. By the referrers API, and
   * where the registry has none by the tag `sha256-…` that stands for it. With `artifactType` only those of that type.
   */
  referrers(
    repository: string,
    subject: Digest,
    call: RegistryCall & { readonly artifactType?: string } = {},
  ): Promise<readonly Descriptor[]> {
    return this.#reader.origin(repository, (at) => listReferrers(at.session, at.repository, subject, call));
  }

  /**
   * Writes a manifest or index that has a `subject` by its digest, so that `referrers` of the subject list it: also
   * where the registry has no such API. Its blobs must be there; the subject need not be. Gives its descriptor. Throws
   * `E_MANIFEST` when it has no subject.
   */
  putReferrer(repository: string, manifest: ManifestBytes, call: RegistryCall = {}): Promise<Descriptor> {
    return putReferrer(this.#reader.own(repository), repository, manifest, call);
  }

  /** The size of a blob that a repository has; undefined when it lacks it. */
  async headBlob(
    repository: string,
    digest: Digest,
    call: ForPush = {},
  ): Promise<{ readonly size: number | undefined } | undefined> {
    const { forPush = false, ...rest } = call;
    if (forPush) {
      const question = { repository, digest, actions: "pull,push" } as const;
      return headBlob(this.#reader.own(repository), question, rest);
    }
    return this.#reader.read({ repository, tag: digest }, (at) =>
      headBlob(at.session, { repository: at.repository, digest, actions: "pull" }, rest),
    );
  }

  /**
   * The bytes of a blob, from the first on; a broken transfer goes on where it broke. Nothing is asked before the first
   * byte is read. Digest and size are checked by who stores it.
   */
  openBlob(
    repository: string,
    blob: { readonly digest: Digest; readonly size: number },
    call: RegistryCall = {},
  ): AsyncGenerator<Uint8Array> {
    return this.#reader.open(repository, blob, call);
  }

  /**
   * Fetches what a target lacks of a blob, large ones over several connections where the registry has ranges. Digest
   * and size are checked by who stores it. Throws also what its `write` throws.
   */
  async fetchBlob(repository: string, target: BlobTarget, call: RegistryCall = {}): Promise<void> {
    const rest = new RestOfBlob(target);
    await this.#reader.read({ repository, tag: target.digest }, async (at) => {
      await fetchBlob(at.session, at.repository, rest.target(), call);
      return true;
    });
  }

  /**
   * Tells that the bytes of a blob were wrong. True when they came from a mirror, which is not asked again for this
   * repository: fetching the blob once more may have more luck.
   */
  distrust(repository: string, digest: Digest): boolean {
    return this.#reader.distrust(repository, digest);
  }

  /** Brings a blob into a repository, by mounting it where that is possible. Not asked before: `headBlob` does that. */
  pushBlob(repository: string, upload: BlobUpload, call: RegistryCall = {}): Promise<BlobReceipt> {
    return uploadBlob(this.#reader.own(repository), repository, upload, call);
  }

  /** All tags of a repository, in the registry's order; a mirror is not asked, since it need not have all. */
  tags(repository: string, call: RegistryCall = {}): Promise<readonly string[]> {
    return this.#reader.origin(repository, (at) => listTags(at.session, at.repository, call));
  }
}
