// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { selectedGpus } from "./selected.ts";
import type { HostGpu, HostGpus } from "../types.ts";

const card = (index: number): HostGpu => ({
  vendor: "nvidia",
  index,
  name: `card ${index}`,
  uuid: `GPU-${index}0000000-1111`,
  busId: `0000:0${index}:00.0`,
  nodes: [],
  mig: [],
});
const HOST: HostGpus = { drivers: [], gpus: [card(0), card(1), card(2)], remarks: [] };
const ask = (count: number, ...deviceIds: readonly string[]) => ({
  driver: "",
  count,
  deviceIds,
  capabilities: [],
  options: {},
});

it.each([
  ["all", [ask(-1)], [0, 1, 2]],
  ["a number", [ask(2)], [0, 1]],
  ["an index", [ask(0, "1")], [1]],
  ["several", [ask(0, "0", "2")], [0, 2]],
  ["a uuid", [ask(0, "GPU-20000000-1111")], [2]],
  ["the beginning of one", [ask(0, "GPU-10000")], [1]],
  ["a PCI address", [ask(0, "0000:01:00.0")], [1]],
  ["a part of one", [ask(0, "1:0")], [1]],
  ["a name of CDI", [ask(0, "nvidia.com/gpu=1")], [1]],
  ["two requests", [ask(0, "0"), ask(0, "nvidia.com/gpu=2")], [0, 2]],
  ["what can't be told: all", [ask(0, "nvidia.com/gpu=all")], [0, 1, 2]],
])("%s", (_, requests, indexes) => {
  expect(selectedGpus(HOST, requests).gpus.map(({ index }) => index)).toEqual(indexes);
});
