// SPDX-License-Identifier: Apache-2.0
/*
 * What programs with a GPU need besides it, and what a container's defaults are too small for: data loaders hand tensors
 * on through /dev/shm, and libraries that talk between GPUs lock memory and use deep stacks. Flags of the user's own win.
 */
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import type { CreateRequest, ResourceRequest } from "./request.ts";

/** What this host allows. -1 is no limit. */
export interface ComfortHost {
  /** Bytes of memory. */
  readonly memory: number;
  readonly memlock: Limit;
  readonly stack: Limit;
  /** Whether this process may raise a limit above its own. */
  readonly mayRaise: boolean;
}

interface Limit {
  readonly soft: number;
  readonly hard: number;
}

const MIB = 1024 * 1024;
const USUAL_SHM = 64 * MIB;
/** As NVIDIA's documentation of its containers has it. */
const STACK = 64 * MIB;
const UNLIMITED = -1;
const CAP_SYS_RESOURCE = 24n;

/** Whether it asks for a GPU by `--gpus`; `--gpus 0` asks for none, and a CDI device may be anything. */
export function asksForGpus({ deviceRequests = [] }: CreateRequest): boolean {
  return deviceRequests.some(
    ({ driver, count, deviceIds }) => driver !== "cdi" && (count !== 0 || deviceIds.length > 0),
  );
}

/** The request with larger limits, and the line that says so; undefined when there is nothing to change. */
export function withComforts(
  request: CreateRequest,
  host: ComfortHost = thisHost(),
): { readonly resources: ResourceRequest; readonly note: string } | undefined {
  const { resources } = request;
  const shmSize = wantedShm(request, host);
  const own = new Set(resources.ulimits.map(({ name }) => name));
  const ulimits = [
    ...(own.has("memlock") ? [] : raised("memlock", host.memlock, UNLIMITED, host)),
    ...(own.has("stack") ? [] : raised("stack", host.stack, STACK, host)),
  ];
  const said = [
    ...(shmSize === undefined ? [] : [`/dev/shm ${amount(shmSize)} (--shm-size)`]),
    ...ulimits.map(limitText),
  ];
  if (said.length === 0) return undefined;
  const size = shmSize === undefined ? {} : { shmSize };
  return {
    resources: { ...resources, ...size, ulimits: [...resources.ulimits, ...ulimits] },
    note: `--gpus: ${said.join(", ")}`,
  };
}

/**
 * Half of the memory: what Linux gives the host's own /dev/shm. It is a limit, and takes nothing before it is used; with
 * `--memory` it is half of that, since the pages count there.
 */
function wantedShm({ resources, namespaces }: CreateRequest, { memory }: ComfortHost): number | undefined {
  if (resources.shmSize !== undefined || namespaces.ipc !== undefined) return undefined;
  const half = Math.min(memory, resources.memory || memory) / 2;
  const size = Math.floor(half / MIB) * MIB;
  return size > USUAL_SHM ? size : undefined;
}

/** As high as wanted, or as this process may; the hard limit is never lowered. */
function raised(
  name: string,
  { soft, hard }: Limit,
  wanted: number,
  { mayRaise }: ComfortHost,
): ResourceRequest["ulimits"] {
  const reachable = mayRaise ? wanted : lower(wanted, hard);
  if (lower(reachable, soft) === reachable) return [];
  return [{ name, soft: reachable, hard: lower(hard, reachable) === hard ? reachable : hard }];
}

/** The lower of two limits. */
function lower(left: number, right: number): number {
  if (left === UNLIMITED) return right;
  return right === UNLIMITED ? left : Math.min(left, right);
}

function limitText({ name, soft }: ResourceRequest["ulimits"][number]): string {
  return `${name} ${soft === UNLIMITED ? "unlimited" : amount(soft)} (--ulimit ${name}=)`;
}

function amount(bytes: number): string {
  const gib = bytes / (1024 * MIB);
  return gib >= 1 ? `${Number(gib.toFixed(1))} GiB` : `${Number((bytes / MIB).toFixed(1))} MiB`;
}

function thisHost(): ComfortHost {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return {
    memory: totalmem(),
    memlock: limitOf(limits, "Max locked memory"),
    stack: limitOf(limits, "Max stack size"),
    // A capability of another user namespace than the first raises nothing.
    mayRaise: ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n && isFirstNamespace(),
  };
}

function isFirstNamespace(): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
}

function limitOf(limits: string, name: string): Limit {
  const [soft = "unlimited", hard = "unlimited"] =
    limits
      .split("\n")
      .find((line) => line.startsWith(name))
      ?.slice(name.length)
      .trim()
      .split(/\s+/) ?? [];
  const number = (text: string): number => (text === "unlimited" ? UNLIMITED : Number(text));
  return { soft: number(soft), hard: number(hard) };
}
