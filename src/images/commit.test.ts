// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { ContainerConfig } from "../oci/index.ts";
import { mergeCommitted } from "./commit.ts";

const CONTAINER: ContainerConfig = {
  User: "app",
  Env: ["PATH=/bin", "A=container"],
  Cmd: ["serve"],
  Entrypoint: ["/entry"],
  WorkingDir: "/srv",
  Labels: { a: "container", b: "container" },
  Volumes: { "/data": {} },
  ExposedPorts: { "80/tcp": {} },
  StopSignal: "SIGINT",
};

describe("the config of a committed image", () => {
  it.each<readonly [string, ContainerConfig, ContainerConfig]>([
    ["is the container's", {}, CONTAINER],
    ["has changed variables first", { Env: ["B=1", "A=2"] }, { ...CONTAINER, Env: ["B=1", "A=2", "PATH=/bin"] }],
    ["has the changed command", { Cmd: ["x"] }, { ...CONTAINER, Cmd: ["x"] }],
    [
      "unites labels, volumes and ports",
      { Labels: { a: "changed" }, Volumes: { "/more": {} }, ExposedPorts: { "81/tcp": {} } },
      {
        ...CONTAINER,
        Labels: { a: "changed", b: "container" },
        Volumes: { "/data": {}, "/more": {} },
        ExposedPorts: { "80/tcp": {}, "81/tcp": {} },
      },
    ],
    [
      "has the changed user, folder, signal",
      { User: "0", WorkingDir: "/", StopSignal: "9" },
      { ...CONTAINER, User: "0", WorkingDir: "/", StopSignal: "9" },
    ],
    ["has ONBUILD only of the changes", { OnBuild: ["RUN x"] }, { ...CONTAINER, OnBuild: ["RUN x"] }],
  ])("%s", (_name, changed, expected) => expect(mergeCommitted(changed, CONTAINER)).toEqual(expected));

  it("has no command of the container with a changed entrypoint", () => {
    const { Cmd: _, ...rest } = CONTAINER;
    expect(mergeCommitted({ Entrypoint: ["/e"] }, CONTAINER)).toEqual({ ...rest, Entrypoint: ["/e"] });
    expect(mergeCommitted({ Entrypoint: ["/e"], Cmd: ["c"] }, CONTAINER)).toMatchObject({ Cmd: ["c"] });
  });

  it("leaves out what is empty", () => expect(mergeCommitted({}, {})).toEqual({ User: "" }));
});
