// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { DOCUMENT_LIMIT, isConfig, parseImageConfig, parseManifestOrIndex } from "../oci/index.ts";
import type { Descriptor, Manifest } from "../oci/index.ts";
import type { RegistryClient, RemoteManifest } from "../registry/index.ts";
import type { InspectedManifest, ManifestDescriptor, ManifestRequest } from "./facade-search.ts";
import { shortName } from "./image-lookup.ts";
import { openRegistry, remoteName } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";

interface Asking {
  readonly client: RegistryClient;
  readonly repository: string;
  /** As Docker shows it. */
  readonly name: string;
  readonly call: { readonly signal?: AbortSignal };
}

/** `manifest inspect`. Throws `E_REGISTRY*`, `E_MANIFEST`, also for schema 1. */
export async function inspectManifest(rooms: Rooms, request: ManifestRequest): Promise<InspectedManifest> {
  const { domain, repository, tag, full } = remoteName(request.name);
  const client = await openRegistry(rooms.settings, domain, { insecure: request.insecure });
  const call = request.signal === undefined ? {} : { signal: request.signal };
  const asking = { client, repository, name: shortName(full), call };
  const remote = await client.getManifest(repository, tag, call);
  const document = parseManifestOrIndex(remote.bytes.toString("utf8"), { allowNoLayers: true });
  const found = inspected(asking.name, remote);
  if (!request.verbose) return found;
  if (document.kind === "index") {
    const parts = await Promise.all(document.index.manifests.map((entry) => partOf(asking, entry)));
    return { ...found, parts };
  }
  const platform = await platformOf(asking, document.manifest);
  return platform === undefined ? found : { ...found, descriptor: { ...found.descriptor, platform } };
}

function inspected(name: string, { mediaType, digest, bytes }: RemoteManifest): InspectedManifest {
  return { name, descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

async function partOf({ client, repository, name, call }: Asking, entry: Descriptor): Promise<InspectedManifest> {
  const remote = await client.getManifest(repository, entry.digest, call);
  parseManifestOrIndex(remote.bytes.toString("utf8"), { allowNoLayers: true });
  const found = inspected(`${name}@${entry.digest}`, remote);
  if (entry.platform === undefined) return found;
  return { ...found, descriptor: { ...found.descriptor, platform: { ...entry.platform } } };
}

/** The platform that an image's config names. */
async function platformOf(asking: Asking, { config }: Manifest): Promise<ManifestDescriptor["platform"]> {
  if (!isConfig(config.mediaType)) return undefined;
  if (config.size > DOCUMENT_LIMIT) {
    throw new TareError("E_MANIFEST", `inspecting \`${asking.name}\`: its config has ${config.size} bytes`);
  }
  const { client, repository, call } = asking;
  const { checkedBytes } = await import("../images/index.ts");
  const chunks: Uint8Array[] = [];
  for await (const chunk of checkedBytes(client.openBlob(repository, config, call), config, `\`${asking.name}\``)) {
    chunks.push(Buffer.from(chunk));
  }
  const { architecture, os, variant } = parseImageConfig(Buffer.concat(chunks).toString("utf8"));
  return { architecture, os, ...(variant === undefined || variant === "" ? {} : { variant }) };
}
