// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { NEVER_RESTARTED, restartAfter, startsAtBoot } from "./restart-policy.ts";
import type { RestartState } from "./restart-policy.ts";

const policy = (text: string): { name: string; maximumRetryCount: number } => {
  const [name = "", count = "0"] = text.split(":");
  return { name, maximumRetryCount: Number(count) };
};
const state = (fields: Partial<RestartState>): RestartState => ({ ...NEVER_RESTARTED, ...fields });
const run = (exitCode: number, seconds = 1) => ({ exitCode, startedAt: 1000, finishedAt: 1000 + seconds * 1000 });

describe("after its end a container", () => {
  const rows: readonly [string, string | undefined, RestartState | undefined, number, number | undefined][] = [
    ["without a policy stays ended", undefined, undefined, 1, undefined],
    ["with `no` stays ended", "no", undefined, 1, undefined],
    ["with `always` starts after success", "always", undefined, 0, 1],
    ["with `always` starts after failure", "always", state({ count: 7, delay: 100 }), 1, 8],
    ["with `always` stays ended when stopped", "always", state({ stoppedByUser: true }), 0, undefined],
    ["with `unless-stopped` starts", "unless-stopped", undefined, 0, 1],
    ["with `unless-stopped` stays ended when stopped", "unless-stopped", state({ stoppedByUser: true }), 1, undefined],
    ["with `on-failure` stays ended after success", "on-failure", undefined, 0, undefined],
    ["with `on-failure` starts after failure", "on-failure", state({ count: 99 }), 1, 100],
    ["with `on-failure` stays ended when stopped", "on-failure", state({ stoppedByUser: true }), 143, undefined],
    ["with `on-failure:2` starts a second time", "on-failure:2", state({ count: 1 }), 1, 2],
    ["with `on-failure:2` does not start a third time", "on-failure:2", state({ count: 2 }), 1, undefined],
  ];
  it.each(rows)("%s", (_name, text, known, exitCode, count) => {
    expect(restartAfter(text === undefined ? undefined : policy(text), known, run(exitCode))?.count).toBe(count);
  });

  it("waits 100 ms, twice as long each time up to a minute, and anew after ten seconds of running", () => {
    const delays: number[] = [];
    let known: RestartState | undefined;
    for (let n = 0; n < 12; n += 1) delays.push((known = restartAfter(policy("always"), known, run(1)))?.delay ?? -1);
    expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
    expect(restartAfter(policy("always"), known, run(1, 10))).toMatchObject({ delay: 100, count: 13 });
  });
});

describe("when the machine starts a container", () => {
  const rows: readonly [string, string | undefined, Partial<RestartState>, number, boolean][] = [
    ["without a policy stays as it is", undefined, {}, 137, false],
    ["with `always` starts", "always", {}, 0, true],
    ["with `always` starts though it was stopped", "always", { stoppedByUser: true }, 0, true],
    ["with `unless-stopped` starts", "unless-stopped", {}, 0, true],
    ["with `unless-stopped` stays stopped", "unless-stopped", { stoppedByUser: true }, 0, false],
    ["with `on-failure` starts when it was lost", "on-failure", {}, 137, true],
    ["with `on-failure` stays ended after success", "on-failure", {}, 0, false],
    ["with `on-failure` stays stopped", "on-failure", { stoppedByUser: true }, 137, false],
    ["with `on-failure:1` used up stays ended", "on-failure:1", { count: 1 }, 137, false],
  ];
  it.each(rows)("%s", (_name, text, fields, exitCode, expected) => {
    expect(startsAtBoot(text === undefined ? undefined : policy(text), state(fields), exitCode)).toBe(expected);
  });
});
