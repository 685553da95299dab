// SPDX-License-Identifier: Apache-2.0
/*
 * Certificates for one host, as Docker and podman keep them:
 *
 *   certs.d/<host[:port]>/*.crt          authorities that are trusted for this host
 *                        /x.cert, x.key  who we are to it
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ioError, systemErrorCode } from "../../base/index.ts";
import type { ConfigPlace } from "../docker-config.ts";

/** Files for one host. */
export interface HostCertificates {
  readonly authorities: readonly string[];
  readonly client?: { readonly certificate: string; readonly key: string };
}

/** What the folders say of a host. Throws `E_REGISTRY_CONFIG` for a client's certificate without its key. */
export function hostCertificates(host: string, { env, home, etc = "/etc" }: ConfigPlace): HostCertificates {
  const own = env["XDG_CONFIG_HOME"] || join(home, ".config");
  const roots = [join(etc, "docker"), join(etc, "containers"), join(own, "docker"), join(own, "containers")];
  const folders = roots.map((root) => join(root, "certs.d", host));
  const files = folders.flatMap((folder) => namesIn(folder).map((name) => join(folder, name)));
  const client = files.find((path) => path.endsWith(".cert"));
  return {
    authorities: files.filter((path) => path.endsWith(".crt")),
    ...(client === undefined ? {} : { client: { certificate: client, key: keyOf(client, files) } }),
  };
}

function keyOf(certificate: string, files: readonly string[]): string {
  const key = certificate.replace(/\.cert$/, ".key");
  if (files.includes(key)) return key;
  throw new TareError("E_REGISTRY_CONFIG", `reading \`${certificate}\`: its key is missing`, {
    hint: `put it at \`${key}\`; certificates of authorities end in .crt`,
  });
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder).toSorted();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return [];
    throw ioError(`reading \`${folder}\``, error);
  }
}
