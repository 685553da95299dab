// SPDX-License-Identifier: Apache-2.0
/* The watcher's script runs here with a program of the test as the container and a shell as the runtime. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Healthcheck } from "../oci/index.ts";
import { healthCheckOf, mergeHealthcheck } from "./health-config.ts";
import { HEALTH_SCRIPT } from "./health-script.ts";
import { readHealthResults, readHealthStatus } from "./health-state.ts";

describe("a health check", () => {
  const merged: readonly [string, Healthcheck | undefined, Healthcheck | undefined, Healthcheck | undefined][] = [
    ["is none without one", undefined, undefined, undefined],
    ["is the image's", { Test: ["CMD", "a"], Interval: 5e9 }, undefined, { Test: ["CMD", "a"], Interval: 5e9 }],
    ["is the user's", undefined, { Test: ["CMD-SHELL", "b"] }, { Test: ["CMD-SHELL", "b"] }],
    [
      "takes from the image what the user leaves out",
      { Test: ["CMD", "a"], Interval: 5e9, Retries: 7 },
      { Test: [], Interval: 0, Retries: 2 },
      { Test: ["CMD", "a"], Interval: 5e9, Retries: 2 },
    ],
  ];
  it.each(merged)("%s", (_name, image, own, expected) => expect(mergeHealthcheck(image, own)).toEqual(expected));

  it("is not made more often than every millisecond", () => {
    expect(() => mergeHealthcheck(undefined, { Interval: 999_999 })).toThrow(/Interval .* cannot be less than 1ms/);
  });

  const commands: readonly [string, readonly string[] | undefined, readonly string[] | undefined][] = [
    ["words", ["CMD", "a", "b"], ["a", "b"]],
    ["a line for the shell", ["CMD-SHELL", "a | b"], ["/bin/sh", "-c", "a | b"]],
    ["none", ["NONE"], undefined],
    ["an unknown kind", ["RUN", "a"], undefined],
    ["nothing", [], undefined],
    ["no test", undefined, undefined],
  ];
  it.each(commands)("of %s", (_name, Test, expected) => {
    expect(healthCheckOf({ Healthcheck: Test === undefined ? {} : { Test } })?.command).toEqual(expected);
  });

  it("has Docker's defaults and the image's shell", () => {
    expect(healthCheckOf({ Healthcheck: { Test: ["CMD-SHELL", "x"] }, Shell: ["bash", "-ec"] })).toEqual({
      command: ["bash", "-ec", "x"],
      interval: 30_000,
      timeout: 30_000,
      startPeriod: 0,
      startInterval: 5000,
      retries: 3,
    });
  });
});

describe("the watcher", () => {
  let folder = "";
  let container: ChildProcess;
  let watcher: ChildProcess | undefined;
  const at = (name: string): string => join(folder, name);
  beforeEach(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "tare-health-"));
    container = spawn("sleep", ["60"], { stdio: "ignore" });
    fs.writeFileSync(at("container.pid"), String(container.pid));
  });
  afterEach(() => {
    container.kill("SIGKILL");
    if (watcher?.exitCode === null) process.kill(-(watcher.pid ?? 0), "SIGKILL");
    fs.rmSync(folder, { recursive: true, force: true });
  });

  interface Fields {
    readonly interval?: number;
    readonly timeout?: number;
    readonly period?: number;
    readonly early?: number;
    readonly retries?: number;
  }

  /** Each check takes the next word of `codes` as its exit code, and the last one for ever. */
  function watch(codes: string, fields: Fields = {}, command?: string): void {
    const { interval = 20, timeout = 5000, period = 0, early = 20, retries = 2 } = fields;
    const words = [folder, at("container.pid"), interval, timeout, period, early, retries, Date.now(), "too late"];
    const next = 'read -r code rest < codes; [ -n "$rest" ] && echo "$rest" > codes; echo "code $code"; exit "$code"';
    const notify = ["sh", "-c", 'echo "$1 $2" >> changes', "sh", "some id"];
    fs.writeFileSync(at("codes"), `${codes}\n`);
    const all = [...words.map(String), String(notify.length), ...notify, "sh", "-c", command ?? next];
    watcher = spawn("sh", ["-c", HEALTH_SCRIPT, "sh", ...all], { stdio: "inherit", detached: true });
  }

  const changes = (): string => (fs.existsSync(at("changes")) ? fs.readFileSync(at("changes"), "utf8") : "");
  const until = (holds: () => boolean): Promise<unknown> => expect.poll(holds, { timeout: 10_000 }).toBe(true);
  const count = (): number =>
    Number((fs.existsSync(at("status")) ? fs.readFileSync(at("status"), "utf8") : "").split(" ")[2]);

  const stories: readonly [string, string, Fields, string][] = [
    ["success makes it healthy", "0", {}, "some id healthy\n"],
    ["so many failures make it unhealthy", "1 1 1 1", {}, "some id unhealthy\n"],
    ["one success makes it healthy again", "1 1 0 0", {}, "some id unhealthy\nsome id healthy\n"],
    ["failures must be in a row", "0 1 0 1 0", {}, "some id healthy\n"],
    ["failures of the start period do not count", "1 1 1 1 0", { period: 60_000 }, "some id healthy\n"],
    ["after the first success they do", "0 1 1", { period: 60_000 }, "some id healthy\nsome id unhealthy\n"],
  ];
  it.each(stories)("%s", async (_name, codes, fields, expected) => {
    watch(codes, fields);
    await until(() => count() > codes.split(" ").length);
    expect(changes()).toBe(expected);
  });

  it("keeps the last five results, of the output no more than 4096 bytes", async () => {
    watch("", {}, 'echo "no $((n += 1))"; head -c 100000 /dev/zero | tr "\\0" x; exit 3');
    await until(() => count() > 6);
    const results = readHealthResults(folder);
    expect(results.length).toBeLessThanOrEqual(5);
    expect(results.at(-1)).toMatchObject({ exitCode: 3, output: expect.stringMatching(/^no 1\nx+$/) as string });
    expect(results.at(-1)?.output.length).toBe(4096);
    expect(results.at(-1)?.end).toBeGreaterThan(results.at(-1)?.start ?? Infinity);
    expect(readHealthStatus(folder).status).toBe("unhealthy");
  });

  it("ends a check that takes too long", async () => {
    watch("", { timeout: 100, retries: 1 }, "exec sleep 50");
    await until(() => count() > 0);
    expect(readHealthResults(folder)[0]).toMatchObject({ exitCode: -1, output: "too late" });
  });

  it("skips its checks while the container is paused", async () => {
    watch(
      "",
      {},
      `echo '{"level":"error","msg":"cannot exec in a paused container"}' > log; echo x >> asked; exit 255`,
    );
    await until(() => fs.existsSync(at("asked")) && fs.readFileSync(at("asked"), "utf8").length > 4);
    expect(readHealthResults(folder)).toEqual([]);
  });

  it("goes on from what its killed predecessor had written", async () => {
    fs.writeFileSync(at("status"), "healthy 1 41\n");
    watch("1");
    await until(() => changes() !== "");
    expect([changes(), fs.existsSync(at("result-000000042"))]).toEqual(["some id unhealthy\n", true]);
  });

  it("ends with the container", async () => {
    watch("0");
    await until(() => count() > 0);
    container.kill("SIGKILL");
    await until(() => watcher?.exitCode === 0);
  });
});
