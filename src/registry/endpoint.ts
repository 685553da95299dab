// SPDX-License-Identifier: Apache-2.0
/* Where a registry's API is, and which addresses may be talked to in the clear. */
import { TareError } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";

const HUB = "docker.io";
const HUB_HOST = "registry-1.docker.io";

/** The host that serves the API of a reference's domain: Docker Hub's has another name. */
export function apiHost(domain: string): string {
  return domain === HUB || domain === "index.docker.io" ? HUB_HOST : domain;
}

/** True for Docker Hub by any of its names. */
export function isHub(domain: string): boolean {
  return domain === HUB || domain === "index.docker.io" || domain === HUB_HOST;
}

/** True for this machine's own addresses, where http is safe: as Docker treats 127.0.0.0/8, ::1 and localhost. */
export function isLoopback(host: string): boolean {
  const name = host.startsWith("[") ? host.slice(0, host.indexOf("]") + 1) : (host.split(":", 1)[0] ?? "");
  return name === "localhost" || name === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/** The base URLs to try in order; the first that answers as a registry is taken. */
export function candidates(domain: string, insecure: boolean): readonly string[] {
  const host = apiHost(domain);
  if (isLoopback(host)) return [`http://${host}`, `https://${host}`];
  return insecure ? [`https://${host}`, `http://${host}`] : [`https://${host}`];
}

/** True when an answer came from the host that was asked and not from one that it led to. */
export function isFrom(url: string, base: string): boolean {
  return new URL(url).host === new URL(base).host;
}

/** Throws `E_REGISTRY` for a token server in the clear: credentials would be sent to it. */
export function requireSafeRealm(realm: string, base: string): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const isLocal = url !== undefined && isLoopback(url.host) && isLoopback(new URL(base).host);
  const isAllowed = url?.protocol === "https:" || (url?.protocol === "http:" && (base.startsWith("http:") || isLocal));
  // A user in it would be sent in place of ours.
  if (url && isAllowed) return Object.assign(url, { username: "", password: "" });
  throw new TareError("E_REGISTRY", `authenticating at \`${new URL(base).host}\`: its token server is not https`, {
    hint: "the registry's `WWW-Authenticate` header must name an https URL",
  });
}

/** The URL of a `Location` or `Link` header; never from https to http. Throws `E_REGISTRY`. */
export function resolveLocation(location: string | undefined, from: string): string {
  if (location === undefined || !URL.canParse(location, from)) {
    throw new TareError("E_REGISTRY", `talking to \`${new URL(from).host}\`: its answer lacks a usable Location`);
  }
  const url = new URL(location, from);
  const base = new URL(from);
  if (base.protocol === "https:" && url.protocol === "http:") {
    // Registries behind a proxy that ends TLS often name themselves by http.
    if (url.hostname !== base.hostname) {
      throw new TareError("E_REGISTRY", `talking to \`${base.host}\`: it sends uploads to \`${url.host}\` without TLS`);
    }
    return new URL(`${url.pathname}${url.search}`, base).href;
  }
  if (url.protocol === "https:" || url.protocol === "http:") return url.href;
  throw new TareError("E_REGISTRY", `talking to \`${base.host}\`: its Location is no http URL`);
}

/** The `Link: <…>; rel="next"` header, only within the registry. */
export function nextPage(response: HttpResponse): string | undefined {
  const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(response.headers["link"] ?? "")?.[1];
  if (link === undefined) return undefined;
  const next = new URL(resolveLocation(link, response.url));
  return next.origin === new URL(response.url).origin ? next.href : undefined;
}
