// SPDX-License-Identifier: Apache-2.0
/* An account of this host for one test, with lent ids, and the program run as him. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingProgram, runProgram } from "./peer-program.ts";
import { allPids, killNow } from "./processes.ts";
import { PROGRAM } from "./program.ts";
import type { CommandOptions, Outcome } from "./program.ts";

/** Why a user's containers can't be tested here; undefined when they can. */
export function whyNoOrdinaryUser(): string | undefined {
  if (process.getuid?.() !== 0) return "making an account needs root";
  const needed = ["useradd", "userdel", "setpriv", "newuidmap", "nsenter", "runc", "conmon", "pasta"];
  const missing = missingProgram(...needed);
  if (missing !== undefined) return `${missing} is not installed`;
  const trial = spawnSync("setpriv", ["--reuid", "65534", "--clear-groups", "unshare", "--user", "true"]);
  return trial.status === 0 ? undefined : "this host gives its users no namespaces";
}

/** An account with a home and a run folder. */
export interface OrdinaryUser {
  readonly uid: number;
  /** First of the lent ids. */
  readonly lent: number;
  readonly home: string;
  /** Runs the program to its end. */
  tare(args: readonly string[], options?: CommandOptions): Outcome;
  /** The same, but throws when it fails; the standard output without its last line feed. */
  ok(...args: readonly string[]): string;
  /** Runs another program as the user. */
  sh(script: string): Outcome;
  /** Ends all his processes, and removes account and files. */
  close(): void;
}

/** Makes an account; `lends` is how many ids it is lent. */
export function makeOrdinaryUser(lends: number = 65_536): OrdinaryUser {
  const folder = fs.mkdtempSync(join(tmpdir(), "tare-account-"));
  fs.chmodSync(folder, 0o755);
  const name = `tare-test-${process.pid}-${lends}`;
  const home = join(folder, "home");
  runProgram("useradd", [
    "--no-user-group",
    "--gid",
    "100",
    "--create-home",
    "--home-dir",
    home,
    "--shell",
    "/bin/sh",
    name,
  ]);
  const uid = Number(runProgram("id", ["-u", name]));
  const lent = lendIds(name, lends);
  const run = join(folder, "run");
  fs.mkdirSync(run, { mode: 0o700 });
  fs.chownSync(run, uid, 100);
  const tunnel = withTunnel(folder);
  const as = (words: readonly string[], options: CommandOptions = {}): Outcome => {
    const base = { HOME: home, USER: name, PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", XDG_RUNTIME_DIR: run };
    const { cwd = home, input = "", env } = options;
    const ids = ["--reuid", String(uid), "--regid", "100", "--clear-groups"];
    const child = spawnSync(tunnel[0] ?? "setpriv", [...tunnel.slice(1), ...ids, ...words], {
      cwd,
      input,
      env: { ...base, ...env },
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    return { code: child.status ?? 128, out: child.stdout, err: child.stderr };
  };
  return {
    uid,
    lent,
    home,
    tare: (args, options) => as([PROGRAM, ...args], options),
    ok: (...args) => {
      const { code, out, err } = as([PROGRAM, ...args]);
      if (code !== 0) throw new Error(`tare ${args.join(" ")} as a user: exit code ${code}\n${err}`);
      return out.replace(/\n$/, "");
    },
    sh: (script) => as(["sh", "-c", script]),
    close: () => {
      as([PROGRAM, "rm", "-f", "-a"]);
      endProcesses(uid, lent, lends);
      // By force: the dead whom init has not collected yet still count as his.
      spawnSync("userdel", ["--force", name]);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Where /dev/net/tun is root's alone, the user gets one of his own in a mount namespace. */
function withTunnel(folder: string): readonly string[] {
  const device = "/dev/net/tun";
  const stats = fs.statSync(device, { throwIfNoEntry: false });
  if (stats === undefined || (stats.mode & 0o006) === 0o006) return [];
  const own = join(folder, "tun");
  runProgram("mknod", ["-m", "0666", own, "c", "10", "200"]);
  const script = `mount --bind "$1" ${device} && shift && exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", script, "sh", own, "setpriv"];
}

/** Above all that is lent already; `useradd` lends some too where the host is set up so, and those are taken back. */
function lendIds(name: string, count: number): number {
  const tables = ["/etc/subuid", "/etc/subgid"];
  const rows = tables.map((path) => (fs.existsSync(path) ? fs.readFileSync(path, "utf8") : ""));
  const kept = rows.map((text) => text.split("\n").filter((line) => line !== "" && !line.startsWith(`${name}:`)));
  const ends = kept.flat().map((line) => Number(line.split(":")[1]) + Number(line.split(":")[2]));
  const first = Math.max(1_000_000, ...ends);
  const more = count === 0 ? [] : [`${name}:${first}:${count}`];
  tables.forEach((path, index) => fs.writeFileSync(path, [...(kept[index] ?? []), ...more, ""].join("\n")));
  return first;
}

function endProcesses(uid: number, lent: number, count: number): void {
  for (const pid of allPids()) {
    const owner = fs.statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? 0;
    if (owner === uid || (owner >= lent && owner < lent + count)) killNow(pid);
  }
}

/** Ends the process that holds the namespace of a user who has no run folder. */
export function endHolder(uid: number): void {
  const folder = `/tmp/tare-${uid}`;
  if (!fs.existsSync(folder)) return;
  const [pid = ""] = fs.readFileSync(join(folder, "user-namespace"), "utf8").split(" ");
  fs.rmSync(folder, { recursive: true, force: true });
  if (/^\d+$/.test(pid)) process.kill(Number(pid), "SIGKILL");
}
