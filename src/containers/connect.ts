// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { openNetworking } from "../network/index.ts";
import type { Join, NetworkRecord } from "../network/index.ts";
import { filesOf, networksOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import type { ContainerView } from "./filters.ts";
import { findView } from "./find.ts";
import { otherContainer } from "./joined-namespaces.ts";
import { addNameServer, removeNameServer } from "./name-servers.ts";
import type { ContainerRecord } from "./types.ts";

/** How a container joins a further network. */
export type ConnectOptions = Omit<Join, "network">;

/**
 * Joins a container to a further network: at once when it runs, and at every start. Throws `E_NETWORK_NOTFOUND`,
 * `E_NETWORK_USED` when it is in it, `E_CONTAINER_STATE` for one without networks of its own.
 */
export async function connectContainer(
  context: ContainersContext,
  network: string,
  container: string,
  options: ConnectOptions,
): Promise<void> {
  const { view, known } = parties(context, network, container);
  const { record, state } = view;
  requireNoPrivateMode(record, known);
  const join = { ...options, network: known.id };
  if (joinsOf(record).some((each) => each.network === known.id)) throw alreadyIn(record, known);
  if (state.status === "running") {
    const { id: containerId, name, host } = record;
    await openNetworking(context.store).join(state.pid, { containerId, name, dns: host.dns, join });
    addNameServer(filesOf(context, record.id).folder, known);
  }
  changeJoins(context, record.id, (joins) => [...joins, join]);
}

/** Takes a container out of a network. Throws `E_NETWORK_USED` when it is not in it. */
export async function disconnectContainer(
  context: ContainersContext,
  network: string,
  container: string,
): Promise<void> {
  const { view, known } = parties(context, network, container);
  const { record, state } = view;
  const isIn = joinsOf(record).some((each) => each.network === known.id) || known.endpoints[record.id] !== undefined;
  if (!isIn) throw notIn(record, known);
  if (state.status === "running") {
    await openNetworking(context.store).leave(state.pid, record.id, known);
    removeNameServer(filesOf(context, record.id).folder, known);
  }
  changeJoins(context, record.id, (joins) => joins.filter((each) => each.network !== known.id));
}

function parties(
  context: ContainersContext,
  network: string,
  container: string,
): { readonly view: ContainerView; readonly known: NetworkRecord } {
  const view = findView(context, container);
  const { name, host } = view.record;
  const isShared = host.network === "host" || otherContainer(host.network) !== undefined;
  if (network === "host" || network === "none" || isShared) {
    throw new TareError(
      "E_CONTAINER_STATE",
      `connecting \`${name}\` to the network \`${network}\`: a container sharing the network of the host or of another container cannot be connected to any other network`,
      { hint: "start it with `--network NAME`" },
    );
  }
  return { view, known: networksOf(context).get(network) };
}

/** One that was made with `--network none` shall reach nothing; one that was taken out of its last network is no such. */
function requireNoPrivateMode({ name, host }: ContainerRecord, network: NetworkRecord): void {
  if (host.network !== "none" || host.joins !== undefined) return;
  const why = "container cannot be connected to multiple networks with one of the networks in private (none) mode";
  throw new TareError("E_CONTAINER_STATE", `connecting \`${name}\` to the network \`${network.name}\`: ${why}`, {
    hint: "start it with `--network NAME`",
  });
}

function joinsOf({ host }: ContainerRecord): readonly Join[] {
  return host.joins ?? [];
}

/** The first network gives the container's mode its name. */
function changeJoins(
  context: ContainersContext,
  id: string,
  change: (joins: readonly Join[]) => readonly Join[],
): void {
  const networks = networksOf(context);
  recordsOf(context).update(id, (record) => {
    const joins = change(joinsOf(record));
    const [first] = joins;
    const network = first === undefined ? "none" : (networks.find(first.network)?.name ?? record.host.network);
    return { ...record, host: { ...record.host, joins, network } };
  });
}

function alreadyIn({ name }: ContainerRecord, network: NetworkRecord): TareError {
  const why = `endpoint with name ${name} already exists in network ${network.name}`;
  return new TareError("E_NETWORK_USED", `connecting \`${name}\` to the network \`${network.name}\`: ${why}`);
}

function notIn({ name }: ContainerRecord, network: NetworkRecord): TareError {
  const why = `container ${name} is not connected to network ${network.name}`;
  return new TareError("E_NETWORK_USED", `disconnecting \`${name}\` from the network \`${network.name}\`: ${why}`);
}

/** The thorough clean-up, for `system prune`: what networks left in the kernel and nobody accounts for. */
export async function sweepNetworks(context: ContainersContext): Promise<number> {
  const records = recordsOf(context);
  return await openNetworking(context.store).sweep((id) => records.get(id) !== undefined);
}
