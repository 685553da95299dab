// SPDX-License-Identifier: Apache-2.0
/*
 * A runtime whose containers have networks: the namespace is made before the start, while the rest is prepared, and what
 * is left of it is removed after the end. Part of the runtime, so that every way to an end goes through it.
 */
import { TareError, isRootless } from "../base/index.ts";
import { hostAddress, openNetworking } from "../network/index.ts";
import type { Join, Joined, NamespaceIds, Networking } from "../network/index.ts";
import { namespaceLimits, swapped } from "../runtime/index.ts";
import type { Store } from "../store/index.ts";
import { filesOf } from "./context.ts";
import { containerTree } from "./image-tree.ts";
import { firstProcess, joinedProcesses, otherContainer } from "./joined-namespaces.ts";
import { userOf } from "./launch-spec.ts";
import { keptId } from "./mount-owners.ts";
import type { LogWriter } from "./logs/writer.ts";
import { OciContainerRuntime } from "./oci-runtime.ts";
import type { RuntimeOptions } from "./oci-runtime.ts";
import type { ProcessTable } from "./process-identity.ts";
import type { ProcessIo } from "./request.ts";
import type { Launch, LaunchNetwork, Outcome } from "./runtime-port.ts";
import type { ContainerRecord } from "./types.ts";

interface Begun {
  readonly launch: Launch;
  readonly release: () => Promise<void>;
}

const NOTHING = async (): Promise<void> => Promise.resolve();

/** The runtime of this host, with networks. */
export class NetworkedRuntime extends OciContainerRuntime {
  readonly #store: Store;
  readonly #processes: ProcessTable;
  #networking: Networking | undefined;

  constructor(options: RuntimeOptions, processes: ProcessTable) {
    super(options);
    this.#store = options.store;
    this.#processes = processes;
  }

  override async runForeground(launch: Launch, io: ProcessIo, log: LogWriter | undefined): Promise<Outcome> {
    const begun = await this.#begin(launch);
    try {
      return await super.runForeground(begun.launch, io, log);
    } finally {
      await begun.release();
      await this.#detach(launch.record);
    }
  }

  override async startDetached(
    launch: Launch,
    onCreated?: () => Promise<void>,
  ): Promise<{ readonly supervisorPid: number; readonly pid: number }> {
    const begun = await this.#begin(launch);
    try {
      return await super.startDetached(begun.launch, onCreated);
    } finally {
      await begun.release();
    }
  }

  override async cleanup(launch: Launch): Promise<void> {
    await super.cleanup(launch);
    await this.#detach(launch.record);
  }

  override async discard(id: string): Promise<void> {
    await super.discard(id);
    await this.#networks.detach(id);
  }

  get #networks(): Networking {
    return (this.#networking ??= openNetworking(this.#store));
  }

  async #detach({ id, host }: ContainerRecord): Promise<void> {
    if (host.network !== "none" && host.network !== "host") await this.#networks.detach(id);
  }

  async #begin(asked: Launch): Promise<Begun> {
    const { network } = asked.record.host;
    const processes = joinedProcesses({ store: this.#store, processes: this.#processes }, asked.record);
    const launch = processes === undefined ? asked : { ...asked, processes };
    if (network === "none" || network === "host") return { launch, release: NOTHING };
    const other = otherContainer(network);
    if (other !== undefined) return { launch: { ...launch, network: this.#shared(other) }, release: NOTHING };
    return await this.#attach(launch);
  }

  async #attach(launch: Launch): Promise<Begun> {
    const { id, name, host } = launch.record;
    const joins = host.joins ?? [];
    const hosts = (host.links ?? []).flatMap((link) => this.#linked(link.name, link.alias, joins));
    const { joined, namespace, ready, release, ...more } = await this.#networks.attach({
      containerId: id,
      folder: launch.files.folder,
      name,
      joins,
      ports: host.ports ?? [],
      dns: host.dns,
      ids: this.#idsOf(launch.record),
    });
    // A start that fails early is not cleared up while helpers are still at it: what they make later would stay.
    const releaseOnceMade = async (): Promise<void> => ready.catch(() => undefined).then(release);
    const network = { namespace, ready, hosts, ...more, ...placeOf(joined) };
    return { launch: { ...launch, network }, release: releaseOnceMade };
  }

  /** Those of a container one of whose users is the caller: its network is its own namespace's. */
  #idsOf(record: ContainerRecord): NamespaceIds | undefined {
    const limits = namespaceLimits();
    if (limits === undefined) return undefined;
    const kept = keptId(record, userOf(record, containerTree({ store: this.#store }, record)), limits);
    return kept && { uids: swapped(kept.uid, limits.uids), gids: swapped(kept.gid, limits.gids) };
  }

  /** The lines of a `--link`. Throws `E_CONTAINER_NOTFOUND` when nothing of that name is in one of these networks. */
  #linked(name: string, alias: string, joins: readonly Join[]): readonly string[] {
    const networks = this.#networks.networks.list().filter(({ id }) => joins.some(({ network }) => network === id));
    const endpoints = networks.flatMap((network) => Object.entries(network.endpoints));
    // A name may look like the beginning of an id.
    const found =
      endpoints.find(([, endpoint]) => endpoint.name === name) ?? endpoints.find(([id]) => id.startsWith(name));
    if (found === undefined) {
      throw new TareError(
        "E_CONTAINER_NOTFOUND",
        `linking to the container \`${name}\`: it does not run in a network of this container`,
        {
          hint: `start it with \`tare start ${name}\``,
        },
      );
    }
    const [id, { ipv4, name: ownName }] = found;
    return [...new Set([alias, id.slice(0, 12), ownName])].map((word) => `${word}:${ipv4}`);
  }

  /** The namespace and the files of a container that runs. Throws `E_CONTAINER_STATE`. */
  #shared(id: string): LaunchNetwork {
    const pid = firstProcess({ store: this.#store, processes: this.#processes }, id, "network");
    const etcOf = filesOf({ store: this.#store }, id).folder;
    return { namespace: `/proc/${pid}/ns/net`, ready: Promise.resolve(), etcOf, ...placeOf([]), hosts: [] };
  }
}

/** What the container's files say of its networks. */
function placeOf(joined: readonly Joined[]): Pick<LaunchNetwork, "addresses" | "gateway" | "nameServers"> {
  const named = joined.filter(({ network }) => !network.isDefault);
  const gatewayOf = ({ network }: Joined): readonly string[] =>
    network.subnets.slice(0, 1).map(({ gateway }) => gateway);
  return {
    addresses: joined.flatMap(({ endpoint }) => [endpoint.ipv4, ...(endpoint.ipv6 ? [endpoint.ipv6] : [])]),
    gateway: (isRootless() ? hostAddress() : joined.flatMap(gatewayOf)[0]) ?? "127.0.0.1",
    nameServers: named.flatMap(gatewayOf),
  };
}
