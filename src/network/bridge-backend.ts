// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { startFailure, withFileLock } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { Attachment, NetworkBackend } from "./backend.ts";
import { isOpenInside, mtuWords } from "./bridge-options.ts";
import { addressLine, bringUp, ip, isUp, nft, takeDown, tool } from "./bridge.ts";
import { defaultDevice } from "./host-routes.ts";
import { makeNamespace } from "./namespace.ts";
import type { NamespaceScript } from "./namespace.ts";
import { NameService } from "./names.ts";
import type { Networks } from "./networks.ts";
import { isInstalled } from "./programs.ts";
import { portRules } from "./ruleset.ts";
import { stableId } from "./stable-id.ts";
import { strayElements } from "./stray-rules.ts";
import type { Joined, NetworkRecord } from "./types.ts";

/** What root's networks are made of. */
export interface BridgeBackendOptions {
  readonly store: Pick<Store, "root" | "runRoot">;
  readonly networks: Networks;
}

/** Bridges, virtual cables, nftables and aardvark-dns: for root. */
export function bridgeBackend({ store, networks }: BridgeBackendOptions): NetworkBackend {
  const table = `tare_${stableId(store.root).slice(0, 8)}`;
  const names = new NameService(store.runRoot);
  // A network that another command is about to bring up is told of by that one: nobody can listen there yet.
  const refresh = (): Promise<void> => names.refresh(() => networks.list().filter(isUp));
  const alone = <T>(act: () => Promise<T>): Promise<T> => withFileLock(join(store.runRoot, "bridges.lock"), act);
  const bringUpAll = async (all: readonly NetworkRecord[]): Promise<void> => {
    const missing = all.filter((network) => network.isDown === true || !isUp(network));
    if (missing.length === 0) return;
    await alone(async () => {
      for (const network of missing) {
        await bringUp(table, network);
        networks.documents(false).update(network.id, (record) => ({ ...record, isDown: false }));
      }
    });
  };
  return {
    attach: async ({ folder, joined }) => {
      requirePrograms();
      await bringUpAll(joined.map(({ network }) => network));
      const attachment = makeNamespace(folder, scriptOf(joined, portRules(table, "add", joined)));
      return withNames(attachment, joined.some(hasNames) ? refresh() : undefined);
    },
    detach: async (_container, joined) => {
      const rules = portRules(table, "add", joined);
      // Adding what may be gone already makes its deletion no error; without the table there is nothing to delete.
      if (rules !== "") await nft(rules + portRules(table, "delete", joined)).catch(() => undefined);
    },
    join: async (pid, joined) => {
      requirePrograms();
      await bringUpAll([joined.network]);
      await ip(insideLines(joined, !joined.network.internal && !hasDefaultRoute(pid)), `/proc/${pid}/ns/net`);
      await ip(outsideLines(joined));
      if (hasNames(joined)) await refresh();
    },
    leave: async (pid, { endpoint }, others) => {
      await ip(`link del ${endpoint.interface}\n`, `/proc/${pid}/ns/net`).catch(() => undefined);
      const next = defaultRoute(others);
      if (next && !hasDefaultRoute(pid)) await ip(routeLines(next), `/proc/${pid}/ns/net`);
    },
    refresh,
    takeDown: async (network) => {
      await alone(() => takeDown(table, network));
    },
    sweep: async () => {
      const count = await sweepRules(table, networks);
      await refresh();
      return count + (await alone(() => sweepBridges(table, networks)));
    },
  };
}

/** A network with names answers for them before the container starts. */
function withNames(attachment: Attachment, names: Promise<void> | undefined): Attachment {
  if (names === undefined) return attachment;
  const ready = bothEnded(attachment.ready, names);
  ready.catch(() => undefined);
  return { ...attachment, ready };
}

/** Rejects when one did, but not while the other is still at work. */
async function bothEnded(one: Promise<void>, other: Promise<void>): Promise<void> {
  await Promise.allSettled([one, other]);
  await Promise.all([one, other]);
}

function hasNames({ network }: Joined): boolean {
  return !network.isDefault;
}

const PROGRAMS: readonly string[] = ["ip", "nft", "nsenter", "unshare"];

