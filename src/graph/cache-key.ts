// SPDX-License-Identifier: Apache-2.0
import { digestOfValue } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { RunMount, Vertex } from "./types.ts";

/** Changes when the meaning of a step changes, so that results of an older Tare are not taken for those of this one. */
const KEY_VERSION = 1;

/**
 * The cache key of a step: its operation and the *content* of its inputs, never their history. `inputs` are digests of
 * what the step can see of each input: the layers of a root file system, or only the chosen files for a COPY source.
 * Secrets and ssh agents count by their ids alone; their values are in no key.
 */
export function cacheKey(
  vertex: Vertex,
  inputs: readonly Digest[],
  extra: Readonly<Record<string, unknown>> = {},
): Digest {
  return digestOfValue({ version: KEY_VERSION, op: keyedOp(vertex), platform: vertex.platform, inputs, extra });
}

/** The digest of a root file system given by its layers, lowest first. */
export function chainDigest(layers: readonly Digest[]): Digest {
  return digestOfValue(layers);
}

function keyedOp(vertex: Vertex): unknown {
  if (vertex.op.type !== "run") return vertex.op;
  const { mounts, env, ...rest } = vertex.op;
  return { ...rest, env: env.filter((entry) => !isProxy(entry)), mounts: mounts.map(keyedMount) };
}

function keyedMount(mount: RunMount): unknown {
  if (mount.type !== "cache") return mount;
  const { sharing: _sharing, ...rest } = mount;
  return rest;
}

const PROXY = /^(http|https|ftp|no|all)_proxy=/i;

/** Proxy settings never change what a step means (Dockerfile reference, "Predefined ARGs"). */
function isProxy(entry: string): boolean {
  return PROXY.test(entry);
}
