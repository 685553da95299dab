// SPDX-License-Identifier: Apache-2.0
/* How this engine reaches registries: what the environment and the host's files say about each of them. */
import * as fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { TareError, systemErrorCode } from "../base/index.ts";
import { formatReference, parseImageName } from "../oci/index.ts";
import type { Reference } from "../oci/index.ts";
import type { ConfigPlace, Credentials, RegistryClient } from "../registry/index.ts";
import type { Settings } from "./settings.ts";

/** Where Docker keeps the certificates of private registries. */
const CERTIFICATES = ["/etc/docker/certs.d", "/etc/containers/certs.d"];

/** Where logins are. */
export function configPlace({ env }: Settings): ConfigPlace {
  return { env, home: env["HOME"] || homedir() };
}

/** True when registries must not be asked (`TARE_OFFLINE`). */
function isOffline({ env }: Settings): boolean {
  const text = env["TARE_OFFLINE"];
  return text !== undefined && text !== "" && text !== "0" && text !== "false";
}

/** A client for a registry; nothing is asked yet. `credentials` are used instead of those that are stored. */
export async function openRegistry(
  settings: Settings,
  domain: string,
  credentials?: Credentials,
): Promise<RegistryClient> {
  if (isOffline(settings)) {
    throw new TareError("E_REGISTRY", `connecting to the registry \`${domain}\`: TARE_OFFLINE is set`, {
      hint: "unset TARE_OFFLINE to let registries be asked",
      details: { registry: domain, unreachable: true },
    });
  }
  const { HttpClient } = await import("../http/index.ts");
  const { RegistryClient: Client, apiHost, findCredentials } = await import("../registry/index.ts");
  const host = apiHost(domain);
  const insecure = insecureHosts(settings).includes(domain);
  const transport = new HttpClient({
    env: settings.env,
    caFiles: certificatesFor(host),
    ...(insecure ? { insecureHosts: [host] } : {}),
  });
  const place = configPlace(settings);
  return new Client(domain, {
    transport,
    insecure,
    credentials: async (repository) => credentials ?? findCredentials(domain, repository, place),
  });
}

/** Registries that may be talked to without TLS or with a certificate that nobody signed: only those that are named. */
function insecureHosts({ env }: Settings): readonly string[] {
  return (env["TARE_INSECURE_REGISTRIES"] ?? "").split(/[\s,]+/).filter(Boolean);
}

/** Docker trusts `certs.d/<host>/*.crt` for that host. */
function certificatesFor(host: string): readonly string[] {
  return CERTIFICATES.flatMap((folder) => {
    const own = join(folder, host);
    try {
      return fs.readdirSync(own).flatMap((name) => (name.endsWith(".crt") ? [join(own, name)] : []));
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return [];
      throw error;
    }
  });
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
  return remoteOf(parseImageName(text));
}

function remoteOf(reference: Reference): RemoteName {
  const { domain, path, tag, digest } = reference;
  return {
    domain,
    repository: path,
    tag: digest ?? tag ?? "latest",
    full: formatReference(reference),
    isPinned: digest !== undefined,
  };
}
