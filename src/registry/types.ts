// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../base/index.ts";
import type { HttpRequest, HttpResponse } from "../http/index.ts";
import type { Routes } from "./config/routes.ts";

/** What carries requests: `HttpClient`, or a test's own. */
export interface RegistryTransport {
  request(request: HttpRequest): Promise<HttpResponse>;
}

/** How one proves who one is to a registry. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** A refresh token that a login gave (`identitytoken`). */
  | { readonly kind: "identity"; readonly token: string }
  /** An access token used as it is (`registrytoken`). */
  | { readonly kind: "token"; readonly token: string };

/** How a registry is reached. */
export interface RegistryOptions {
  readonly transport: RegistryTransport;
  /** The credentials for a repository (`library/python`); asked once for each. Absent: anonymous. */
  readonly credentials?: (repository: string) => Promise<Credentials | undefined>;
  /** http, or a certificate that is not checked, may be used. Loopback hosts may always use http. */
  readonly insecure?: boolean;
  /** Milliseconds that the registry's first answer may take. Default 15,000. */
  readonly connectMs?: number;
  /** Milliseconds before a second try, at most; twice as many before each later one. Default 500. */
  readonly firstWaitMs?: number;
  /** Mirrors of a repository and where it really is. Throws `E_REGISTRY_CONFIG` when it is blocked. */
  readonly routes?: (repository: string) => Routes;
  /** How another host is reached: with its own transport and credentials. */
  readonly reach?: (domain: string, insecure: boolean) => RegistryOptions;
  /** Told when a mirror is not used any more, and why. */
  readonly onNotice?: (text: string) => void;
}

/** A manifest or index as the registry gave it; its bytes have the digest. */
export interface RemoteManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** A manifest or index as it is sent. */
export interface ManifestBytes {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/** What a HEAD tells of a manifest. */
export interface ManifestFacts {
  /** Undefined when the registry does not tell it. */
  readonly digest: Digest | undefined;
  readonly mediaType: string | undefined;
  readonly size: number | undefined;
}

/** Where a blob that is fetched goes, and what lacks of it. */
export interface BlobTarget {
  readonly digest: Digest;
  readonly size: number;
  /** In order. */
  readonly missing: readonly { readonly start: number; readonly end: number }[];
  /** Called for each chunk; those of different places come in any order. */
  readonly write: (at: number, chunk: Uint8Array) => void;
}

/** A place at the registry that takes the rest of a blob. */
export interface UploadSession {
  readonly location: string;
  /** Bytes that it has. */
  readonly offset: number;
}

/** Where an upload remembers how far it came, so that another process goes on. */
export interface UploadMemory {
  get(): UploadSession | undefined;
  set(session: UploadSession): void;
  clear(): void;
}

/** Bytes to send to a registry. */
export interface BlobUpload {
  /** Without it the digest is computed while the bytes are sent. */
  readonly digest?: Digest;
  /** Known sizes are announced. */
  readonly size?: number;
  /** Streams the bytes; called again when they have to be sent again. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** The same for bytes from `start` to before `end`, where digest and size are known. */
  readonly openRange?: (start: number, end: number) => AsyncIterable<Uint8Array>;
  /** For large ones. */
  readonly memory?: UploadMemory;
  /** A blob that will do, and repositories of the same registry that may have it: it is mounted instead of sent. */
  readonly mount?: { readonly digest: Digest; readonly size: number; readonly from: readonly string[] };
  /** Bytes sent so far; falls back to 0 when they are sent again. */
  readonly onProgress?: (sent: number) => void;
}

/** How a blob got there. */
export interface BlobReceipt {
  readonly how: "uploaded" | "mounted";
  readonly digest: Digest;
  readonly size: number;
}

/** What every call accepts. */
export interface RegistryCall {
  readonly signal?: AbortSignal;
}
