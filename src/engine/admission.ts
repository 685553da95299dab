// SPDX-License-Identifier: Apache-2.0
/* Before anything of an image comes from a registry: does the signature policy let it in? */
import * as fs from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { TareError, ioError, messageOf, readTextIfPresent } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import { isIndex, parseImageName, parseIndex, selectManifest } from "../oci/index.ts";
import type { Platform } from "../oci/index.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { RemoteName } from "./registry-connection.ts";
import type { Rooms } from "./rooms.ts";
import type { Settings } from "./settings.ts";

const SYSTEM_POLICY = "/etc/containers/policy.json";

/** An image that is about to come in. */
export interface Arrival {
  readonly client: RegistryClient;
  readonly name: RemoteName;
  /** Of an index these; none: all that it lists. */
  readonly platforms: readonly Platform[];
  readonly signal?: AbortSignal;
}

/**
 * What to fetch: the tag as it is where no rule asks for a signature, else the digest that was looked at, so that
 * another image under the tag does not slip in. Throws `E_POLICY`, `E_POLICY_REFUSED`, `E_KEY`, `E_REGISTRY*`.
 */
export async function admitted({ settings }: Rooms, arrival: Arrival): Promise<string> {
  const { client, name, signal } = arrival;
  const found = policyText(settings);
  if (found === undefined) return name.tag;
  const { isAcceptedUnseen, parsePolicy, requireAdmission } = await import("../trust/index.ts");
  const policy = parsePolicy(found.text, found.path);
  const reference = parseImageName(name.full);
  if (isAcceptedUnseen(policy, reference)) return name.tag;
  const call = signal === undefined ? {} : { signal };
  const { digest, mediaType, bytes } = await client.getManifest(name.repository, name.tag, call);
  const children = isIndex(mediaType) ? childrenOf(bytes.toString("utf8"), arrival.platforms) : [];
  const root = trustedRoot(settings);
  const incoming = { remote: { client, repository: name.repository }, reference, ...root, ...call };
  const admit = (digests: readonly Digest[]): Promise<void> => requireAdmission(policy, { ...incoming, digests });
  // An index counts for all that it lists; without a signature of its own each of them needs one.
  if (children.length === 0) await admit([digest]);
  for (const child of children) await admit([digest, child]);
  return digest;
}

function childrenOf(text: string, platforms: readonly Platform[]): readonly Digest[] {
  const index = parseIndex(text);
  if (platforms.length > 0) return platforms.map((platform) => selectManifest(index, platform).digest);
  return index.manifests.filter(({ platform }) => platform?.os !== "unknown").map(({ digest }) => digest);
}

interface PolicyText {
  readonly path: string;
  readonly text: string;
}

/** The policy that counts; a file that was named must be there. Throws `E_POLICY`. */
function policyText({ signaturePolicy, env }: Settings): PolicyText | undefined {
  if (signaturePolicy !== undefined) return { path: signaturePolicy, text: readNamed(signaturePolicy) };
  const config = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  for (const path of [join(config, "containers/policy.json"), SYSTEM_POLICY]) {
    const text = readTextIfPresent(path);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

function readNamed(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (error) {
    throw new TareError("E_POLICY", `reading the signature policy \`${path}\`: ${messageOf(error)}`, { cause: error });
  }
}

/** `TARE_TRUSTED_ROOT`. */
function trustedRoot({ env, cwd }: Settings): { readonly trustedRoot?: string } {
  const path = env["TARE_TRUSTED_ROOT"];
  if (path === undefined || path === "") return {};
  try {
    return { trustedRoot: fs.readFileSync(resolve(cwd, path), "utf8") };
  } catch (error) {
    throw ioError(`reading the trusted root \`${path}\``, error);
  }
}
