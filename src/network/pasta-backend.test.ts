// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { pastaArguments } from "./pasta-backend.ts";
import type { Joined, PublishedPort } from "./types.ts";

const folder = mkdtempSync(join(tmpdir(), "tare-pasta-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function words(ports: readonly PublishedPort[]): string {
  const endpoint = { ipv4: "10.1.0.5", macAddress: "02:42:0a:01:00:05", interface: "eth0", ports };
  const network = { subnets: [{ subnet: "10.1.0.0/24", gateway: "10.1.0.1" }] };
  return pastaArguments(join(folder, "id"), { network, endpoint } as unknown as Joined).join(" ");
}

function port(hostIp: string, protocol: PublishedPort["protocol"] = "tcp"): PublishedPort {
  return { hostIp, hostPort: 8080, containerPort: 80, protocol };
}

describe("the arguments of pasta", () => {
  it("give the container the address of its endpoint", () => {
    expect(words([])).toContain("--address 10.1.0.5 --netmask 24 --gateway 10.1.0.1");
  });

  it.each([
    { name: "none", ports: [], says: "--tcp-ports none --udp-ports none" },
    { name: "one of this machine", ports: [port("127.0.0.1")], says: "--tcp-ports 127.0.0.1/8080:80 --udp-ports none" },
    {
      name: "one on all IPv4 addresses",
      ports: [port("0.0.0.0")],
      says: "--tcp-ports 0.0.0.0/8080:80 --udp-ports none",
    },
    { name: "one of UDP", ports: [port("127.0.0.1", "udp")], says: "--tcp-ports none --udp-ports 127.0.0.1/8080:80" },
    {
      name: "two",
      ports: [port("127.0.0.1"), port("192.0.2.2")],
      says: "--tcp-ports 127.0.0.1/8080:80 --tcp-ports 192.0.2.2/8080:80",
    },
  ])("publish $name", ({ ports, says }) => {
    expect(words(ports)).toContain(says);
  });

  it("never open the way to what listens on this machine's loopback", () => {
    expect(words([])).toContain("--no-map-gw");
    expect(words([])).toContain("--tcp-ns none --udp-ns none");
  });
});
