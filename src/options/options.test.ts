// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import { hostPlatform } from "../oci/index.ts";
import * as options from "./index.ts";

const CWD = "/here";

const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isTareError(error, "E_USAGE") && error.exitCode === 125) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
};

describe("comma-separated values", () => {
  it.each([
    ["a,b", ["a", "b"]],
    ['"a,b",c', ["a,b", "c"]],
    ['"a""b"', ['a"b']],
    ["a,", ["a", ""]],
    ["a\nb", ["a"]],
  ])("%j gives %j", (text, wanted) => expect(options.parseCsvRecord(text)).toEqual(wanted));

  it.each(['a"b', '"a', '"a"b', ""])("refuses %j", (text) => {
    expect(() => options.parseCsvRecord(text)).toThrow();
  });
});

describe("sizes", () => {
  it.each([
    ["512", 512],
    ["512m", 512 << 20],
    ["1.5g", 1.5 * 2 ** 30],
    ["1GiB", 2 ** 30],
    ["64 kb", 65_536],
    ["10B", 10],
  ])("%s is %d bytes", (text, wanted) => expect(options.parseBytes(text)).toBe(wanted));

  it.each(["", "m", "-1", "1x", "1mm", "1.2.3", "0x10", "1e400", "99999999p", " 1m"])("refuses %j", (text) => {
    expect(messageOf(() => options.parseBytes(text))).toMatch(/invalid (size|suffix)/);
  });

  it.each([
    ["1.5", 1_500_000_000],
    ["0.000000001", 1],
    ["3/2", 1_500_000_000],
    ["2", 2_000_000_000],
  ])("%s CPUs", (text, wanted) => {
    expect(options.parseCpus(text)).toBe(wanted);
  });

  it("refuses finer CPUs, and knows unlimited swap", () => {
    expect(messageOf(() => options.parseCpus("0.0000000001"))).toBe("value is too precise");
    expect(messageOf(() => options.parseCpus("many"))).toContain("as a rational number");
    expect(options.parseMemorySwap("-1")).toBe(-1);
  });
});

describe("durations", () => {
  it.each([
    ["0", 0, "0s"],
    ["1h30m", 5_400_000_000_000, "1h30m0s"],
    ["1.5s", 1_500_000_000, "1.5s"],
    ["-2us", -2000, "-2µs"],
    ["100ms", 100_000_000, "100ms"],
    [".5m", 30_000_000_000, "30s"],
    ["8760h", 31_536_000_000_000_000, "8760h0m0s"],
  ])("%s", (text, nanoseconds, formatted) => {
    expect(options.parseDuration(text)).toBe(nanoseconds);
    expect(options.formatDuration(nanoseconds)).toBe(formatted);
  });

  it.each([
    ["", "invalid"],
    ["5", "missing unit"],
    ["5x", "unknown unit"],
    ["s", "invalid"],
    ["1h ", "unknown unit"],
    ["99999999999h", "invalid"],
  ])("refuses %j", (text, why) => expect(messageOf(() => options.parseDuration(text))).toContain(why));

  it("format and parse are inverse", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(options.parseDuration(options.formatDuration(value))).toBe(value);
      }),
    );
  });
});

describe("signals", () => {
  it.each([
    ["SIGTERM", 15],
    ["term", 15],
    ["9", 9],
    ["SIGRTMIN+3", 37],
    ["RTMAX-1", 63],
    ["SIGRTMIN", 34],
    ["IOT", 6],
  ])("%s is %d", (text, wanted) => {
    expect(options.parseSignal(text)).toBe(wanted);
  });
  it.each(["0", "65", "-1", "SIGNOPE", "RTMIN-1", "RTMIN+99", ""])("refuses %j", (text) => {
    expect(messageOf(() => options.parseSignal(text))).toContain("invalid signal");
  });
  it("names every signal it parses", () => {
    for (let number = 1; number <= 64; number++) {
      expect(options.parseSignal(options.signalName(number))).toBe(number);
    }
  });
});

