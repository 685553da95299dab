// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { withComforts } from "./gpu-comforts.ts";
import type { ComfortHost } from "./gpu-comforts.ts";
import { PLAIN_REQUEST } from "./plain-request.ts";
import type { CreateRequest, NamespaceRequest, ResourceRequest } from "./request.ts";

const GIB = 1024 ** 3;
const ROOT: ComfortHost = {
  memory: 24 * GIB,
  memlock: { soft: 8 << 20, hard: 8 << 20 },
  stack: { soft: 8 << 20, hard: -1 },
  mayRaise: true,
};
const FREE: ComfortHost = { ...ROOT, memlock: { soft: -1, hard: -1 }, stack: { soft: 64 << 20, hard: -1 } };
const USER: ComfortHost = {
  ...ROOT,
  mayRaise: false,
  memlock: { soft: 64 << 10, hard: 1 << 30 },
  stack: { soft: 8 << 20, hard: 32 << 20 },
};

function request(resources: Partial<ResourceRequest> = {}, namespaces: NamespaceRequest = {}): CreateRequest {
  return { ...PLAIN_REQUEST, image: "i", resources: { ulimits: [], ...resources }, namespaces };
}

const memlock = { name: "memlock", soft: -1, hard: -1 };
const stack = { name: "stack", soft: 64 << 20, hard: -1 };
const LIMITS = "memlock unlimited (--ulimit memlock=), stack 64 MiB (--ulimit stack=)";

describe("what a container with GPUs gets besides them", () => {
  it.each<readonly [string, CreateRequest, ComfortHost, Partial<ResourceRequest>, string]>([
    [
      "half of the memory, and limits",
      request(),
      ROOT,
      { shmSize: 12 * GIB, ulimits: [memlock, stack] },
      `--gpus: /dev/shm 12 GiB (--shm-size), ${LIMITS}`,
    ],
    [
      "half of its own memory",
      request({ memory: GIB }),
      FREE,
      { memory: GIB, shmSize: 0.5 * GIB, ulimits: [] },
      "--gpus: /dev/shm 512 MiB (--shm-size)",
    ],
    [
      "its own size",
      request({ shmSize: 1 << 20 }),
      ROOT,
      { shmSize: 1 << 20, ulimits: [memlock, stack] },
      `--gpus: ${LIMITS}`,
    ],
    ["the host's IPC", request({}, { ipc: "host" }), ROOT, { ulimits: [memlock, stack] }, `--gpus: ${LIMITS}`],
    ["its own IPC", request({}, { ipc: "private" }), ROOT, { ulimits: [memlock, stack] }, `--gpus: ${LIMITS}`],
    [
      "its own limits",
      request({ shmSize: 1, ulimits: [{ name: "memlock", soft: 1, hard: 1 }] }),
      ROOT,
      { shmSize: 1, ulimits: [{ name: "memlock", soft: 1, hard: 1 }, stack] },
      "--gpus: stack 64 MiB (--ulimit stack=)",
    ],
    [
      "as much as a user may have",
      request({ shmSize: 1 }),
      USER,
      {
        shmSize: 1,
        ulimits: [
          { name: "memlock", soft: 1 << 30, hard: 1 << 30 },
          { name: "stack", soft: 32 << 20, hard: 32 << 20 },
        ],
      },
      "--gpus: memlock 1 GiB (--ulimit memlock=), stack 32 MiB (--ulimit stack=)",
    ],
  ])("%s", (_, asked, host, resources, note) => {
    expect(withComforts(asked, host)).toEqual({ resources, note });
  });

  it.each([
    ["everything is the user's", request({ shmSize: 1, ulimits: [memlock, stack] }), ROOT],
    ["the host has enough, and hardly memory", request(), { ...FREE, memory: 0.1 * GIB }],
    ["a memory limit below the usual size", request({ memory: 64 << 20 }), FREE],
  ])("nothing when %s", (_, asked, host) => {
    expect(withComforts(asked, host)).toBeUndefined();
  });
});
