// SPDX-License-Identifier: Apache-2.0
import { TareError, isRootless } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { Attachment, NamespaceIds, NetworkBackend } from "./backend.ts";
import { bridgeBackend } from "./bridge-backend.ts";
import { newEndpoint, release, reserve } from "./endpoints.ts";
import type { ReserveRequest } from "./endpoints.ts";
import { pastaBackend } from "./pasta-backend.ts";
import { Networks, PREDEFINED } from "./networks.ts";
import type { Join, Joined, NetworkRecord } from "./types.ts";

/** A container that starts. */
export interface StartRequest extends ReserveRequest {
  /** The container's folder. */
  readonly folder: string;
  readonly ids?: NamespaceIds | undefined;
}

/** A started attachment with its addresses. */
export interface Started extends Attachment {
  readonly joined: readonly Joined[];
}

/**
 * The networks of a store at work: records and what is made of them in the kernel, always in the order in which a kill
 * at any point leaves something that `detach` or `sweep` can finish.
 */
export class Networking {
  readonly networks: Networks;
  readonly #backend: NetworkBackend;

  constructor(networks: Networks, backend: NetworkBackend) {
    this.networks = networks;
    this.#backend = backend;
  }

  /** Gives a container its addresses and ports and begins to make its network namespace. */
  async attach(request: StartRequest): Promise<Started> {
    // A killed start of the same container may have left something.
    await this.detach(request.containerId);
    const joined = await reserve(this.networks, request);
    const { containerId, folder, ids } = request;
    const attachment = await this.#backend.attach({ containerId, folder, joined, ids });
    return { ...attachment, joined };
  }

  /** Removes everything of a container that has ended. Nothing to do is no error, and cheap. */
  async detach(container: string): Promise<void> {
    const joined = this.networks.endpointsOf(container);
    if (joined.length === 0) return;
    await this.#backend.detach(container, joined);
    release(this.networks, container, joined);
    if (joined.some(({ network }) => !network.isDefault)) await this.#backend.refresh();
  }

  /** Joins a running container to a further network. Throws `E_NETWORK_USED` when it is in it already. */
  async join(pid: number, request: Omit<ReserveRequest, "joins" | "ports"> & { readonly join: Join }): Promise<void> {
    const joined = this.networks.atOnce(() => this.#reserveFurther(request));
    try {
      await this.#backend.join(pid, joined);
    } catch (error) {
      release(this.networks, request.containerId, [joined]);
      throw error;
    }
  }

  #reserveFurther(request: Parameters<Networking["join"]>[1]): Joined {
    const { containerId, join } = request;
    const known = this.networks.get(join.network);
    if (known.endpoints[containerId]) throw alreadyIn(known, request.name);
    const used = new Set(this.networks.endpointsOf(containerId).map(({ endpoint }) => endpoint.interface));
    const index = Array.from({ length: used.size + 1 }, (_, each) => each).find((each) => !used.has(`eth${each}`)) ?? 0;
    const endpoint = newEndpoint(known, request, { index, ports: [] });
    const network = { ...known, endpoints: { ...known.endpoints, [containerId]: endpoint } };
    this.networks.documents(false).update(known.id, () => network);
    return { network, endpoint };
  }

  /** Takes a running container out of a network. */
  async leave(pid: number, container: string, network: NetworkRecord): Promise<void> {
    const all = this.networks.endpointsOf(container);
    const joined = all.filter((each) => each.network.id === network.id);
    const others = all.filter((each) => each.network.id !== network.id);
    for (const each of joined) await this.#backend.leave(pid, each, others);
    await this.#backend.detach(container, joined);
    release(this.networks, container, joined);
    await this.#backend.refresh();
  }

  /** A container has another name now. */
  async rename(container: string, name: string): Promise<void> {
    const joined = this.networks.endpointsOf(container);
    for (const { network } of joined) {
      this.networks.documents(false).update(network.id, (record) => {
        const { [container]: endpoint, ...others } = record.endpoints;
        // It may have ended meanwhile.
        return endpoint ? { ...record, endpoints: { ...others, [container]: { ...endpoint, name } } } : record;
      });
    }
    if (joined.some(({ network }) => !network.isDefault)) await this.#backend.refresh();
  }

  /** Removes a network. Throws `E_NETWORK_NOTFOUND`, `E_NETWORK_USED`, `E_NETWORK_NAME` for one that is always there. */
  async remove(text: string): Promise<NetworkRecord> {
    const known = PREDEFINED.includes(text) ? undefined : this.networks.get(text);
    if (known === undefined || known.isDefault) {
      throw new TareError(
        "E_NETWORK_NAME",
        `removing the network \`${text}\`: ${text} is a pre-defined network and cannot be removed`,
      );
    }
    const marked = this.networks.documents().update(known.id, (record) => {
      if (Object.keys(record.endpoints).length > 0) throw inUse(record);
      return { ...record, isDown: true, isRemoved: true };
    });
    await this.#finishRemoval(marked ?? known);
    return known;
  }

  async #finishRemoval(network: NetworkRecord): Promise<void> {
    await this.#backend.takeDown(network);
    this.networks.documents().remove(network.id);
  }

  /** Finishes removals that were interrupted. */
  async recover(): Promise<void> {
    for (const network of this.networks.all().filter(({ isRemoved }) => isRemoved)) await this.#finishRemoval(network);
  }

  /** Removes what no record accounts for, also endpoints of containers that `isKnown` denies; returns how much. */
  async sweep(isKnown: (container: string) => boolean): Promise<number> {
    await this.recover();
    const owners = new Set(this.networks.all().flatMap(({ endpoints }) => Object.keys(endpoints)));
    const orphans = [...owners].filter((id) => !isKnown(id));
    for (const id of orphans) await this.detach(id);
    return orphans.length + (await this.#backend.sweep());
  }
}

/** The networks of a store, as this user can have them. Cheap: nothing is read before it is needed. */
export function openNetworking(store: Store): Networking {
  const networks = new Networks(store);
  const backend = isRootless() ? pastaBackend({ store, networks }) : bridgeBackend({ store, networks });
  return new Networking(networks, backend);
}

function alreadyIn(network: NetworkRecord, name: string): TareError {
  return new TareError(
    "E_NETWORK_USED",
    `connecting \`${name}\` to the network \`${network.name}\`: endpoint with name ${name} already exists in network ${network.name}`,
  );
}

function inUse({ name, endpoints }: NetworkRecord): TareError {
  const names = Object.values(endpoints).map((endpoint) => endpoint.name);
  return new TareError(
    "E_NETWORK_USED",
    `removing the network \`${name}\`: it has active endpoints (${names.join(", ")})`,
    {
      hint: "stop these containers, or take them out with `tare network disconnect`",
    },
  );
}
