// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { ContainerConfig } from "../oci/index.ts";
import { committedConfig } from "./commit.ts";

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
  it.each<readonly [string, readonly string[], ContainerConfig]>([
    ["is the container's", [], CONTAINER],
    [
      "has new variables last",
      ["ENV B=1 A=2", "ENV P=$PATH:/x"],
      { ...CONTAINER, Env: ["PATH=/bin", "A=2", "B=1", "P=/bin:/x"] },
    ],
    ["has the changed command", ['CMD ["x"]'], { ...CONTAINER, Cmd: ["x"] }],
    ["has a command of words", ["CMD a b"], { ...CONTAINER, Cmd: ["/bin/sh", "-c", "a b"] }],
    [
      "unites labels, volumes and ports",
      ["LABEL a=changed", "VOLUME /more", "EXPOSE 81"],
      {
        ...CONTAINER,
        Labels: { a: "changed", b: "container" },
        Volumes: { "/data": {}, "/more": {} },
        ExposedPorts: { "80/tcp": {}, "81/tcp": {} },
      },
    ],
    [
      "has the changed user, folder, signal",
      ["USER 0", "WORKDIR sub", "STOPSIGNAL 9"],
      { ...CONTAINER, User: "0", WorkingDir: "/srv/sub", StopSignal: "9" },
    ],
    ["has ONBUILD of the changes", ["ONBUILD RUN x"], { ...CONTAINER, OnBuild: ["RUN x"] }],
    [
      "keeps a command that is changed with the entrypoint",
      ['ENTRYPOINT ["e"]', 'CMD ["c"]'],
      { ...CONTAINER, Entrypoint: ["e"], Cmd: ["c"] },
    ],
    ["or before it", ['CMD ["c"]', 'ENTRYPOINT ["e"]'], { ...CONTAINER, Entrypoint: ["e"], Cmd: ["c"] }],
  ])("%s", (_name, changes, expected) => expect(committedConfig(CONTAINER, changes)).toEqual(expected));

  it("has no command of the container with a changed entrypoint", () => {
    const { Cmd: _, ...rest } = CONTAINER;
    expect(committedConfig(CONTAINER, ['ENTRYPOINT ["/e"]'])).toEqual({ ...rest, Entrypoint: ["/e"] });
  });

  it("refuses instructions that change more than the config", () => {
    expect(() => committedConfig(CONTAINER, ["RUN true"])).toThrowError(/changes more than the config/);
  });
});
