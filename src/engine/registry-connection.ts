// SPDX-License-Identifier: Apache-2.0
/* How this engine reaches registries: what the environment and the host's files say about each of them. */
import { homedir } from "node:os";
import { TareError } from "../base/index.ts";
import { formatReference, parseImageName } from "../oci/index.ts";
import type { Reference } from "../oci/index.ts";
import type { ConfigPlace, Credentials, RegistryClient } from "../registry/index.ts";
import type { LongCall } from "./facade.ts";
import { shortName } from "./image-lookup.ts";
import type { Settings } from "./settings.ts";

/** Where logins are. */
export function configPlace({ env }: Settings): ConfigPlace {
  return { env, home: env["HOME"] || homedir() };
}

/** True when registries must not be asked (`TARE_OFFLINE`). */
function isOffline({ env }: Settings): boolean {
  const text = env["TARE_OFFLINE"];
  return text !== undefined && text !== "" && text !== "0" && text !== "false";
}

/** Throws `E_REGISTRY` with `TARE_OFFLINE`. */
export function requireOnline(settings: Settings, domain: string): void {
  if (!isOffline(settings)) return;
  throw new TareError("E_REGISTRY", `connecting to the registry \`${domain}\`: TARE_OFFLINE is set`, {
    hint: "unset TARE_OFFLINE to let registries be asked",
    details: { registry: domain, unreachable: true },
  });
}

/** How a client is opened. */
interface ConnectionOptions {
  /** Used instead of those that are stored. */
  readonly credentials?: Credentials;
  /** It may be talked to without TLS or with a certificate that nobody signed. */
  readonly insecure?: boolean;
  /** Told of mirrors that are not used any more. */
  readonly listener?: LongCall["listener"];
}

/** A client for a registry; nothing is asked yet. Throws `E_REGISTRY_CONFIG`, and `E_REGISTRY` with `TARE_OFFLINE`. */
export async function openRegistry(
  settings: Settings,
  domain: string,
  { credentials, listener, insecure = false }: ConnectionOptions = {},
): Promise<RegistryClient> {
  requireOnline(settings, domain);
  const { openRegistryClient } = await import("../registry/index.ts");
  return openRegistryClient(domain, configPlace(settings), {
    insecureHosts: [...insecureHosts(settings), ...(insecure ? [domain] : [])],
    ...(credentials === undefined ? {} : { credentials }),
    onNotice: (message) => listener?.({ kind: "warning", rule: "RegistryMirror", message, at: Date.now() }),
  });
}

/** Registries that may be talked to without TLS or with a certificate that nobody signed: only those that are named. */
function insecureHosts({ env }: Settings): readonly string[] {
  return (env["TARE_INSECURE_REGISTRIES"] ?? "").split(/[\s,]+/).filter(Boolean);
}

/** A name as a place at a registry. */
export interface RemoteName {
  readonly domain: string;
  readonly repository: string;
  /** Tag or digest. */
  readonly tag: string;
  /** In full, as the store has it; a digest instead of a tag is no name of the store. */
  readonly full: string;
  readonly isPinned: boolean;
}

/** Reads a name as users write it. Throws `E_REF`. */
export function remoteName(text: string): RemoteName {
  return nameOf(parseImageName(text));
}

function nameOf(reference: Reference): RemoteName {
  const { domain, path, tag, digest } = reference;
  return {
    domain,
    repository: path,
    tag: digest ?? tag ?? "latest",
    full: formatReference(reference),
    isPinned: digest !== undefined,
  };
}

/** What lies under a tag besides images: where it is, and how the user is told of it. */
export interface RemotePlace extends Pick<RemoteName, "repository" | "tag"> {
  readonly client: RegistryClient;
  readonly shown: string;
}

/** The place of a name as users write it. Throws `E_REF`, and as `openRegistry`. */
export async function openRemotePlace(
  settings: Settings,
  text: string,
  options: ConnectionOptions = {},
): Promise<RemotePlace> {
  const { domain, repository, tag, full } = remoteName(text);
  return { client: await openRegistry(settings, domain, options), repository, tag, shown: shortName(full) };
}

/** Throws `E_REF` for a name with a digest, which is what a push finds out and not what it is told. */
export function refusePinned(text: string): void {
  if (!remoteName(text).isPinned) return;
  throw new TareError("E_REF", `pushing to \`${text}\`: a digest can't be pushed to`, {
    hint: "give a tag instead",
  });
}
