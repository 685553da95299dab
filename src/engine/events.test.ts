// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { matchesFilters } from "./events.ts";

const START = {
  type: "container",
  action: "start",
  id: "4f2a90",
  attributes: { image: "app:1", name: "web", team: "vision" },
  time: "1795813852360816000",
};
const EXEC = { ...START, action: "exec_start: ls -l" };
const TAG = { ...START, type: "image", action: "tag", id: "sha256:77", attributes: { name: "app:2" } };

describe("filters of events", () => {
  it.each([
    [START, {}, true],
    [START, { type: ["container"] }, true],
    [START, { type: ["image", "volume"] }, false],
    [START, { event: ["die", "start"] }, true],
    [EXEC, { event: ["exec_start"] }, true],
    [EXEC, { event: ["exec"] }, false],
    [START, { container: ["web"] }, true],
    [START, { container: ["4f2a"] }, true],
    [START, { container: ["db"] }, false],
    [START, { image: ["app"] }, true],
    [START, { image: ["app:1"] }, true],
    [START, { image: ["app:2"] }, false],
    [TAG, { image: ["app"] }, true],
    [TAG, { container: ["web"] }, false],
    [START, { label: ["team"] }, true],
    [START, { label: ["team=vision", "nothing"] }, false],
    [START, { type: ["container"], event: ["die"] }, false],
    [START, { scope: ["local"] }, true],
  ])("%#: %j with %j is %s", (event, filters, expected) => {
    expect(matchesFilters(event, filters)).toBe(expected);
  });
});
