// SPDX-License-Identifier: Apache-2.0
import type { NetworkRequest } from "../engine/index.ts";
import type { CommandContext } from "./context.ts";

/** Says once that ports without an address are reached from this machine only, and how others get there. */
export async function notePublished(context: CommandContext, network: NetworkRequest | undefined): Promise<void> {
  const port = network?.ports.find(({ hostIp }) => hostIp === "");
  if (network === undefined || port === undefined || network.mode === "none") return;
  if (network.mode === "host") {
    context.stderr.write("WARNING: Published ports are discarded when using host network mode\n");
    return;
  }
  const { networks } = await context.engine();
  const address = await networks.publishAddress(network.mode === "default" ? undefined : network.mode);
  if (!address.startsWith("127.") && address !== "::1") return;
  const wide = `-p 0.0.0.0:${port.hostPort?.start ?? ""}:${port.containerPort}`;
  context.stderr.write(
    `published on ${address}: this machine only; for others \`${wide}\`, or \`publish.address\` in the settings\n`,
  );
}
