// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { launchEntry } from "./launch-json.ts";
import type { SourceMapping } from "./launch-json.ts";

const HERE = "${workspaceFolder}";
const CASES: readonly (readonly [
  name: string,
  workdir: string,
  mounts: readonly SourceMapping[],
  expected: readonly (readonly [string, string])[],
])[] = [
  ["copied sources", "/app", [], [[HERE, "/app"]]],
  ["the open folder is mounted", "/code", [{ source: "/home/me/p", target: "/code" }], [[HERE, "/code"]]],
  [
    "a folder of it is mounted",
    "/app",
    [{ source: "/home/me/p/src", target: "/app/src" }],
    [
      [`${HERE}/src`, "/app/src"],
      [HERE, "/app"],
    ],
  ],
  [
    "another folder is mounted",
    "/app",
    [{ source: "/data/lib", target: "/lib/x" }],
    [
      ["/data/lib", "/lib/x"],
      [HERE, "/app"],
    ],
  ],
  [
    "the working directory is below a mount",
    "/code/sub",
    [{ source: "/home/me/p", target: "/code" }],
    [[HERE, "/code"]],
  ],
  [
    "a name that only begins alike",
    "/app",
    [{ source: "/home/me/pq", target: "/x" }],
    [
      [HERE, "/app"],
      ["/home/me/pq", "/x"],
    ],
  ],
  ["no working directory", "/", [], []],
];

describe("the entry for launch.json", () => {
  it.each(CASES)("%s", (_name, workdir, mounts, expected) => {
    const entry = launchEntry({ name: "n", host: "127.0.0.1", port: 5678, workspace: "/home/me/p", workdir, mounts });
    expect(entry.pathMappings.map(({ localRoot, remoteRoot }) => [localRoot, remoteRoot])).toEqual(expected);
    expect(entry).toMatchObject({ type: "debugpy", request: "attach", connect: { host: "127.0.0.1", port: 5678 } });
  });
});
