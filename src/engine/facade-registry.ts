// SPDX-License-Identifier: Apache-2.0
/** The face of registries: requests and answers of push, pull, login and logout. */
import type { AttestationRequest } from "../build/index.ts";
import type { AttachedDocument } from "./facade-trust.ts";
import type { CopyRequest, CopyResult } from "./facade-copy.ts";
import type { InspectedManifest, ManifestRequest, SearchRequest, SearchResult } from "./facade-search.ts";
import type { LongCall } from "./facade.ts";

/** `push`. */
export interface PushRequest extends LongCall {
  /** `registry/name[:tag]` of an image in the store. */
  readonly name: string;
  /** `-a`: every tag of that repository. */
  readonly all: boolean;
  /** Of an image for several platforms only these. */
  readonly platforms: readonly string[];
  /** How layers made here travel: `gzip` (default), `gzip:single`, `estargz`, `zstd`, `none`. */
  readonly compression?: string;
  /** Documents that are attached to it. */
  readonly attestations?: AttestationRequest;
}

/** One pushed tag. */
export interface PushedTag {
  /** As Docker shows it: `localhost:5000/app:1`. */
  readonly name: string;
  readonly tag: string;
  /** Of the manifest or index at the registry. */
  readonly digest: string;
  readonly mediaType: string;
  /** Bytes of the manifest or index. */
  readonly size: number;
  /** The registry had it under that tag already. */
  readonly existed: boolean;
  /** When documents were asked for. */
  readonly attached?: readonly AttachedDocument[];
}

/** `pull`. */
export interface PullRequest extends LongCall {
  /** `python:3.11-slim`, `registry/name@sha256:…`. */
  readonly name: string;
  /** `-a`: every tag of the repository. */
  readonly all: boolean;
  readonly platform?: string;
}

/** One pulled image. */
export interface PulledTag {
  /** As Docker shows it. */
  readonly name: string;
  readonly id: string;
  /** Of the manifest or index. */
  readonly digest: string;
  /** The store had it under that name already. */
  readonly existed: boolean;
}

/** `login`. */
export interface LoginRequest {
  /** Default: Docker Hub. */
  readonly host?: string;
  /** Absent: the login that is there is tried. */
  readonly login?: { readonly username: string; readonly password: string };
  readonly signal?: AbortSignal;
}

/** What a login left. */
export interface LoginResult {
  readonly host: string;
  /** Where it was written: a file's path, or the name of a credential helper; absent when nothing was written. */
  readonly path?: string;
  readonly helper?: string;
}

/** Registries. Every call may reject with `E_REGISTRY*`; no error holds a credential. */
export interface RegistryApi {
  /** Throws `E_IMAGE_NOTFOUND` when the store has no such image. */
  push(request: PushRequest): Promise<readonly PushedTag[]>;
  pull(request: PullRequest): Promise<readonly PulledTag[]>;
  /** From any place to any other. Throws `E_USAGE` for places that are none, `E_UNSUPPORTED` for what one can't hold. */
  copy(request: CopyRequest): Promise<CopyResult>;
  /** Repositories of Docker Hub, most stars first. Throws `E_UNSUPPORTED` for other registries: they have no search. */
  search(request: SearchRequest): Promise<readonly SearchResult[]>;
  /** What a name stands for; nothing is kept. Throws `E_MANIFEST`, also for schema 1. */
  manifest(request: ManifestRequest): Promise<InspectedManifest>;
  /** Checks the login with the registry and keeps it where Docker does. Throws `E_REGISTRY_AUTH`. */
  login(request: LoginRequest): Promise<LoginResult>;
  /** True when there was a login to forget. */
  logout(host?: string): Promise<boolean>;
}
