// SPDX-License-Identifier: Apache-2.0
/*
 * The user namespace of a user, and the process that holds it. A namespace lives as long as a process is in it, so one
 * that sleeps is started by the first command and joined by all others; where it lies is written down:
 *
 *     <run folder>/tare/user-namespace     PID START-TIME INODE KIND UID:GID
 *
 * KIND is `full`, or `single` when root has lent the user no ids. `bin/tare` reads the file too. When the holder has been killed and something else
 * still runs in the namespace, that is joined: containers of two namespaces could not reach each other.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import {
  highestId,
  parseIdMap,
  readTextIfPresent,
  systemErrorCode,
  withFileLock,
  writeFileAtomic,
} from "../base/index.ts";
import type { MapPlan } from "./map-plan.ts";
import { SEARCH_PATH, locate, refused } from "./programs.ts";
import { writeMaps } from "./write-maps.ts";

/** A namespace that can be joined. */
export interface Holder {
  readonly pid: number;
  readonly startTime: string;
  /** Of the namespace, as `/proc/PID/ns/user` shows it. */
  readonly inode: string;
  readonly kind: MapPlan["kind"];
}

const FILE = "user-namespace";

/** The holder that is written down in `folder`, while it lives. */
export function readHolder(folder: string): Holder | undefined {
  const holder = parseHolder(readTextIfPresent(join(folder, FILE)) ?? "");
  return holder !== undefined && isHolding(holder) ? holder : undefined;
}

/** The fields of the file; undefined for anything else. */
export function parseHolder(text: string): Holder | undefined {
  const match = /^(\d+) (\d+) (\d+) (full|single) \d+:\d+\n$/.exec(text);
  if (match === null) return undefined;
  const [, pid = "", startTime = "", inode = "", kind] = match;
  return { pid: Number(pid), startTime, inode, kind: kind === "full" ? "full" : "single" };
}

function holderText({ pid, startTime, inode, kind }: Holder, { account }: MapPlan): string {
  return `${pid} ${startTime} ${inode} ${kind} ${account.uid}:${account.gid}\n`;
}

function isHolding({ pid, startTime, inode }: Holder): boolean {
  return startTimeOf(pid) === startTime && namespaceOf(pid) === inode;
}

/** The namespace of a user: found, or made with the maps of `plan`. Throws `E_USERNS`. */
export async function holdNamespace(folder: string, plan: MapPlan): Promise<Holder> {
  return await withFileLock(join(folder, `${FILE}.lock`), async () => {
    const known = readHolder(folder);
    if (known !== undefined && !isOutgrown(known, plan)) return known;
    const holder = known === undefined ? await holdAgain(folder, plan.account.uid) : undefined;
    const made = holder ?? (await makeHolder(plan));
    writeFileAtomic(join(folder, FILE), holderText(made, plan));
    return made;
  });
}

/** A namespace of one id is given up when there are more by now, unless something runs in it. */
function isOutgrown(known: Holder, plan: MapPlan): boolean {
  if (known.kind === "full" || plan.kind === "single") return false;
  if (processesIn(known.inode).some((pid) => pid !== known.pid)) return false;
  process.kill(known.pid, "SIGKILL");
  return true;
}

/** A new holder of the namespace that the last one held, when other processes keep it. */
async function holdAgain(folder: string, uid: number): Promise<Holder | undefined> {
  const last = parseHolder(readTextIfPresent(join(folder, FILE)) ?? "");
  const pid = last && processesIn(last.inode).find((each) => hasMap(mapOf(each), uid, last.kind));
  if (last === undefined || pid === undefined) return undefined;
  const child = startHolder([locate("nsenter"), "--user", "--preserve-credentials", "--target", String(pid)]);
  return await ready(child, last.kind, () => Promise.resolve());
}

/** Whether a map is one of ours: the kernel gives a namespace's number again, and a browser makes namespaces too. */
export function hasMap(text: string, uid: number, kind: Holder["kind"]): boolean {
  const rows = parseIdMap(text);
  const isUser = rows.some(({ inside, outside, count }) => inside === 0 && outside === uid && count === 1);
  return isUser && highestId(rows) > 0 === (kind === "full");
}

function mapOf(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/uid_map`, "utf8");
  } catch {
    return "";
  }
}

async function makeHolder(plan: MapPlan): Promise<Holder> {
  const child = startHolder([locate("unshare"), "--user"]);
  return await ready(child, plan.kind, (pid) => writeMaps(pid, plan));
}

/** Tells that it is in the namespace, waits until that has its ids, and sleeps. */
const HOLD = "echo in; read -r _; cd /; exec sleep infinity";

function startHolder(entering: readonly string[]): ChildProcess {
  const [program = "", ...args] = [...entering, "sh", "-c", HOLD];
  return spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], detached: true, env: { PATH: SEARCH_PATH } });
}

async function ready(
  child: ChildProcess,
  kind: Holder["kind"],
  prepare: (pid: number) => Promise<void>,
): Promise<Holder> {
  const pid = await entered(child);
  try {
    await prepare(pid);
    child.stdin?.end("\n");
    return { pid, kind, startTime: startTimeOf(pid) ?? "", inode: namespaceOf(pid) ?? "" };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.unref();
  }
}

function entered(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let complaint = "";
    child.stderr?.on("data", (data: Buffer) => (complaint += data.toString("utf8")));
    child.stdout?.once("data", () => resolve(child.pid ?? 0));
    child.once("error", (error) => {
      reject(refused(systemErrorCode(error) === "ENOENT" ? `\`${child.spawnfile}\` is not installed` : error.message));
    });
    child.once("close", () => reject(refused(complaint.trim().split("\n").at(-1) ?? "")));
  });
}

/** Clock ticks after boot (proc(5)); the name before it may hold spaces and parentheses. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

/** The user namespace of a process that this user may look at. */
function namespaceOf(pid: number): string | undefined {
  try {
    return /^user:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/ns/user`))?.[1];
  } catch {
    return undefined;
  }
}

function processesIn(inode: string): number[] {
  const pids = fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => namespaceOf(pid) === inode);
}
