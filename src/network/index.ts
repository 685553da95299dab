// SPDX-License-Identifier: Apache-2.0
export { Networking, openNetworking } from "./networking.ts";
export type { StartRequest, Started } from "./networking.ts";
export { Networks, PREDEFINED, joinedIn } from "./networks.ts";
export { createNetwork } from "./create.ts";
export { hostBinding } from "./bridge-options.ts";
export type { NetworkCreateRequest } from "./create.ts";
export type { AttachRequest, Attachment, NamespaceIds, NetworkBackend } from "./backend.ts";
export { hostAddress, whyNoPasta } from "./pasta-backend.ts";
export { portsText } from "./publish.ts";
export { addressOf } from "./ruleset.ts";
export { findNameServer } from "./names.ts";
export type { Endpoint, Join, Joined, NetworkRecord, PublishedPort, Subnet } from "./types.ts";
