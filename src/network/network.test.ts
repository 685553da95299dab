// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { array, assert, constantFrom, integer, ipV4, ipV6, oneof, property, record, tuple } from "fast-check";
import type { Arbitrary } from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { addressNumber, addressText, blockText, familyOf, overlaps, parseBlock } from "./addresses.ts";
import type { Block } from "./addresses.ts";
import { createNetwork } from "./create.ts";
import type { NetworkCreateRequest } from "./create.ts";
import { release, reserve } from "./endpoints.ts";
import { defaultDevice, hostRoutes } from "./host-routes.ts";
import { Networks } from "./networks.ts";
import { assignPorts, portsText } from "./publish.ts";
import { baseRules, bridgeRules, portRules } from "./ruleset.ts";
import { strayElements } from "./stray-rules.ts";
import { blockOf, chooseAddress, freeSubnet, macAddressOf } from "./subnets.ts";
import type { PublishedPort } from "./types.ts";

const four = ipV4();
const six = ipV6();
const block4 = tuple(four, integer({ min: 8, max: 30 })).map(([ip, bits]) => blockOf(`${ip}/${bits}`));

describe("addresses", () => {
  it("survive being numbers", () => {
    assert(
      property(oneof(four, six), (text) => {
        const [number, family] = [addressNumber(text), familyOf(text)];
        if (number === undefined || family === undefined) throw new Error(`no address: ${text}`);
        expect(addressNumber(addressText(number, family))).toBe(number);
      }),
    );
  });

  it.each([
    ["10.1.2.3/24", "10.1.2.0/24"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["fd00:1::5/64", "fd00:1::/64"],
    ["::ffff:10.0.0.1/128", "::ffff:a00:1/128"],
  ])("%s is the block %s", (text, block) => {
    expect(blockText(blockOf(text))).toBe(block);
  });

  it.each(["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "x/8", "fe80::1%eth0/64", "10.0.0.0/8/8", "10.0.0.0/-1"])(
    "`%s` is no block",
    (text) => {
      expect(parseBlock(text)).toBe(undefined);
    },
  );

  it("overlap when they share one", () => {
    assert(
      property(block4, block4, (one, other) => {
        const shared = one.prefix < other.prefix ? one : other;
        const inner = shared === one ? other : one;
        const size = 1n << BigInt(32 - shared.prefix);
        expect(overlaps(one, other)).toBe(inner.first >= shared.first && inner.first < shared.first + size);
        expect(overlaps(one, other)).toBe(overlaps(other, one));
      }),
    );
  });
});

describe("subnets", () => {
  it("are the first that nobody uses", () => {
    expect(freeSubnet([])).toEqual({ subnet: "172.17.0.0/16", gateway: "172.17.0.1" });
    expect(freeSubnet([blockOf("172.17.3.0/24"), blockOf("172.18.0.0/15")]).subnet).toBe("172.20.0.0/16");
    expect(freeSubnet([blockOf("172.16.0.0/12")]).subnet).toBe("192.168.0.0/20");
    const usual = [blockOf("172.16.0.0/12"), blockOf("192.168.0.0/16")];
    expect(freeSubnet(usual).subnet).toBe("10.89.0.0/24");
    expect(() => freeSubnet([...usual, blockOf("10.0.0.0/8")])).toThrow("all of the usual blocks");
  });

  it("never overlap what is used", () => {
    assert(
      property(array(block4, { maxLength: 12 }), (used) => {
        const found = tryTo(() => freeSubnet(used));
        if (found) expect(used.filter((block) => overlaps(block, blockOf(found.subnet)))).toEqual([]);
      }),
    );
  });

  it("avoid the host's routes", () => {
    const text =
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n" +
      "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" +
      "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
    expect(hostRoutes(text).map((block: Block) => blockText(block))).toEqual(["172.17.0.0/16"]);
  });

  it("tell the default route from half of the world, which some VPNs take", () => {
    const rows = [
      "tun0\t00000000\t0100080A\t0003\t0\t0\t0\t00000080",
      "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000",
    ];
    const table = (...lines: string[]): string => ["Iface\tDestination", ...lines].join("\n");
    expect(defaultDevice("self", table(...rows))).toBe("eth0");
    expect(defaultDevice("self", table(...rows.slice(0, 1)))).toBeUndefined();
  });

  it("give the lowest free address, inside the range, never the gateway's or the ends'", () => {
    const subnet = { subnet: "10.0.0.0/29", gateway: "10.0.0.1" };
    const all: string[] = [];
    for (let each = 0; each < 5; each += 1) all.push(chooseAddress(subnet, { taken: new Set(all), network: "n" }));
    expect(all).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]);
    expect(() => chooseAddress(subnet, { taken: new Set(all), network: "n" })).toThrow("no free address");
    const part = { ...subnet, range: "10.0.0.4/30" };
    expect(chooseAddress(part, { taken: new Set(), network: "n" })).toBe("10.0.0.4");
    expect(macAddressOf("10.0.0.4")).toBe("02:42:0a:00:00:04");
  });

  it.each([
    ["10.0.0.1", "it is the gateway's"],
    ["10.0.1.1", "not in the network's subnet"],
    ["10.0.0.5", "Address already in use"],
    ["fd00::1", "not in the network's subnet"],
  ])("refuse the wanted address %s", (wanted, why) => {
    const choice = { taken: new Set(["10.0.0.5"]), network: "n", wanted };
    expect(() => chooseAddress({ subnet: "10.0.0.0/24", gateway: "10.0.0.1" }, choice)).toThrow(why);
  });
});

