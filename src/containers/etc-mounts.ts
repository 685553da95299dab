// SPDX-License-Identifier: Apache-2.0
import { etcFilesIn, prepareEtcFiles } from "../runtime/index.ts";
import type { SpecMount } from "../runtime/index.ts";
import type { Launch } from "./runtime-port.ts";

/** The name that Docker Desktop gives the machine that containers run on; here every container with a network knows it. */
const HOST_NAME = "host.docker.internal";
const GATEWAY_WORD = /^(.*[:=])host-gateway$/;

/** Writes /etc/hosts, /etc/hostname and /etc/resolv.conf of a container and returns their mounts. */
export function etcMounts(launch: Launch): readonly SpecMount[] {
  const { record, files, network } = launch;
  const { host, config } = record;
  if (network?.etcOf !== undefined) return etcFilesIn(network.etcOf);
  const hasNames = (network?.nameServers.length ?? 0) > 0;
  return prepareEtcFiles(files.folder, {
    hostname: config.Hostname,
    ...(config.Domainname === "" ? {} : { domainname: config.Domainname }),
    extraHosts: extraHosts(launch),
    network: network ? "private" : host.network === "host" ? "host" : "none",
    ...(network ? { addresses: network.addresses } : {}),
    // With names of its own a network is asked first, and asks the user's servers itself.
    dns: hasNames ? (network?.nameServers ?? []) : host.dns,
    dnsSearch: host.dnsSearch,
    dnsOptions: hasNames ? withDots(host.dnsOptions) : host.dnsOptions,
  });
}

/** The user's lines, with the host's address filled in; then ours for what the user has not named. */
function extraHosts({ record, network }: Launch): readonly string[] {
  const { host } = record;
  const gateway = network?.gateway ?? (host.network === "host" ? "127.0.0.1" : undefined);
  const own = host.addHosts.flatMap((line) => {
    const name = GATEWAY_WORD.exec(line)?.[1];
    if (name === undefined) return [line];
    return gateway === undefined ? [] : [`${name}${gateway}`];
  });
  const isNamed = own.some((line) => line.startsWith(`${HOST_NAME}:`) || line.startsWith(`${HOST_NAME}=`));
  const ours = gateway === undefined || isNamed ? [] : [`${HOST_NAME}:${gateway}`];
  return [...own, ...(network?.hosts ?? []), ...ours];
}

/** As Docker: a name without dots is asked as it is, before the search list. */
function withDots(options: readonly string[]): readonly string[] {
  return options.some((option) => option.startsWith("ndots:")) ? options : [...options, "ndots:0"];
}
