// SPDX-License-Identifier: Apache-2.0
import { TareError, digestOf, isDigest } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";
import { DOCUMENT_LIMIT, MEDIA_TYPES, parseJson } from "../oci/index.ts";
import type { Descriptor } from "../oci/index.ts";
import type { Scope } from "./authenticator.ts";
import { numberHeader } from "./body.ts";
import { downloadBlob } from "./download.ts";
import { nextPage } from "./endpoint.ts";
import { fetchBlob } from "./fetch-blob.ts";
import { putManifest } from "./put-manifest.ts";
import { listReferrers, putReferrer } from "./referrers.ts";
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

const ACCEPT = [
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.dockerIndex,
  MEDIA_TYPES.dockerManifest,
].join(", ");
const MOST_TAGS = 1_000_000;

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

  constructor(domain: string, options: RegistryOptions) {
    this.domain = domain;
    this.#session = new RegistrySession(domain, options);
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
    const response = await this.#session.request({
      ...this.#manifest(repository, tag, "looking up"),
      ...(forPush ? { scope: { repository, actions: "pull,push" } } : {}),
      method: "HEAD",
      expect: [200, 404],
      ...rest,
    });
    response.discard();
    if (response.status === 404) return undefined;
    const digest = response.headers["docker-content-digest"];
    return {
      digest: digest !== undefined && isDigest(digest) ? digest : undefined,
      mediaType: mediaTypeOf(response),
      size: numberHeader(response, "content-length"),
    };
  }

  /** A manifest or index by tag or digest; its digest was checked. Throws `E_DIGEST_MISMATCH`, `E_MANIFEST`. */
  async getManifest(repository: string, tag: string, call: ForPush = {}): Promise<RemoteManifest> {
    const { forPush = false, ...rest } = call;
    const asked = this.#manifest(repository, tag, "pulling");
    const scope = forPush ? { scope: { repository, actions: "pull,push" } as const } : {};
    const { response, bytes } = await this.#session.read(
      { ...asked, ...scope, expect: [200], ...rest },
      DOCUMENT_LIMIT,
    );
    const digest = digestOf(bytes);
    const announced = isDigest(tag) ? tag : response.headers["docker-content-digest"];
    if (announced !== undefined && isDigest(announced) && announced !== digest) {
      throw new TareError("E_DIGEST_MISMATCH", `${asked.doing}: the manifest that came has the digest \`${digest}\``, {
        hint: "the registry or something on the way to it changes content",
        details: { expected: announced, actual: digest },
      });
    }
    return { digest, bytes, mediaType: documentType(bytes, response) };
  }

  /** Writes a manifest or index under a tag or its digest. The blobs it names must be there. */
  async putManifest(
    repository: string,
    tag: string,
    manifest: ManifestBytes,
    call: RegistryCall = {},
  ): Promise<Digest> {
    return (await putManifest(this.#session, { repository, tag }, manifest, call)).digest;
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
    return listReferrers(this.#session, repository, subject, call);
  }

  /**
   * Writes a manifest or index that has a `subject` by its digest, so that `referrers` of the subject list it: also
   * where the registry has no such API. Its blobs must be there; the subject need not be. Gives its descriptor. Throws
   * `E_MANIFEST` when it has no subject.
   */
  putReferrer(repository: string, manifest: ManifestBytes, call: RegistryCall = {}): Promise<Descriptor> {
    return putReferrer(this.#session, repository, manifest, call);
  }

  /** The size of a blob that a repository has; undefined when it lacks it. */
  async headBlob(
    repository: string,
    digest: Digest,
    call: ForPush = {},
  ): Promise<{ readonly size: number | undefined } | undefined> {
    const { forPush = false, ...rest } = call;
    const response = await this.#session.request({
      method: "HEAD",
      target: `/v2/${repository}/blobs/${digest}`,
      scope: { repository, actions: forPush ? "pull,push" : "pull" },
      doing: `looking up \`${digest}\` in \`${this.domain}/${repository}\``,
      expect: [200, 404],
      ...rest,
    });
    response.discard();
    return response.status === 404 ? undefined : { size: numberHeader(response, "content-length") };
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
    return downloadBlob(this.#session, repository, blob, call);
  }

  /**
   * Fetches what a target lacks of a blob, large ones over several connections where the registry has ranges. Digest
   * and size are checked by who stores it. Throws also what its `write` throws.
   */
  fetchBlob(repository: string, target: BlobTarget, call: RegistryCall = {}): Promise<void> {
    return fetchBlob(this.#session, repository, target, call);
  }

  /** Brings a blob into a repository, by mounting it where that is possible. Not asked before: `headBlob` does that. */
  pushBlob(repository: string, upload: BlobUpload, call: RegistryCall = {}): Promise<BlobReceipt> {
    return uploadBlob(this.#session, repository, upload, call);
  }

  /** All tags of a repository, in the registry's order. */
  async tags(repository: string, call: RegistryCall = {}): Promise<readonly string[]> {
    const tags: string[] = [];
    const seen = new Set<string>();
    let target: string | undefined = `/v2/${repository}/tags/list?n=1000`;
    while (target !== undefined && !seen.has(target) && tags.length < MOST_TAGS) {
      seen.add(target);
      const doing = `listing the tags of \`${this.domain}/${repository}\``;
      const scope: Scope = { repository, actions: "pull" };
      const page = await this.#session.read({ target, scope, doing, expect: [200], ...call }, DOCUMENT_LIMIT);
      const { response, bytes }: typeof page = page;
      tags.push(...tagsIn(parseJson(bytes.toString("utf8"), "list of tags")));
      target = nextPage(response);
    }
    return tags;
  }

  #manifest(
    repository: string,
    tag: string,
    verb: string,
  ): Pick<Parameters<RegistrySession["request"]>[0], "target" | "headers" | "scope" | "doing"> {
    return {
      target: `/v2/${repository}/manifests/${tag}`,
      headers: { accept: ACCEPT },
      scope: { repository, actions: "pull" },
      doing: `${verb} \`${this.domain}/${repository}${isDigest(tag) ? "@" : ":"}${tag}\``,
    };
  }
}

function mediaTypeOf(response: HttpResponse): string | undefined {
  const type = response.headers["content-type"]?.split(";", 1)[0]?.trim();
  return type === "" ? undefined : type;
}

/** The document's own word, which its digest covers, before the header's. */
function documentType(bytes: Buffer, response: HttpResponse): string {
  const value = parseJson(bytes.toString("utf8"), "manifest");
  const own = typeof value === "object" && value !== null && "mediaType" in value ? value.mediaType : undefined;
  if (typeof own === "string") return own;
  const header = mediaTypeOf(response);
  if (header?.startsWith("application/vnd.")) return header;
  const isIndex = typeof value === "object" && value !== null && "manifests" in value;
  return isIndex ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest;
}

/** What is no tag by the specification can be asked for by nobody. */
const TAG = /^\w[\w.-]{0,127}$/;

function tagsIn(value: unknown): readonly string[] {
  const tags = typeof value === "object" && value !== null && "tags" in value ? value.tags : undefined;
  return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === "string" && TAG.test(tag)) : [];
}
