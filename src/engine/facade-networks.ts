// SPDX-License-Identifier: Apache-2.0
import type { NetworkCreateRequest } from "../network/index.ts";
import type { ConnectOptions } from "../containers/index.ts";
import type { Filters, InspectDocument } from "./facade.ts";

export type { ConnectOptions } from "../containers/index.ts";
export type { NetworkCreateRequest } from "../network/index.ts";

/** A row of `network ls`. */
export interface NetworkSummary {
  readonly id: string;
  readonly name: string;
  readonly driver: "bridge" | "host" | "null";
  readonly internal: boolean;
  readonly ipv6: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch; 0 for those that are always there. */
  readonly createdAt: number;
  /** Running containers in it. */
  readonly containers: number;
}

/** Networks. `network` is a name, an id or a unique id prefix; absent ones throw `E_NETWORK_NOTFOUND`. */
export interface NetworksApi {
  /** Throws `E_NETWORK_EXISTS`, `E_NETWORK_NAME`, `E_SUBNET`, `E_NETWORK_FULL`; `E_UNSUPPORTED` for another driver. */
  create(request: NetworkCreateRequest): Promise<{ readonly id: string }>;
  /** Filters: name, id, label, driver, scope, type, dangling. */
  list(request: { readonly filters: Filters }): Promise<readonly NetworkSummary[]>;
  /** Docker's document. */
  inspect(network: string): Promise<InspectDocument>;
  /** Throws `E_NETWORK_USED` while containers are in it, `E_NETWORK_NAME` for one that is always there. */
  remove(network: string): Promise<void>;
  connect(network: string, container: string, options: ConnectOptions): Promise<void>;
  disconnect(network: string, container: string): Promise<void>;
  /** Removes those that no container is in or joins at its next start; their names. Filters: until, label, label!. */
  prune(request: { readonly filters: Filters }): Promise<readonly string[]>;
  /** All names, for completion. */
  names(): Promise<readonly string[]>;
  /** Where ports are published that name no address. */
  publishAddress(network?: string): Promise<string>;
}