const published = record({
  hostIp: constantFrom("127.0.0.1", "0.0.0.0", "10.0.0.1", "::", "fd00::1"),
  hostPort: integer({ min: 1, max: 6 }),
  containerPort: integer({ min: 1, max: 6 }),
  protocol: constantFrom("tcp", "udp", "sctp"),
}) satisfies Arbitrary<PublishedPort>;

describe("published ports", () => {
  it("never collide with what is taken or with one another", () => {
    assert(
      property(array(published, { maxLength: 6 }), array(published, { maxLength: 6 }), (wanted, others) => {
        const candidates = wanted.map(({ hostPort, ...binding }) => ({ binding, free: [hostPort, hostPort + 1] }));
        const taken = others.map((port) => ({ ...port, container: "other" }));
        const result = assignPorts(candidates, taken);
        if (result.kind === "conflict") return;
        const all = [...taken, ...result.ports];
        for (const [at, port] of result.ports.entries()) {
          const rest = all.filter((_, index) => index !== taken.length + at);
          const same = rest.filter((other) => other.hostPort === port.hostPort && other.protocol === port.protocol);
          expect(
            same.filter(
              (other) => other.hostIp === port.hostIp || (other.hostIp === "0.0.0.0" && !port.hostIp.includes(":")),
            ),
          ).toEqual([]);
        }
      }),
    );
  });

  it("are shown as Docker shows them", () => {
    const port = (hostPort: number, containerPort: number, hostIp = "0.0.0.0"): PublishedPort => ({
      hostIp,
      hostPort,
      containerPort,
      protocol: "tcp",
    });
    const ports = [port(80, 8080), port(81, 8081), port(90, 90), port(91, 91), port(93, 93), port(5, 5, "::")];
    expect(portsText(ports, ["443/tcp", "8080/tcp", "444/tcp", "53/udp"])).toEqual([
      "0.0.0.0:90-91->90-91/tcp",
      "[::]:5->5/tcp",
      "53/udp",
      "0.0.0.0:93->93/tcp",
      "443-444/tcp",
      "0.0.0.0:80->8080/tcp",
      "0.0.0.0:81->8081/tcp",
    ]);
  });
});

