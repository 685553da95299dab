// SPDX-License-Identifier: Apache-2.0

/** How a client behaves. The environment gives proxies (`HTTPS_PROXY`, `NO_PROXY` …) and CA files. */
export interface HttpClientOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Files with certificates in PEM that are trusted besides the built-in ones. */
  readonly caFiles?: readonly string[];
  /** Files for one host `name[:port]`: authorities that are trusted there besides, and who we are to it. */
  readonly certificates?: (host: string) => HostCertificateFiles;
  /** Hosts, with a port or for every port, whose certificates are not checked. Never a default. */
  readonly insecureHosts?: readonly string[];
  /** Attempts after the first for what may be repeated (GET, HEAD, PUT with a body that can be made again). Default 4. */
  readonly retries?: number;
  /** Milliseconds before the second attempt, about; twice as many before each later one. Default 250. */
  readonly firstWaitMs?: number;
  /** Milliseconds without a byte after which an attempt failed. Default 60,000. */
  readonly idleMs?: number;
  /** Open connections per host. Default 8. */
  readonly connections?: number;
}

/** Files with certificates and keys in PEM. */
export interface HostCertificateFiles {
  readonly authorities: readonly string[];
  readonly client?: { readonly certificate: string; readonly key: string };
}

/** One request. */
export interface HttpRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  /** Lower-case names. Credentials are not sent on to another host when a redirect leads there. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | (() => AsyncIterable<Uint8Array>);
  /** Bytes of a streamed body; without it the body is sent chunked. */
  readonly bodySize?: number;
  /** Redirects to follow, never from https to http. Default 10 for GET and HEAD, 0 for others. */
  readonly redirects?: number;
  readonly signal?: AbortSignal;
}

/** An answer; any status is one, an error is only thrown when there is no answer. */
export interface HttpResponse {
  readonly status: number;
  /** Lower-case names; repeated ones joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** Where it came from after redirects. */
  readonly url: string;
  /** The bytes as they come. Read it to the end, or call `discard`. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body as text. Throws `E_HTTP` beyond `limit` bytes (default 64 MiB). */
  text(limit?: number): Promise<string>;
  /** Gives the connection back without reading the rest. */
  discard(): void;
}
