// SPDX-License-Identifier: Apache-2.0
import type { CdiDevice, CdiDeviceNode, CdiEdits, CdiHook, CdiIntelRdt, CdiMount, CdiSpec } from "../types.ts";
import { flag, integer, list, object, text, texts } from "./fields.ts";
import type { Reader } from "./fields.ts";

const whole = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const id = integer(0, 0xffff_ffff);

const deviceNode: Reader<CdiDeviceNode> = object(
  { path: text },
  {
    hostPath: text,
    type: text,
    major: whole,
    minor: whole,
    fileMode: id,
    permissions: text,
    uid: id,
    gid: id,
  },
);

const mount: Reader<CdiMount> = object({ hostPath: text, containerPath: text }, { type: text, options: list(text) });

const hook: Reader<CdiHook> = object(
  { hookName: text, path: text },
  { args: list(text), env: list(text), timeout: whole },
);

const intelRdt: Reader<CdiIntelRdt> = object(
  {},
  {
    closID: text,
    l3CacheSchema: text,
    memBwSchema: text,
    schemata: list(text),
    // Dropped by 1.1.0; written by generators of 0.7.0.
    enableCMT: flag,
    enableMBM: flag,
    enableMonitoring: flag,
  },
);

const edits: Reader<CdiEdits> = object(
  {},
  {
    env: list(text),
    deviceNodes: list(deviceNode),
    netDevices: list(object({ hostInterfaceName: text, name: text }, {})),
    mounts: list(mount),
    hooks: list(hook),
    intelRdt,
    additionalGids: list(id),
  },
);

const device: Reader<CdiDevice> = object({ name: text, containerEdits: edits }, { annotations: texts });

const spec: Reader<CdiSpec> = object(
  { cdiVersion: text, kind: text, devices: list(device) },
  { annotations: texts, containerEdits: edits },
);

/** The types of a specification's fields; its rules are `checkSpec`'s. Throws `E_CDI_SPEC`. */
export function readSpec(value: unknown): CdiSpec {
  return spec(value, "");
}