describe("volumes", () => {
  it.each([
    ["/a:/b", { type: "bind", source: "/a", target: "/b", readOnly: false }],
    ["./a:/b:ro,Z", { type: "bind", source: "/here/a", target: "/b", readOnly: true, relabel: "private" }],
    ["data:/b/", { type: "volume", source: "data", target: "/b", readOnly: false }],
    ["/b", { type: "volume", target: "/b", readOnly: false }],
    ["data:/b:nocopy", { type: "volume", source: "data", target: "/b", volume: { noCopy: true } }],
    ["/a:/b:rslave", { type: "bind", bind: { propagation: "rslave" } }],
  ])("%s", (text, wanted) => expect(options.parseVolume(text, CWD)).toMatchObject(wanted));

  it.each([
    ["", "invalid volume specification"],
    [":/a", "invalid volume specification"],
    ["/a:ro", "invalid volume specification"],
    ["/a:b", "must be absolute"],
    ["/a:/b:ro:x", "invalid volume specification"],
    ["/a:/b:rx", "invalid mode"],
    ["/a:/b:ro,rw", "invalid mode"],
    ["/a:/", "can't be '/'"],
    ["/a:/b/../..", "can't be '/'"],
    ["a b:/c", "includes invalid characters"],
    ["a:/c", "includes invalid characters"],
    ["data:/b:shared", "invalid mode"],
    ["C:\\x:/y", "invalid volume specification"],
    ["~/x:/y", "invalid volume source"],
  ])("refuses %j", (text, why) => expect(messageOf(() => options.parseVolume(text, CWD))).toContain(why));

  it("reads tmpfs options", () => {
    expect(options.parseTmpfs("/t:size=64m,mode=1777,noexec,ro")).toEqual({
      type: "tmpfs",
      target: "/t",
      readOnly: true,
      tmpfs: { sizeBytes: 64 << 20, mode: 0o1777, options: ["noexec"] },
    });
    expect(messageOf(() => options.parseTmpfs("/t:nope"))).toContain("invalid tmpfs option");
  });
});

describe("ports", () => {
  it.each([
    ["80", [{ hostIp: "", containerPort: 80, protocol: "tcp" }]],
    ["127.0.0.1::80", [{ hostIp: "127.0.0.1", containerPort: 80, protocol: "tcp" }]],
    [
      "[::1]:8080:80/udp",
      [{ hostIp: "::1", hostPort: { start: 8080, end: 8080 }, containerPort: 80, protocol: "udp" }],
    ],
    ["8000-8010:80", [{ hostIp: "", hostPort: { start: 8000, end: 8010 }, containerPort: 80, protocol: "tcp" }]],
    [
      "target=80,published=8080",
      [{ hostIp: "", hostPort: { start: 8080, end: 8080 }, containerPort: 80, protocol: "tcp" }],
    ],
  ])("%s", (text, wanted) => expect(options.parsePublish(text)).toEqual(wanted));

  it.each(["0", "65536", "1-2:1-3", "x:80", "80:x", "999.1.1.1:1:1", "80/icmp", "2-1", "80-"])("refuses %j", (text) => {
    expect(messageOf(() => options.parsePublish(text))).toContain("invalid");
  });
});

describe("users", () => {
  it.each([
    ["1000", { user: { kind: "id", id: 1000 } }],
    ["app:0", { user: { kind: "name", name: "app" }, group: { kind: "id", id: 0 } }],
    [":staff", { group: { kind: "name", name: "staff" } }],
  ])("%s", (text, wanted) => expect(options.parseUser(text)).toEqual(wanted));

  it.each(["2147483648", "4294967296", "-1", "1e9", "0x0", " 0", "\u0661", "a b", "a:b:c", "a/b"])(
    "refuses %j",
    (text) => {
      expect(messageOf(() => options.parseUser(text))).toContain("parsing user");
    },
  );
});

describe("names of CDI devices", () => {
  it.each([
    ["vendor.com/class=0", true],
    ["v/c=d", true],
    ["vendor.com/gpu.part=a:1", true],
    ["vendor.com/class", false],
    ["vendor.com/class=", false],
    ["/dev/sda=x", false],
    ["1vendor/class=x", false],
    ["vendor/class_=x", false],
    ["vendor/class=x:", false],
    ["vendör/class=x", false],
  ])("%s", (text, isName) => {
    expect(options.isCdiName(text)).toBe(isName);
  });
});

