// SPDX-License-Identifier: Apache-2.0
export { RegistryClient } from "./client.ts";
export { hubTransport, openRegistryClient } from "./open-registry.ts";
export type { OpenOptions } from "./open-registry.ts";
export { findCredentials, removeLogin, storeLogin } from "./credentials.ts";
export type { LoginPlace } from "./credentials.ts";
export type { ConfigPlace } from "./docker-config.ts";
export { apiHost, isHub, isLoopback } from "./endpoint.ts";
export { isReferrersTag } from "./referrers.ts";
export { searchHub } from "./search-hub.ts";
export type { FoundRepository } from "./search-hub.ts";
export type {
  BlobReceipt,
  BlobTarget,
  BlobUpload,
  Credentials,
  ManifestBytes,
  ManifestFacts,
  RegistryCall,
  RegistryOptions,
  RegistryTransport,
  RemoteManifest,
  UploadMemory,
  UploadSession,
} from "./types.ts";
