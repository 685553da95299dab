// SPDX-License-Identifier: Apache-2.0
/* Where a repository is read from: mirrors first, then the registry itself, perhaps at another place. */
import { TareError } from "../../base/index.ts";
import { isHub } from "../endpoint.ts";
import type { DaemonConfig } from "./daemon-json.ts";
import type { MirrorUse, RegistryRule } from "./registries-conf.ts";

/** A repository at a host. */
export interface Route {
  readonly domain: string;
  readonly repository: string;
  /** http, or a certificate that is not checked, may be used. */
  readonly insecure: boolean;
  readonly use: MirrorUse;
}

/** All ways to read a repository. */
export interface Routes {
  readonly mirrors: readonly Route[];
  readonly origin: Route;
}

/** What routes are made of. */
export interface RoutingConfig {
  readonly rules: readonly RegistryRule[];
  readonly daemon: Pick<DaemonConfig, "mirrors" | "isInsecure">;
  /** Hosts that the user names in the environment. */
  readonly insecureHosts: readonly string[];
}

/** The routes of a repository; an empty one stands for the registry as a whole. Throws `E_REGISTRY_CONFIG` when it is blocked. */
export function routesFor(domain: string, repository: string, config: RoutingConfig): Routes {
  const rule = findRule(domain, repository, config.rules);
  if (rule?.blocked) {
    throw new TareError("E_REGISTRY_CONFIG", `using \`${nameOf(domain, repository)}\`: \`${rule.prefix}\` is blocked`, {
      hint: `\`${rule.file}\` says so`,
      details: { file: rule.file, prefix: rule.prefix },
    });
  }
  const isInsecure = (host: string): boolean => config.insecureHosts.includes(host) || config.daemon.isInsecure(host);
  const moved =
    rule?.location === undefined ? { domain, repository } : moveTo(rule.location, rule, { domain, repository });
  const own = (rule?.mirrors ?? []).map(({ location, insecure, use }): Route => {
    const place = moveTo(location, rule, { domain, repository });
    return { ...place, insecure: insecure || isInsecure(place.domain), use };
  });
  const hub = isHub(domain) ? config.daemon.mirrors : [];
  const docker = hub.map(({ host, insecure }): Route => {
    return { domain: host, repository, insecure: insecure || isInsecure(host), use: "all" };
  });
  const insecure = rule?.insecure === true || isInsecure(moved.domain);
  return { mirrors: [...own, ...docker], origin: { ...moved, insecure, use: "all" } };
}

function nameOf(domain: string, repository: string): string {
  return repository === "" ? domain : `${domain}/${repository}`;
}

/** The rule with the longest prefix; one for a host's subdomains is the weakest. */
function findRule(domain: string, repository: string, rules: readonly RegistryRule[]): RegistryRule | undefined {
  const name = nameOf(domain, repository);
  const fitting = rules.filter(({ prefix }) =>
    prefix.startsWith("*.") ? domain.endsWith(prefix.slice(1)) : name === prefix || name.startsWith(`${prefix}/`),
  );
  const weight = ({ prefix }: RegistryRule): number => prefix.length - (prefix.startsWith("*.") ? 1000 : 0);
  return fitting.toSorted((a, b) => weight(b) - weight(a))[0];
}

/** A name with the rule's prefix replaced by another place. */
function moveTo(
  location: string,
  rule: RegistryRule | undefined,
  { domain, repository }: Pick<Route, "domain" | "repository">,
): Pick<Route, "domain" | "repository"> {
  const name = nameOf(domain, repository);
  const prefix = rule === undefined || rule.prefix.startsWith("*.") ? domain : rule.prefix;
  const [host = "", ...path] = `${location}${name.slice(prefix.length)}`.split("/");
  return { domain: host, repository: path.join("/") };
}