describe("the rest", () => {
  it("merges environments", () => {
    expect(options.mergeEnv(["A=1", "B=2"], ["A=3", "B", "C=4"])).toEqual(["A=3", "C=4"]);
    expect(options.parseEnvFile("A=1\r\n\tB=2\n#c\nD", { D: "4" })).toEqual(["A=1", "B=2", "D=4"]);
    expect(() => options.parseEnvFile(Uint8Array.of(0xff, 0x41), {})).toThrow("UTF-8");
    expect(options.parseEnv("__proto__", {})).toBe("__proto__");
  });

  it("applies capabilities", () => {
    const change = options.effectiveCapabilities(["net_admin"], ["ALL"]);
    expect(options.applyCapabilities(["CAP_CHOWN"], change, [])).toEqual(["CAP_NET_ADMIN"]);
    const all = options.effectiveCapabilities(["all"], ["chown"]);
    expect(options.applyCapabilities([], all, ["CAP_CHOWN", "CAP_KILL"])).toEqual(["CAP_KILL"]);
  });

  it("reads build options", () => {
    expect(options.parseBuildSecret("id=x,src=a")).toEqual({ id: "x", source: { kind: "file", path: "a" } });
    expect(options.parseBuildSecret("id=X")).toEqual({ id: "X", source: { kind: "env-or-file", name: "X" } });
    expect(options.parseBuildSecret("type=env,id=x,src=V")).toEqual({ id: "x", source: { kind: "env", name: "V" } });
    expect(options.parseBuildSsh("default")).toEqual({ id: "default", paths: [] });
    expect(options.parseOutput("out")).toEqual({ type: "local", destination: "out", attributes: {} });
    expect(options.parseOutput("type=oci,dest=-,compression=zstd")).toEqual({
      type: "oci",
      destination: "-",
      attributes: { compression: "zstd" },
    });
    expect(options.parseBuildContext("a=./b=c")).toEqual(["a", "./b=c"]);
    expect(options.parsePlatforms(["linux/amd64,arm64", "amd64"], hostPlatform("x64"))).toHaveLength(2);
    expect(messageOf(() => options.parseOutput("type=lokal"))).toContain("unknown output type");
  });

  it("reads security options and sysctls", () => {
    expect(
      options.parseSecurityOptions(["no-new-privileges=false", "seccomp=unconfined", "label=type:x"]),
    ).toMatchObject({
      noNewPrivileges: false,
      seccomp: "unconfined",
      labels: ["type:x"],
    });
    expect(messageOf(() => options.parseSecurityOptions(["nope=1"]))).toContain("invalid --security-opt");
    expect(options.parseSysctl("net.core.somaxconn=1024")).toEqual(["net.core.somaxconn", "1024"]);
    expect(messageOf(() => options.parseSysctl("kernel.shm_rmid_forced=1+kernel.core_pattern=|x"))).toContain("sysctl");
  });

  it("checks restart policies, modes, detach keys", () => {
    expect(() => options.checkRestartPolicy(options.parseRestartPolicy("always:2"))).toThrow("only be used");
    expect(options.parseNamespaceMode("pid", "container:a")).toEqual({ kind: "container", container: "a" });
    expect(() => options.parseNamespaceMode("uts", "container:a")).toThrow("invalid UTS mode");
    expect(options.parseDetachKeys("ctrl-p,ctrl-q")).toEqual([16, 17]);
    expect(options.parseMacAddress("02-42-AC-11-00-02")).toBe("02:42:ac:11:00:02");
  });

  it("any text gives a value or an E_USAGE", () => {
    const parsers: readonly ((text: string) => unknown)[] = [
      (text) => options.parseMount(text, CWD),
      (text) => options.parseVolume(text, CWD),
      (text) => options.parseTmpfs(text),
      (text) => options.parsePublish(text),
      (text) => options.parseGpus(text),
      (text) => options.parseNetwork(text),
      (text) => options.parseUlimit(text),
      (text) => options.parseHost(text),
      (text) => options.parseBuildSecret(text),
      (text) => options.parseIpAddress(text),
      (text) => options.parseDuration(text),
      (text) => options.parseBytes(text),
    ];
    const piece = fc.constantFrom(
      "type=bind",
      "type=tmpfs",
      ",",
      "=",
      ":",
      "/a",
      "-",
      "1",
      "80",
      '"',
      " ",
      "src=",
      "ro",
      "[::1]",
      "%",
      "tcp",
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, fc.nat(parsers.length - 1), (value, which) => {
        try {
          parsers[which]?.(value);
        } catch (error) {
          expect(isTareError(error, "E_USAGE")).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
