// SPDX-License-Identifier: Apache-2.0
/* A client for a registry by what this host's configuration says of it: Docker's, and that of podman and its kin. */
import { HttpClient } from "../http/index.ts";
import { RegistryClient } from "./client.ts";
import { readDaemonConfig } from "./config/daemon-json.ts";
import type { DaemonConfig } from "./config/daemon-json.ts";
import { hostCertificates } from "./config/host-certificates.ts";
import { proxyEnvironment } from "./config/proxies.ts";
import { readRegistryRules } from "./config/registries-conf.ts";
import { routesFor } from "./config/routes.ts";
import type { RoutingConfig } from "./config/routes.ts";
import { findCredentials } from "./credentials.ts";
import type { ConfigPlace } from "./docker-config.ts";
import { apiHost } from "./endpoint.ts";
import type { Credentials, RegistryOptions, RegistryTransport } from "./types.ts";

/** What is known besides the configuration. */
export interface OpenOptions {
  /** Hosts that may be talked to without TLS or with a certificate that nobody signed. */
  readonly insecureHosts: readonly string[];
  /** Used instead of those that are stored. */
  readonly credentials?: Credentials;
  /** Told when a mirror is not used any more, and why. */
  readonly onNotice?: (text: string) => void;
}

/**
 * A client for a registry; nothing is asked yet. `registries.conf` and `daemon.json` give mirrors, other places and
 * insecure hosts, `certs.d` certificates, `config.json` logins. Throws `E_REGISTRY_CONFIG` for a file that is malformed,
 * and for a registry that is blocked.
 */
export function openRegistryClient(domain: string, place: ConfigPlace, options: OpenOptions): RegistryClient {
  const daemon = readDaemonConfig(place);
  const config: RoutingConfig = { rules: readRegistryRules(place), daemon, insecureHosts: options.insecureHosts };
  const reach = (host: string, insecure: boolean): RegistryOptions => ({
    transport: transportFor(host, { place, daemon, insecure }),
    insecure,
    credentials: (repository) => findCredentials(host, repository, place),
  });
  const { credentials, onNotice } = options;
  return new RegistryClient(domain, {
    ...reach(domain, isInsecure(domain, config)),
    ...(credentials === undefined ? {} : { credentials: async () => credentials }),
    ...(onNotice === undefined ? {} : { onNotice }),
    routes: (repository) => routesFor(domain, repository, config),
    reach,
  });
}

/** What carries requests to Docker Hub's own pages. Throws `E_REGISTRY_CONFIG` when the Hub is blocked. */
export function hubTransport(place: ConfigPlace): RegistryTransport {
  const daemon = readDaemonConfig(place);
  routesFor("docker.io", "", { rules: readRegistryRules(place), daemon, insecureHosts: [] });
  return transportFor("docker.io", { place, daemon, insecure: false });
}

/** Of the name itself, wherever pulls of it go. */
function isInsecure(domain: string, config: RoutingConfig): boolean {
  const rules = config.rules.map(({ location: _location, ...rule }) => rule);
  return routesFor(domain, "", { ...config, rules }).origin.insecure;
}

/** A client's certificate goes to the host that it is for, also where the registry leads to that host. */
function transportFor(
  domain: string,
  {
    place,
    daemon,
    insecure,
  }: { readonly place: ConfigPlace; readonly daemon: DaemonConfig; readonly insecure: boolean },
): RegistryTransport {
  const host = apiHost(domain);
  return new HttpClient({
    env: proxyEnvironment(place, daemon),
    caFiles: hostCertificates(host, place).authorities,
    certificates: (at) => hostCertificates(at, place),
    ...(insecure ? { insecureHosts: [host] } : {}),
  });
}
