// SPDX-License-Identifier: Apache-2.0
import { parseLabels } from "../../options/index.ts";
import { refused } from "../option-specs.ts";
import type { CommandBody } from "../command.ts";

const SWARM = "there is no Swarm here";

/** `tare network create`. */
export const command: CommandBody = {
  usage: "[OPTIONS] NETWORK",
  description: "Containers of a network reach one another by name, and containers of other networks not at all.",
  count: { min: 1, max: 1 },
  options: [
    { name: "driver", short: "d", type: "string", default: "bridge", description: "Driver: `bridge`" },
    { name: "subnet", type: "list", description: "Addresses, as in `10.5.0.0/24`; default: a free block" },
    { name: "gateway", type: "list", description: "This host's address in the subnet; default: its first" },
    { name: "ip-range", type: "list", description: "Give addresses to containers out of this part only" },
    { name: "internal", type: "boolean", description: "No way out, and none in" },
    { name: "ipv6", type: "boolean", description: "IPv6 addresses too" },
    { name: "ipv4", type: "boolean", default: true, description: "IPv4 addresses", hidden: true },
    { name: "label", type: "list", description: "Label of the network" },
    {
      name: "opt",
      short: "o",
      type: "list",
      valueName: "map",
      description: "Option of the driver: `com.docker.network.driver.mtu=1400`",
    },
    { name: "attachable", type: "boolean", description: "Accepted, as all networks are" },
    {
      name: "ipam-driver",
      type: "string",
      default: "default",
      description: "How addresses are given: `default`",
      choices: ["default"],
    },
    refused("ipam-opt", "there are no other ways to give addresses"),
    refused("aux-address", "reserve addresses with `--ip-range`"),
    refused("config-from", SWARM, "string"),
    refused("config-only", SWARM, "boolean"),
    refused("ingress", SWARM, "boolean"),
    refused("scope", SWARM, "string"),
  ],
  examples: [
    { line: "tare network create team", text: "then `tare run --network team --name db …`, and others reach `db`" },
    { line: "tare network create --internal --subnet 10.5.0.0/24 closed", text: "without a way out" },
  ],
  async run(context, parsed) {
    const { networks } = await context.engine();
    const [name = ""] = parsed.positionals;
    const { id } = await networks.create({
      name,
      driver: parsed.string("driver") ?? "bridge",
      subnets: words(parsed.list("subnet")),
      gateways: words(parsed.list("gateway")),
      ranges: words(parsed.list("ip-range")),
      internal: parsed.boolean("internal"),
      ipv6: parsed.boolean("ipv6"),
      attachable: parsed.boolean("attachable"),
      labels: parseLabels(parsed.list("label")),
      options: parsed.pairs("opt"),
    });
    context.stdout.write(`${id}\n`);
  },
};

/** Docker takes several in one value. */
function words(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(",")).filter((word) => word !== "");
}
