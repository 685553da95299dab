// SPDX-License-Identifier: Apache-2.0
import { TareError, digestOf, isDigest } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { RegistrySession } from "./session.ts";
import type { ManifestBytes, RegistryCall } from "./types.ts";

/** What a registry says of a manifest that it took. */
export interface ManifestReceipt {
  readonly digest: Digest;
  /** The registry lists it as a referrer of this manifest by itself (`OCI-Subject`). */
  readonly subject: string | undefined;
}

/** Writes a manifest or index under a tag or its digest. Throws `E_DIGEST_MISMATCH` when the registry took another. */
export async function putManifest(
  session: RegistrySession,
  { repository, tag }: { readonly repository: string; readonly tag: string },
  manifest: ManifestBytes,
  call: RegistryCall,
): Promise<ManifestReceipt> {
  const doing = `pushing \`${session.domain}/${repository}${isDigest(tag) ? "@" : ":"}${tag}\``;
  const response = await session.request({
    method: "PUT",
    target: `/v2/${repository}/manifests/${tag}`,
    headers: { "content-type": manifest.mediaType },
    body: manifest.bytes,
    bodySize: manifest.bytes.length,
    scope: { repository, actions: "pull,push" },
    doing,
    expect: [200, 201, 202],
    ...call,
  });
  response.discard();
  const digest = digestOf(manifest.bytes);
  const stored = response.headers["docker-content-digest"];
  if (stored === undefined || stored === digest) return { digest, subject: response.headers["oci-subject"] };
  throw new TareError("E_DIGEST_MISMATCH", `${doing}: the registry stored it as \`${stored.slice(0, 100)}\``, {
    details: { expected: digest, actual: stored },
  });
}
