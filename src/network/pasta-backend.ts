// SPDX-License-Identifier: Apache-2.0
/*
 * The default network of an ordinary user: each container has a network namespace, and a process of pasta that carries
 * its packets through ordinary sockets of the user and listens on the published ports. Nothing on the host changes.
 *
 *     <run root>/pasta/<container id>.pid   of pasta
 *     <run root>/pasta/<container id>       where pasta has the namespace mounted, for itself alone
 *
 * Containers reach the outside and are reached by published ports, not each other: that would need a bridge.
 */
import * as fs from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { TareError, ensureDirectory, execute, ioError, startFailure } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { Attachment, NamespaceIds, NetworkBackend } from "./backend.ts";
import { defaultDevice } from "./host-routes.ts";
import { startHelper } from "./namespace.ts";
import { TOOL_ENVIRONMENT, isInstalled, processOf, signal } from "./programs.ts";
import type { Networks } from "./networks.ts";
import type { Joined, PublishedPort } from "./types.ts";

/** What an ordinary user's network is made of. */
export interface PastaBackendOptions {
  readonly store: Pick<Store, "runRoot">;
  readonly networks: Networks;
}

const TUNNEL = "/dev/net/tun";

/** Why pasta can't be used here; undefined when it can. */
export function whyNoPasta(): string | undefined {
  if (!isInstalled("pasta")) return "pasta (package passt) is not installed";
  try {
    fs.accessSync(TUNNEL, fs.constants.R_OK | fs.constants.W_OK);
    return undefined;
  } catch {
    return `${TUNNEL} can't be opened`;
  }
}

/** The host's own address: the gateway of an ordinary user's network is nobody. */
export function hostAddress(): string | undefined {
  return networkInterfaces()[defaultDevice("self") ?? ""]?.find(({ family }) => family === "IPv4")?.address;
}

/** A network namespace and a pasta for each container. */
export function pastaBackend({ store, networks }: PastaBackendOptions): NetworkBackend {
  const folder = join(store.runRoot, "pasta");
  return {
    attach: ({ containerId, folder: bundle, joined, ids }) => {
      const [first] = joined;
      const why = whyNoPasta();
      if (first === undefined || joined.length > 1 || why !== undefined) throw unavailable(why);
      ensureDirectory(folder);
      return Promise.resolve(attach(join(folder, containerId), bundle, { joined: first, ids }));
    },
    detach: (containerId) => Promise.resolve(void endPasta(join(folder, containerId))),
    join: () => Promise.reject(unavailable(undefined)),
    leave: () => Promise.reject(unavailable(undefined)),
    refresh: () => Promise.resolve(),
    takeDown: () => Promise.resolve(),
    sweep: () => Promise.resolve(sweep(folder, networks)),
  };
}

/** Holds a new namespace until the container is in it. */
const HOLD = "echo ready; read -r _";
/** The kernel shows the namespace of another process only to who has as many rights, and pasta gives its own up. */
const START = 'mount -i --bind "$1" "$2" || exit 1; shift 2; exec "$@"';

interface Wanted {
  readonly joined: Joined;
  readonly ids: NamespaceIds | undefined;
}

function attach(place: string, bundle: string, { joined, ids }: Wanted): Attachment {
  const words = [...(ids === undefined ? [] : ["--user"]), "--net", "sh", "-c", HOLD, "sh", "--bundle", bundle];
  const { pid, ready: entered, release } = startHelper(words);
  const namespace = `/proc/${pid}/ns/net`;
  const ready = entered.then(() => {
    if (ids !== undefined) giveIds(pid, ids);
    return startPasta(namespace, place, joined);
  });
  ready.catch(() => undefined);
  return {
    namespace,
    ...(ids === undefined ? {} : { userNamespace: `/proc/${pid}/ns/user` }),
    ready,
    release,
  };
}

