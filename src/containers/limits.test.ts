// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkedLimits } from "./limits.ts";
import type { LimitHost } from "./limits.ts";
import type { ResourceRequest } from "./request.ts";
import { changedLimits } from "./update.ts";

const MB = 1024 * 1024;
const HOST: LimitHost = { has: () => true, cpus: 4, cpuList: "0-3", memoryNodes: "0" };
const BARE: LimitHost = { ...HOST, has: () => false };
type Limits = Partial<ResourceRequest>;
const limits = (fields: Limits): ResourceRequest => ({ ulimits: [], ...fields });

describe("limits", () => {
  it.each<readonly [string, Limits]>([
    ["nothing", {}],
    ["the smallest memory", { memory: 6 * MB }],
    ["unlimited swap", { memory: 6 * MB, memorySwap: -1 }],
    ["no limit of processes", { pidsLimit: -1 }],
    ["all processors", { nanoCpus: 4e9, cpusetCpus: "0,2-3", cpusetMems: "0" }],
    ["quota without limit", { cpuQuota: -1 }],
    ["no swapping", { memorySwappiness: 0 }],
    ["real-time", { cpuRealtimePeriod: 10, cpuRealtimeRuntime: 10 }],
  ])("allow %s", (_name, fields) => expect(checkedLimits(limits(fields), fail, HOST)).toEqual(limits(fields)));

  it.each<readonly [Limits, RegExp]>([
    [{ memory: 6 * MB - 1 }, /Minimum memory limit/],
    [{ memorySwap: 7 * MB }, /always set the Memory limit/],
    [{ memory: 9 * MB, memorySwap: 8 * MB }, /larger than memory limit/],
    [{ memoryReservation: 1 }, /Minimum memory reservation/],
    [{ memory: 7 * MB, memoryReservation: 8 * MB }, /less than memory reservation/],
    [{ memorySwappiness: 101 }, /swappiness range/],
    [{ nanoCpus: 1e9, cpuPeriod: 1000 }, /Nano CPUs and CPU Period/],
    [{ nanoCpus: 1e9, cpuQuota: 1000 }, /Nano CPUs and CPU Quota/],
    [{ nanoCpus: 5e9 }, /from 0.01 to 4.00/],
    [{ nanoCpus: 1 }, /from 0.01 to 4.00/],
    [{ cpuPeriod: 999 }, /cfs period/],
    [{ cpuPeriod: 1_000_001 }, /cfs period/],
    [{ cpuQuota: 999 }, /cfs quota/],
    [{ cpuRealtimePeriod: 10, cpuRealtimeRuntime: 11 }, /real-time runtime/],
    [{ blkioWeight: 9 }, /Range of blkio weight/],
    [{ blkioWeight: 1001 }, /Range of blkio weight/],
    [{ cpusetCpus: "4" }, /CPUs are not available - requested 4, available: 0-3/],
    [{ cpusetCpus: "0-1-2" }, /Invalid value 0-1-2 for cpuset cpus/],
    [{ cpusetCpus: "3-1" }, /Invalid value/],
    [{ cpusetMems: "1" }, /memory nodes are not available/],
  ])("refuse %j", (fields, text) => {
    expect(() => checkedLimits(limits(fields), fail, HOST)).toThrowError(text);
  });

  it("leave out with a warning what the kernel lacks", () => {
    const rate = [{ path: "/dev/sda", value: 5 }];
    const wanted = {
      blkioWeight: 10,
      blkioWeightDevices: rate,
      deviceReadBps: rate,
      deviceReadIops: rate,
      deviceWriteBps: rate,
      deviceWriteIops: rate,
      memorySwappiness: 0,
      oomKillDisable: true,
    };
    const warnings: string[] = [];
    expect(checkedLimits(limits({ ...wanted, memory: 8 * MB }), (text) => warnings.push(text), BARE)).toEqual(
      limits({ memory: 8 * MB }),
    );
    expect(warnings).toHaveLength(8);
    expect(warnings.every((text) => text.endsWith("discarded."))).toBe(true);
    expect(() => checkedLimits(limits({ cpuRealtimeRuntime: 1 }), fail, BARE)).toThrowError(/real-time scheduler/);
  });

  it("warn when memory without a limit can't be taken from anybody", () => {
    const warnings: string[] = [];
    checkedLimits(limits({ oomKillDisable: true }), (text) => warnings.push(text), HOST);
    expect(warnings).toEqual([expect.stringContaining("no memory limit is set")]);
  });
});

describe("changed limits", () => {
  it.each<readonly [string, Limits, Limits, Limits]>([
    ["memory of a container that had no limit", {}, { memory: 8 * MB }, { memory: 8 * MB }],
    [
      "less memory keeps the limit of swap",
      { memory: 20 * MB },
      { memory: 10 * MB },
      { memory: 10 * MB, memorySwap: 40 * MB },
    ],
    ["both", { memory: 8 * MB }, { memory: 80 * MB, memorySwap: 90 * MB }, { memory: 80 * MB, memorySwap: 90 * MB }],
    [
      "0 and the empty text change nothing",
      { memory: 8 * MB, memorySwap: -1 },
      { memory: 0, cpusetCpus: "" },
      { memory: 8 * MB, memorySwap: -1 },
    ],
    ["processes without limit", { pidsLimit: 5 }, { pidsLimit: -1 }, { pidsLimit: -1 }],
    ["processes: 0 is no limit", { pidsLimit: 5 }, { pidsLimit: 0 }, { pidsLimit: 0 }],
  ])("%s", (_name, old, changes, expected) => {
    expect(changedLimits(limits(old), changes, fail)).toEqual(limits(expected));
  });

  it.each<readonly [Limits, Limits, RegExp]>([
    [{ nanoCpus: 1e9 }, { cpuPeriod: 5000 }, /CPU Period cannot be updated/],
    [{ nanoCpus: 1e9 }, { cpuQuota: 5000 }, /CPU Quota cannot be updated/],
    [{ cpuPeriod: 5000 }, { nanoCpus: 1e9 }, /Nano CPUs cannot be updated as CPU Period/],
    [{ cpuQuota: 5000 }, { nanoCpus: 1e9 }, /Nano CPUs cannot be updated as CPU Quota/],
    [{ memory: 8 * MB }, { memory: 17 * MB }, /memoryswap limit/],
    [{ memory: 8 * MB }, { memorySwap: 7 * MB }, /larger than memory limit/],
  ])("refuse of %j the change %j", (old, changes, text) => {
    expect(() => changedLimits(limits(old), changes, fail)).toThrowError(text);
  });
});

function fail(text: string): void {
  throw new Error(`not expected: ${text}`);
}
