// SPDX-License-Identifier: Apache-2.0
import { TareError, digestOf, isDigest } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";
import { DOCUMENT_LIMIT, MEDIA_TYPES, parseJson } from "../oci/index.ts";
import type { Scope } from "./authenticator.ts";
import { numberHeader } from "./body.ts";
import type { RegistrySession, SessionRequest } from "./session.ts";
import type { ManifestFacts, RegistryCall, RemoteManifest } from "./types.ts";

const ACCEPT = [
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.dockerIndex,
  MEDIA_TYPES.dockerManifest,
].join(", ");

/** Which manifest, and with which token it is asked for. */
export interface ManifestQuestion {
  readonly repository: string;
  readonly tag: string;
  readonly actions: Scope["actions"];
}

/** What a tag or digest names; undefined when there is no such manifest. */
export async function headManifest(
  session: RegistrySession,
  question: ManifestQuestion,
  call: RegistryCall,
): Promise<ManifestFacts | undefined> {
  const response = await session.request({
    ...asked(session, question, "looking up"),
    method: "HEAD",
    expect: [200, 404],
    ...call,
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

/** A manifest or index; its digest was checked. Throws `E_DIGEST_MISMATCH`, `E_MANIFEST`. */
export async function getManifest(
  session: RegistrySession,
  question: ManifestQuestion,
  call: RegistryCall,
): Promise<RemoteManifest> {
  const request = asked(session, question, "pulling");
  const { response, bytes } = await session.read({ ...request, expect: [200], ...call }, DOCUMENT_LIMIT);
  const digest = digestOf(bytes);
  const { tag } = question;
  const announced = isDigest(tag) ? tag : response.headers["docker-content-digest"];
  if (announced !== undefined && isDigest(announced) && announced !== digest) {
    throw new TareError("E_DIGEST_MISMATCH", `${request.doing}: the manifest that came has the digest \`${digest}\``, {
      hint: "the registry or something on the way to it changes content",
      details: { expected: announced, actual: digest },
    });
  }
  return { digest, bytes, mediaType: documentType(bytes, response) };
}

/** The size of a blob that a repository has; undefined when it lacks it. */
export async function headBlob(
  session: RegistrySession,
  { repository, digest, actions }: Omit<ManifestQuestion, "tag"> & { readonly digest: Digest },
  call: RegistryCall,
): Promise<{ readonly size: number | undefined } | undefined> {
  const response = await session.request({
    method: "HEAD",
    target: `/v2/${repository}/blobs/${digest}`,
    scope: { repository, actions },
    doing: `looking up \`${digest}\` in \`${session.domain}/${repository}\``,
    expect: [200, 404],
    ...call,
  });
  response.discard();
  return response.status === 404 ? undefined : { size: numberHeader(response, "content-length") };
}

function asked(
  { domain }: RegistrySession,
  { repository, tag, actions }: ManifestQuestion,
  verb: string,
): Pick<SessionRequest, "target" | "headers" | "scope" | "doing"> {
  return {
    target: `/v2/${repository}/manifests/${tag}`,
    headers: { accept: ACCEPT },
    scope: { repository, actions },
    doing: `${verb} \`${domain}/${repository}${isDigest(tag) ? "@" : ":"}${tag}\``,
  };
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
