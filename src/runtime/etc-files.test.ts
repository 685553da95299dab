// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hosts, prepareEtcFiles, resolvConf } from "./etc-files.ts";
import { checkRootfs } from "./rootfs-check.ts";

const STUB = "# stub\nnameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n";
const REAL = "nameserver 10.0.0.2\nnameserver 127.0.0.1\nnameserver ::1\nsearch a.example b.example\n";
const input = (network: "none" | "host" | "private", resolv: string, more: object = {}) => ({
  hostname: "box",
  network,
  hostFiles: { resolvConf: resolv, hosts: "127.0.0.1 localhost\n10.1.1.1 peer\n" },
  ...more,
});

describe("/etc/resolv.conf", () => {
  it.each([
    ["host keeps the host's", input("host", STUB), "nameserver 127.0.0.53\nsearch lan\noptions edns0 trust-ad\n"],
    ["private drops loopback servers", input("private", REAL), "nameserver 10.0.0.2\nsearch a.example b.example\n"],
    [
      "private without any falls back",
      input("private", STUB),
      "nameserver 8.8.8.8\nnameserver 8.8.4.4\nsearch lan\noptions edns0 trust-ad\n",
    ],
    ["no network, no servers", input("none", REAL), "search a.example b.example\n"],
    [
      "own servers win",
      input("private", REAL, { dns: ["1.1.1.1"], dnsSearch: ["."], dnsOptions: ["ndots:2"] }),
      "nameserver 1.1.1.1\noptions ndots:2\n",
    ],
  ])("%s", (_, given, expected) => {
    expect(resolvConf(given)).toBe(expected);
  });
});

describe("/etc/hosts", () => {
  it("starts from the host's on the host's network, and knows the container's name", () => {
    const text = hosts(input("host", "", { extraHosts: ["db:10.0.0.5", "six=[fe80::1]"] }));
    expect(text).toBe("127.0.0.1 localhost\n10.1.1.1 peer\n127.0.1.1\tbox\n10.0.0.5\tdb\nfe80::1\tsix\n");
  });

  it("is Docker's standard text with the container's addresses elsewhere", () => {
    const text = hosts(input("private", "", { addresses: ["10.88.0.2"], domainname: "example" }));
    expect(text).toMatch(/^127\.0\.0\.1\tlocalhost\n/);
    expect(text).toMatch(/\n10\.88\.0\.2\tbox\.example box\n$/);
  });

  it.each(["nocolon", "a:b:c d", "a\n:1.2.3.4", ":1.2.3.4", "a:"])("refuses the extra host %j", (extra) => {
    expect(() => hosts(input("none", "", { extraHosts: [extra] }))).toThrow(
      expect.objectContaining({ code: "E_USAGE" }),
    );
  });
});

it("writes three files for bind mounts", () => {
  const bundle = mkdtempSync(join(tmpdir(), "tare-etc-"));
  try {
    const mounts = prepareEtcFiles(bundle, input("none", ""));
    expect(mounts.map(({ destination }) => destination)).toEqual(["/etc/resolv.conf", "/etc/hosts", "/etc/hostname"]);
    expect(readFileSync(join(bundle, "etc/hostname"), "utf8")).toBe("box\n");
  } finally {
    rmSync(bundle, { recursive: true });
  }
});

describe("a root file system", () => {
  const kind = (isDirectory: boolean) => ({ isDirectory: () => isDirectory });

  it("may lack /proc, /sys and /dev", () => {
    expect(() => checkRootfs(() => undefined)).not.toThrow();
    expect(() => checkRootfs(() => kind(true))).not.toThrow();
  });

  it.each(["proc", "sys", "dev"])("may not have a link at /%s", (name) => {
    expect(() => checkRootfs((path) => kind(path !== name))).toThrow(expect.objectContaining({ code: "E_ROOTFS" }));
  });
});