describe("the networks of a store", () => {
  let root = "";
  let store: Store;
  let networks: Networks;
  beforeEach(() => {
    root = fs.mkdtempSync(join(tmpdir(), "tare-networks-"));
    store = openStore({ root, sync: "none" });
    networks = new Networks(store);
  });
  afterEach(() => {
    store.close();
    fs.rmSync(root, { recursive: true, force: true });
  });
  const request = (fields: Partial<NetworkCreateRequest>): NetworkCreateRequest => ({
    name: "net",
    driver: "bridge",
    subnets: [],
    gateways: [],
    ranges: [],
    internal: false,
    ipv6: false,
    attachable: false,
    labels: {},
    options: {},
    ...fields,
  });
  const wish = (id: string, network: string, port?: number) => ({
    containerId: id,
    name: `name-${id}`,
    joins: [{ network, aliases: [] }],
    ports:
      port === undefined
        ? []
        : [{ hostIp: "127.0.0.1", hostPort: { start: port, end: port }, containerPort: 80, protocol: "tcp" as const }],
    dns: [],
  });

  it("have a default one from the beginning, with addresses from its first use on", () => {
    expect(networks.list().map(({ name, subnets }) => [name, subnets.length])).toEqual([["bridge", 0]]);
    const { id, subnets } = networks.default();
    expect([networks.get("bridge").id, networks.get(id.slice(0, 8)).id, subnets.length]).toEqual([id, id, 1]);
  });

  it("get subnets that overlap nothing", () => {
    const made = ["a1", "a2", "a3"].map((name) => createNetwork(networks, request({ name, ipv6: true })));
    const blocks = made.flatMap(({ subnets }) => subnets.map(({ subnet }) => blockOf(subnet)));
    expect(blocks.length).toBe(6);
    expect(blocks.filter((one, at) => blocks.some((other, index) => index !== at && overlaps(one, other)))).toEqual([]);
  });

  it("never give a container the gateway's address, however that is written", async () => {
    const subnets = ["fd00:77::/64", "10.231.92.0/24"];
    const { id } = createNetwork(networks, request({ subnets, gateways: ["fd00:77:0::0001"], ipv6: true }));
    const [joined] = await reserve(networks, wish("c1", id));
    expect([joined?.endpoint.ipv6, joined?.network.subnets[1]?.gateway]).toEqual(["fd00:77::2", "fd00:77::1"]);
  });

  it("refuse names that the name server's file has no place for", async () => {
    const { id } = createNetwork(networks, request({}));
    const { joins, ...more } = wish("c1", id);
    const named = { ...more, joins: joins.map((join) => ({ ...join, aliases: ["a b"] })) };
    await expect(reserve(networks, named)).rejects.toThrow("`a b` is no name");
  });

  it("give addresses and ports once, and again when they are free", async () => {
    const { id } = createNetwork(networks, request({ subnets: ["10.231.90.0/24"] }));
    const [one, two] = [await reserve(networks, wish("c1", id, 43_211)), await reserve(networks, wish("c2", id))];
    expect([one, two].map(([joined]) => joined?.endpoint.ipv4)).toEqual(["10.231.90.2", "10.231.90.3"]);
    await expect(reserve(networks, wish("c3", id, 43_211))).rejects.toThrow("in use by container `name-c1`");
    expect(networks.endpointsOf("c3")).toEqual([]);
    release(networks, "c1", networks.endpointsOf("c1"));
    const [again] = await reserve(networks, wish("c3", id, 43_211));
    expect(again?.endpoint.ipv4).toBe("10.231.90.2");
  });

  it.each([
    [{ name: "a b" }, "not a valid name"],
    [{ name: "none" }, "not permitted on predefined none network"],
    [{ subnets: ["10.0.0.0/31"] }, "too small"],
    [{ subnets: ["10.1.0.0/24", "10.2.0.0/24"] }, "one subnet of each family"],
    [{ gateways: ["10.0.0.1"] }, "no matching subnet"],
    [{ driver: "macvlan" }, "no driver `macvlan`"],
    [{ options: { "com.docker.network.bridge.name": "x; rm -rf /" } }, "no name of an interface"],
    [{ options: { "com.docker.network.bridge.name": "lo" } }, "this host has an interface `lo` already"],
    [{ options: { "com.docker.network.bridge.name": "all" } }, "this host has an interface `all` already"],
    [{ options: { "com.docker.network.driver.mtu": "1500 up" } }, "is no size"],
    [{ options: { "com.docker.network.bridge.enable_icc": "no" } }, "neither true nor false"],
    [{ options: { "com.docker.network.bridge.host_binding_ipv4": "::1" } }, "is no IPv4 address"],
  ])("refuse %j", (fields, why) => {
    expect(() => createNetwork(networks, request(fields))).toThrow(why);
  });

  it("are not joined while they are being removed", async () => {
    const { id } = createNetwork(networks, request({}));
    networks.documents().update(id, (record) => ({ ...record, isDown: true, isRemoved: true }));
    await expect(reserve(networks, wish("c1", id))).rejects.toThrow("no such network");
    expect(networks.endpointsOf("c1")).toEqual([]);
  });

  it("have rules that the sweep knows again", async () => {
    const { id } = createNetwork(networks, request({ subnets: ["10.231.91.0/24"] }));
    const joined = await reserve(networks, wish("c1", id, 43_212));
    const rules = portRules("t", "add", joined);
    expect(rules).toBe("add element inet t ports4 { 127.0.0.1 . tcp . 43212 : 10.231.91.2 . 80 }\n");
    const element = (port: number) => [{ concat: ["127.0.0.1", "tcp", port] }, { concat: ["10.231.91.2", 80] }];
    const listed = { nftables: [{ metainfo: {} }, { map: { name: "ports4", elem: [element(43_212), element(1)] } }] };
    expect(strayElements(JSON.stringify(listed), rules)).toEqual(["ports4 { 127.0.0.1 . tcp . 1 : 10.231.91.2 . 80 }"]);
    expect(baseRules("t")).toContain("table inet t {");
    expect(bridgeRules("t", "add", networks.get(id))).toContain("nat4 { 10.231.91.0/24 }");
  });
});

function tryTo<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
