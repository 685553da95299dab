// SPDX-License-Identifier: Apache-2.0
import { TareError, suggest } from "../base/index.ts";
import type { DocumentStore, Store } from "../store/index.ts";
import type { Block } from "./addresses.ts";
import { withNetworkEvents } from "./events.ts";
import { hostRoutes } from "./host-routes.ts";
import { stableId } from "./stable-id.ts";
import { blockOf, freeSubnet } from "./subnets.ts";
import type { Joined, NetworkRecord } from "./types.ts";

const KIND = "network";
/** Names that are modes of a container or always there; nobody may give them to a network. */
export const PREDEFINED: readonly string[] = ["bridge", "host", "none"];

/** The networks of a store. Reading takes no lock. */
export class Networks {
  readonly #store: Pick<Store, "documents" | "events" | "root">;

  constructor(store: Pick<Store, "documents" | "events" | "root">) {
    this.#store = store;
  }

  /** Those that have a bridge, the default one first; before its first use that one has no addresses yet. */
  list(): readonly NetworkRecord[] {
    const known = this.all();
    const others = known
      .filter(({ isDefault, isRemoved }) => !isDefault && !isRemoved)
      .toSorted((a, b) => a.name.localeCompare(b.name));
    return [known.find(({ isDefault }) => isDefault) ?? this.#unused(), ...others];
  }

  /** Also those whose removal was interrupted. */
  all(): readonly NetworkRecord[] {
    return this.documents().list();
  }

  /** By name, id or unique id prefix. */
  find(text: string): NetworkRecord | undefined {
    if (text === "bridge" || text === "default") return this.list()[0];
    const found = this.documents().find(text);
    if (found) return found.isRemoved ? undefined : found;
    return this.#idOf("bridge").startsWith(text) ? this.list()[0] : undefined;
  }

  /** As `find`. Throws `E_NETWORK_NOTFOUND`. */
  get(text: string, doing: string = "looking up the network"): NetworkRecord {
    const found = this.find(text);
    if (found) return found;
    const near = suggest(
      text,
      this.list().map(({ name }) => name),
    );
    throw new TareError("E_NETWORK_NOTFOUND", `${doing} \`${text}\`: no such network`, {
      hint: near ? `did you mean \`${near}\`?` : "`tare network ls` lists all, `tare network create` makes one",
    });
  }

  /** The default network, made when it is not there yet. */
  default(): NetworkRecord {
    const id = this.#idOf("bridge");
    const known = this.documents().get(id);
    if (known) return known;
    this.documents().change(id, (before) => before ?? { ...this.#unused(), subnets: [freeSubnet(this.usedBlocks())] });
    return this.documents().get(id) ?? this.#unused();
  }

  /** Blocks of all networks and of the host's routes. */
  usedBlocks(): readonly Block[] {
    const own = this.all().flatMap(({ subnets }) => subnets.map(({ subnet }) => blockOf(subnet)));
    return [...own, ...hostRoutes()];
  }

  /** Where a container is, in the order of its interfaces. */
  endpointsOf(container: string): readonly Joined[] {
    return joinedIn(this.all(), container);
  }

  /** The ids of the networks that stand for a mode and have no bridge. */
  idOfMode(name: "host" | "none"): string {
    return this.#idOf(name);
  }

  /** Several changes at once, or none. */
  atOnce<T>(act: () => T): T {
    const results: T[] = [];
    this.#store.documents<object>("network-lock").change("lock", () => (results.push(act()), {}));
    const [result] = results;
    return result as T;
  }

  /** With `lasting` false changes may be lost in a power cut, after which no endpoint is true any more. */
  documents(lasting: boolean = true): DocumentStore<NetworkRecord> {
    return withNetworkEvents(this.#store.documents<NetworkRecord>(KIND, { lasting }), this.#store.events);
  }

  #idOf(name: string): string {
    return stableId(`network ${name} of ${this.#store.root}`);
  }

  #unused(): NetworkRecord {
    const id = this.#idOf("bridge");
    return {
      version: 1,
      id,
      name: "bridge",
      createdAt: 0,
      internal: false,
      ipv6: false,
      attachable: false,
      labels: {},
      options: {},
      subnets: [],
      bridge: bridgeOf(id),
      isDefault: true,
      endpoints: {},
    };
  }
}

/** The bridge's interface of a network that does not choose one: 15 bytes are all that Linux takes. */
export function bridgeOf(id: string): string {
  return `tare-${id.slice(0, 10)}`;
}

/** The endpoints of one container in networks, in the order of their interfaces. */
export function joinedIn(networks: readonly NetworkRecord[], container: string): readonly Joined[] {
  const found = networks.flatMap((network) => {
    const endpoint = network.endpoints[container];
    return endpoint ? [{ network, endpoint }] : [];
  });
  return found.toSorted((a, b) => interfaceNumber(a) - interfaceNumber(b));
}

function interfaceNumber({ endpoint }: Joined): number {
  return Number(endpoint.interface.replace(/^eth/, ""));
}
