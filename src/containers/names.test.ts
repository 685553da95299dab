// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { containerFilter, parseMoment } from "./filters.ts";
import type { ContainerView } from "./filters.ts";
import { checkName, newContainerId, randomName } from "./names.ts";
import { parseSecurityOptions } from "./security-options.ts";
import { mountsBelow } from "./release-mounts.ts";
import { signalNumber } from "./signals.ts";
import { isStarter } from "./starters.ts";

describe("names and ids", () => {
  it("makes names that may be used", () => {
    for (let attempt = 0; attempt < 12; attempt += 1)
      expect(checkName(randomName(attempt))).toMatch(/^[a-z]+_[a-z]+\d*$/);
    expect(newContainerId()).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(["a", "", "a b", "-a", "ä1", "a/b", "a".repeat(129)])("refuses %j", (name) => {
    expect(() => checkName(name)).toThrow(expect.objectContaining({ code: "E_NAME" }));
  });

  it("drops Docker's leading slash", () => {
    expect(checkName("/web.1-a")).toBe("web.1-a");
  });
});

describe("signals", () => {
  it.each([
    ["9", 9],
    ["KILL", 9],
    ["sigterm", 15],
    ["RTMIN", 34],
    ["SIGRTMIN+3", 37],
    ["RTMAX-1", 63],
  ])("%s is %d", (text, number) => expect(signalNumber(text)).toBe(number));

  it.each(["", "0", "65", "NOPE", "RTMIN+31", "-9", "9x"])("refuses %j", (text) => {
    expect(() => signalNumber(text)).toThrow(expect.objectContaining({ code: "E_SIGNAL" }));
  });
});

describe("filters", () => {
  const view = {
    record: {
      id: "abc123",
      name: "web_1",
      image: "busybox",
      imageId: `sha256:${"1".repeat(64)}`,
      imageTarget: `sha256:${"2".repeat(64)}`,
      layers: ["l1", "l2"],
      createdAt: 1000,
      config: { Labels: { a: "1", b: "2" } },
      host: { network: "none" },
      mounts: [{ name: "v", destination: "/v" }],
    },
    state: { status: "exited", exitCode: 3, paused: false },
  } as unknown as ContainerView;
  const lookups = {
    container: () => ({ ...view.record, createdAt: 2000 }),
    network: () => undefined,
    ports: () => ({ published: ["8080/tcp"], inside: ["80/tcp", "53/udp"] }),
    image: (text: string) => (text === "base" ? { id: "sha256:0", diffIds: ["l1"] } : undefined),
  };

  it.each([
    [{}, true],
    [{ status: ["running"] }, false],
    [{ status: ["running", "exited"] }, true],
    [{ name: ["^/web"] }, true],
    [{ name: ["_1$"] }, true],
    [{ name: ["["] }, false],
    [{ id: ["abc"] }, true],
    [{ label: ["a"] }, true],
    [{ label: ["a=1", "b=3"] }, false],
    [{ "label!": ["c"] }, true],
    [{ exited: ["3"] }, true],
    [{ exited: ["0"] }, false],
    [{ ancestor: ["busybox"] }, true],
    [{ ancestor: ["1".repeat(12)] }, true],
    [{ ancestor: ["base"] }, true],
    [{ ancestor: ["other"] }, false],
    [{ before: ["x"] }, true],
    [{ since: ["x"] }, false],
    [{ volume: ["v"], network: ["none"] }, true],
    [{ until: ["2"] }, true],
    [{ expose: ["80"] }, false],
  ] as readonly (readonly [Record<string, string[]>, boolean])[])("%j: %s", (filters, expected) => {
    expect(containerFilter(filters, lookups)(view)).toBe(expected);
  });

  it.each([
    { "is-task": ["true"] },
    { expose: ["x"] },
    { publish: ["90-80"] },
    { publish: ["70000"] },
    { stauts: ["x"] },
    { status: ["gone"] },
    { exited: ["x"] },
    { until: ["soon"] },
  ])("refuses %j", (filters) => {
    expect(() => containerFilter(filters as Record<string, string[]>, lookups)).toThrow(
      expect.objectContaining({ code: "E_FILTER" }),
    );
  });

  it.each([
    [{ expose: ["80"] }, true],
    [{ expose: ["80/udp"] }, false],
    [{ expose: ["53/udp", "1"] }, true],
    [{ expose: ["70-90/tcp"] }, true],
    [{ publish: ["80"] }, false],
    [{ publish: ["8000-8080"] }, true],
  ] as readonly (readonly [Record<string, string[]>, boolean])[])(
    "of a running container %j: %s",
    (filters, expected) => {
      const running = { ...view, state: { status: "running", paused: false } } as unknown as ContainerView;
      expect(containerFilter(filters, lookups)(running)).toBe(expected);
    },
  );

  it("reads moments", () => {
    expect(parseMoment("1h30m", 10_000_000)).toBe(10_000_000 - 5_400_000);
    expect(parseMoment("12.5", 0)).toBe(12_500);
    expect(parseMoment("2026-01-01", 0)).toBe(Date.parse("2026-01-01"));
  });
});

describe("security options", () => {
  it("are tight by default and read both spellings", () => {
    expect(parseSecurityOptions([])).toEqual({
      noNewPrivileges: true,
      seccomp: "default",
      systemPathsUnconfined: false,
    });
    const loose = ["no-new-privileges:false", "seccomp=unconfined", "systempaths=unconfined", "apparmor=x"];
    expect(parseSecurityOptions(loose)).toEqual({
      noNewPrivileges: false,
      seccomp: "unconfined",
      systemPathsUnconfined: true,
      apparmorProfile: "x",
    });
  });

  it.each(["secomp=unconfined", "no-new-privileges=maybe", "systempaths=all"])("refuse %s", (text) => {
    expect(() => parseSecurityOptions([text])).toThrow(expect.objectContaining({ code: "E_USAGE" }));
  });
});

it("knows a starter by its bundle only", () => {
  expect(isStarter("runc\0run\0--bundle\0/s/c/id\0id\0", "/s/c/id")).toBe(true);
  expect(isStarter("tare\0logs\0/s/c/id\0", "/s/c/id")).toBe(false);
  expect(isStarter("runc\0run\0--bundle\0/s/c/id2\0", "/s/c/id")).toBe(false);
});

it("finds mounts below a folder, deepest first, escapes undone", () => {
  const lines = ["/", "/s/c/id", "/s/c/id/rootfs", "/s/c/id/rootfs/a\\040b", "/s/c/id2"];
  const text = lines.map((point, index) => `${index} 1 0:1 / ${point} rw - ext4 /dev/x rw`).join("\n");
  expect(mountsBelow("/s/c/id", text)).toEqual(["/s/c/id/rootfs/a b", "/s/c/id/rootfs", "/s/c/id"]);
});
