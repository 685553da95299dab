// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { createRequest } from "./fixture.ts";
import { mergeConfig, mergeEnv, overrideEnvironment, processArguments, processEnvironment } from "./merge-config.ts";
import type { CreateRequest } from "./request.ts";
import type { ImageDefaults } from "./types.ts";

const ID = "0123456789abcdef".repeat(4);

function argumentsOf(image: ImageDefaults, request: Partial<CreateRequest>): readonly string[] {
  return processArguments(mergeConfig(image, createRequest(request), ID));
}

describe("entrypoint and command merge as in Docker", () => {
  const both = { Entrypoint: ["python"], Cmd: ["app.py"] };
  const cases: readonly [string, ImageDefaults, Partial<CreateRequest>, readonly string[]][] = [
    ["image's own", both, {}, ["python", "app.py"]],
    ["arguments replace Cmd", both, { command: ["-c", "1"] }, ["python", "-c", "1"]],
    ["--entrypoint drops Cmd too", both, { entrypoint: "sh" }, ["sh"]],
    ["--entrypoint with arguments", both, { entrypoint: "sh", command: ["-x"] }, ["sh", "-x"]],
    ["empty --entrypoint resets", both, { entrypoint: "", command: ["ls"] }, ["ls"]],
    ["Cmd alone", { Cmd: ["ls", "/"] }, {}, ["ls", "/"]],
    ["arguments over Cmd alone", { Cmd: ["ls"] }, { command: ["id"] }, ["id"]],
    ["null members", { Entrypoint: null, Cmd: null }, { command: ["id"] }, ["id"]],
  ];
  it.each(cases)("%s", (_name, image, request, expected) => {
    expect(argumentsOf(image, request)).toEqual(expected);
  });

  it.each([
    ["nothing at all", {}, {}],
    ["a reset entrypoint without arguments", both, { entrypoint: "" }],
  ])("refuses %s", (_name, image, request) => {
    expect(() => argumentsOf(image, request)).toThrow(expect.objectContaining({ code: "E_NO_COMMAND" }));
  });
});

describe("environment", () => {
  it("puts the user's variables first and hides the image's of the same name", () => {
    expect(mergeEnv(["PATH=/bin", "A=1", "B=2"], ["A=9", "C=3"])).toEqual(["A=9", "C=3", "PATH=/bin", "B=2"]);
  });

  it("lets a bare name remove the image's variable from the process", () => {
    const config = mergeConfig({ Cmd: ["x"], Env: ["A=1", "B=2"] }, createRequest({ env: ["A"] }), ID);
    expect(processEnvironment(config).filter((entry) => entry.startsWith("A"))).toEqual([]);
    expect(processEnvironment(config)).toContain("B=2");
  });

  it("starts with PATH and HOSTNAME, TERM only with a terminal, each replaced in place", () => {
    const plain = mergeConfig({ Cmd: ["x"], Env: ["PATH=/opt/bin", "X=1"] }, createRequest({ hostname: "h" }), ID);
    expect(processEnvironment(plain)).toEqual(["PATH=/opt/bin", "HOSTNAME=h", "X=1"]);
    const tty = mergeConfig({ Cmd: ["x"] }, createRequest({ tty: true }), ID);
    expect(processEnvironment(tty)).toEqual([
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOSTNAME=0123456789ab",
      "TERM=xterm",
    ]);
  });

  it("keeps the last of equal names", () => {
    expect(overrideEnvironment(["A=0"], ["A=1", "A=2", "A=3=x"])).toEqual(["A=3=x"]);
  });

  it.each(["=x", "", "A\0=1"])("refuses the variable %j", (entry) => {
    expect(() => mergeEnv([], [entry])).toThrow(expect.objectContaining({ code: "E_ENV" }));
  });
});

describe("other settings", () => {
  it("takes the request's value over the image's", () => {
    const image = { Cmd: ["x"], User: "app", WorkingDir: "/srv", StopSignal: "SIGINT", Labels: { a: "1", b: "2" } };
    const request = { user: "0", workdir: "/tmp", stopSignal: "QUIT", labels: { b: "3" } };
    expect(mergeConfig(image, createRequest(request), ID)).toMatchObject({
      User: "0",
      WorkingDir: "/tmp",
      StopSignal: "QUIT",
      Labels: { a: "1", b: "3" },
    });
    expect(mergeConfig(image, createRequest(), ID)).toMatchObject({ User: "app", WorkingDir: "/srv" });
  });

  it.each([
    ["E_WORKDIR", { workdir: "srv" }],
    ["E_SIGNAL", { stopSignal: "SIGNOPE" }],
  ])("throws %s", (code, request) => {
    expect(() => mergeConfig({ Cmd: ["x"] }, createRequest(request), ID)).toThrow(expect.objectContaining({ code }));
  });

  it("disables the health check on request", () => {
    const image = { Cmd: ["x"], Healthcheck: { Test: ["CMD", "true"] } };
    expect(mergeConfig(image, createRequest({ noHealthcheck: true }), ID).Healthcheck).toEqual({ Test: ["NONE"] });
  });
});
