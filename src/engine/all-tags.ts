// SPDX-License-Identifier: Apache-2.0
/* `pull -a`: the tags of a repository that name images. Memos, caches and what is attached to images have tags too. */
import { TareError } from "../base/index.ts";
import { formatReference, isConfig, normalizeReference } from "../oci/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import { remoteName } from "./registry-connection.ts";
import type { RemoteName } from "./registry-connection.ts";

/** What to pull; `name` is that of a repository. Throws `E_USAGE` for one with a tag, and `E_REGISTRY*`. */
export async function imageTags(
  client: RegistryClient,
  { name, signal }: { readonly name: string; readonly signal?: AbortSignal },
): Promise<readonly RemoteName[]> {
  const reference = normalizeReference(name);
  if (reference.tag !== undefined || reference.digest !== undefined) {
    throw new TareError("E_USAGE", `pulling all tags of \`${name}\`: the name has a tag`, {
      hint: "leave out the tag",
    });
  }
  const call = signal === undefined ? {} : { signal };
  const { WHEEL_MEMO_TAG } = await import("../images/index.ts");
  const { isReferrersTag } = await import("../registry/index.ts");
  const tags = await client.tags(reference.path, call);
  const likely = tags.filter((tag) => tag !== WHEEL_MEMO_TAG && !isReferrersTag(tag));
  const images: string[] = [];
  for (const tag of likely) {
    const { bytes } = await client.getManifest(reference.path, tag, call);
    if (!isArtifact(bytes.toString("utf8"))) images.push(tag);
  }
  return images.map((tag) => remoteName(formatReference({ ...reference, tag })));
}

/** A manifest whose config says that it is no image; what can't be read is left to the pull, which says why. */
function isArtifact(text: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof value !== "object" || value === null || !("config" in value)) return false;
  const { config } = value;
  if (typeof config !== "object" || config === null || !("mediaType" in config)) return false;
  return typeof config.mediaType === "string" && !isConfig(config.mediaType);
}