/** Root of the namespace above may give any of its ids. */
function giveIds(pid: number, { uids, gids }: NamespaceIds): void {
  const text = (rows: NamespaceIds["uids"]): string =>
    rows.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join("");
  try {
    fs.writeFileSync(`/proc/${pid}/uid_map`, text(uids));
    fs.writeFileSync(`/proc/${pid}/gid_map`, text(gids));
  } catch (error) {
    throw ioError("giving ids to the container's namespace", error);
  }
}

/** Returns when pasta has gone into the background, with the interface and the ports in place. */
async function startPasta(namespace: string, place: string, joined: Joined): Promise<void> {
  fs.writeFileSync(place, "", { mode: 0o600 });
  const mounting = ["--mount", "--propagation", "slave", "sh", "-c", START, "sh", namespace, place];
  const result = await execute("unshare", [...mounting, "pasta", ...pastaArguments(place, joined)], {
    env: TOOL_ENVIRONMENT,
  });
  if (result.code !== 0) throw pastaFailure(result.stderr);
}

/** pasta's options for a container's endpoint. */
export function pastaArguments(place: string, { network, endpoint }: Joined): string[] {
  const [subnet] = network.subnets;
  const bits = subnet?.subnet.split("/")[1] ?? "16";
  const ports = (protocol: string): string[] => {
    const own = endpoint.ports.filter((port) => port.protocol === protocol).map(portArgument);
    return own.length === 0 ? ["none"] : own;
  };
  return [
    "--quiet",
    "--config-net",
    // The gateway would lead to what listens on this machine's loopback only.
    "--no-map-gw",
    "--no-netns-quit",
    ["--ns-ifname", endpoint.interface],
    ["--ns-mac-addr", endpoint.macAddress],
    ["--address", endpoint.ipv4, "--netmask", bits],
    subnet === undefined ? [] : ["--gateway", subnet.gateway],
    ports("tcp").flatMap((port) => ["--tcp-ports", port]),
    ports("udp").flatMap((port) => ["--udp-ports", port]),
    ["--tcp-ns", "none", "--udp-ns", "none"],
    ["--pid", `${place}.pid`, "--netns", place],
  ].flat();
}

/** Always with the address, `0.0.0.0` too: without one pasta takes IPv6's as well. */
function portArgument({ hostIp, hostPort, containerPort }: PublishedPort): string {
  return `${hostIp}/${hostPort}:${containerPort}`;
}

/** Ends the pasta of a container; true when there was one. */
function endPasta(place: string): boolean {
  const isThere = signal(processOf(`${place}.pid`, `${place}.pid`), "SIGTERM");
  for (const path of [`${place}.pid`, place]) fs.rmSync(path, { force: true });
  return isThere;
}

/** Those of containers that have no place in a network any more. Listed before the records, which come first. */
function sweep(folder: string, networks: Networks): number {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => name.replace(/\.pid$/, "")) : [];
  const known = new Set(networks.all().flatMap(({ endpoints }) => Object.keys(endpoints)));
  const stray = [...new Set(names)].filter((id) => !known.has(id));
  return stray.filter((id) => endPasta(join(folder, id))).length;
}

function unavailable(why: string | undefined): TareError {
  if (why?.includes("not installed") === true) return startFailure("pasta", { code: "ENOENT" });
  const what = why ?? "an ordinary user's containers have the default network and no other";
  return new TareError("E_UNSUPPORTED", `setting up the network: ${what}`, {
    hint: "`tare system check` says what this host lacks; `--network host` and `--network none` need nothing",
    exitCode: 125,
  });
}

function pastaFailure(complaint: string): TareError {
  const lines = complaint.split("\n").filter((line) => line.trim() !== "" && !line.includes("syslog"));
  const why = lines.slice(-2).join("; ") || "pasta was killed";
  const isLow = /bind.*denied|denied.*bind|Permission denied/i.test(why);
  return new TareError("E_NETWORK", `setting up the network: ${why}`, {
    hint: isLow
      ? "ports below 1024 are root's: publish a higher one, as `-p 8080:80`, or see `low ports` of `tare system check`"
      : "`tare system check` says what this host lacks; `--network host` and `--network none` need nothing",
    exitCode: 125,
  });
}
