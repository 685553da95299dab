// SPDX-License-Identifier: Apache-2.0
import { HttpClient } from "../../http/index.ts";
import { readIndexConfig } from "./config.ts";
import { openCredentials } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";

/** How package indexes are spoken to: with the user's proxy, certificates and credentials. */
export interface IndexClient {
  readonly client: HttpClient;
  readonly credentials: Credentials;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Opens a client by the user's settings; nothing is sent yet. The caller closes `client`. */
export function openIndexClient(env: Environment): IndexClient {
  const { certificates, proxy, trustedHosts } = readIndexConfig(env);
  return {
    client: new HttpClient({
      env: proxy === undefined ? env : { http_proxy: proxy, https_proxy: proxy, ...definedOnly(env) },
      caFiles: certificates === undefined ? [] : [certificates],
      insecureHosts: trustedHosts,
    }),
    credentials: openCredentials(env),
  };
}

/** A variable that is there wins over the settings, in whichever case it is written. */
function definedOnly(env: Environment): Environment {
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === "") continue;
    defined[name] = value;
    if (/^https?_proxy$/i.test(name)) defined[name.toLowerCase()] = value;
  }
  return defined;
}