/** Before anything is made. Throws `E_PROGRAM_MISSING`. */
function requirePrograms(): void {
  const missing = PROGRAMS.find((name) => !isInstalled(name));
  if (missing !== undefined) throw startFailure(missing, { code: "ENOENT" });
}

function scriptOf(joined: readonly Joined[], rules: string): NamespaceScript {
  const route = defaultRoute(joined);
  const inside = joined.map((each) => insideLines(each, each === route));
  return { inside: `link set lo up\n${inside.join("")}`, outside: joined.map(outsideLines).join(""), rules };
}

/** Internal networks lead nowhere; of the others the first. */
function defaultRoute(joined: readonly Joined[]): Joined | undefined {
  return joined.find(({ network }) => !network.internal);
}

/** The container's end of the cable; the other end appears in the namespace of this process. */
function insideLines({ network, endpoint }: Joined, isDefaultRoute: boolean): string {
  const { interface: name, macAddress, peer, ipv4, ipv6 } = endpoint;
  const size = mtuWords(network);
  const addresses = network.subnets.flatMap((subnet) => {
    const address = subnet.gateway.includes(":") ? ipv6 : ipv4;
    return address === undefined ? [] : [addressLine(subnet, address, name)];
  });
  return [
    `link add ${name} address ${macAddress}${size} type veth peer name ${peer}${size} netns ${process.pid}\n`,
    ...addresses,
    `link set ${name} up\n`,
    isDefaultRoute ? routeLines({ network, endpoint }) : "",
  ].join("");
}

function routeLines({ network, endpoint }: Joined): string {
  return network.subnets
    .map(({ gateway }) => `route replace default via ${gateway} dev ${endpoint.interface}\n`)
    .join("");
}

/** All networks have IPv4. */
function hasDefaultRoute(pid: number): boolean {
  return defaultDevice(pid) !== undefined;
}

function outsideLines({ network, endpoint }: Joined): string {
  // The rules see only what goes by way of this host; the bridge itself keeps its ports apart.
  const apart = isOpenInside(network) ? "" : `link set ${endpoint.peer} type bridge_slave isolated on\n`;
  return `link set ${endpoint.peer} master ${network.bridge} up\n${apart}`;
}

/** Published ports of containers that have no endpoint. Listed before the records: a new one has its record first. */
async function sweepRules(table: string, networks: Networks): Promise<number> {
  const { code, stdout } = await tool("nft", ["-j", "list", "table", "inet", table]);
  if (code !== 0) return 0;
  const joined = networks
    .list()
    .flatMap((network) => Object.values(network.endpoints).map((endpoint) => ({ network, endpoint })));
  const stray = strayElements(stdout, portRules(table, "add", joined));
  await nft(stray.map((element) => `delete element inet ${table} ${element}\n`).join("")).catch(() => undefined);
  return stray.length;
}

/** Cables that no endpoint has, bridges of networks without containers; the table with the last bridge. */
async function sweepBridges(table: string, networks: Networks): Promise<number> {
  let count = 0;
  for (const network of networks.all().filter(isUp)) {
    const cables = await cablesOf(network);
    const record = markIdle(networks, network.id);
    const known = new Set(Object.values(record?.endpoints ?? {}).map(({ peer }) => peer));
    const stray = cables.filter((cable) => cable.startsWith("tv") && !known.has(cable));
    await ip(stray.map((cable) => `link del ${cable}\n`).join("")).catch(() => undefined);
    count += stray.length;
    if (known.size === 0) await takeDown(table, network);
  }
  if (!networks.all().some(isUp)) await tool("nft", ["delete", "table", "inet", table]);
  return count;
}

async function cablesOf({ bridge }: NetworkRecord): Promise<readonly string[]> {
  const { stdout } = await tool("ip", ["-o", "link", "show", "master", bridge]);
  return stdout.split("\n").flatMap((line) => /^\d+: ([^@:]+)/.exec(line)?.[1] ?? []);
}

/** From here on a container that wants a network without containers waits for the lock and makes its bridge anew. */
function markIdle(networks: Networks, id: string): NetworkRecord | undefined {
  return networks.documents(false).update(id, (record) => {
    const isIdle = Object.keys(record.endpoints).length === 0;
    return isIdle ? { ...record, isDown: true } : record;
  });
}
