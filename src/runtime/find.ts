// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { TareError, ensureDirectory, execute, hostEnvironment, readTextIfPresent } from "../base/index.ts";
import { entranceOf } from "../rootless/index.ts";
import { cgroupMode, unifiedMount } from "./cgroup.ts";
import { probeRuntime } from "./probe.ts";

/** An OCI runtime that works on this host. */
export interface OciRuntime {
  readonly name: "runc" | "crun" | "other";
  /** Absolute. */
  readonly path: string;
  readonly version: string;
  /** Mount point that it must not see: crun refuses hosts that mount a v2 tree beside v1 controllers. */
  readonly hidden?: string;
}

/** How to choose the runtime. */
export interface FindRuntimeOptions {
  /** `--runtime`: `runc`, `crun` or an absolute path; default: the first that works. */
  readonly name?: string;
  /** Private directory for run-time files; remembers what was found. */
  readonly runRoot: string;
  /** Search path; default PATH and the system's program directories. */
  readonly path?: string;
}

const SYSTEM_DIRECTORIES = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/usr/libexec/tare",
];
// runc first: it works with every control group layout, and Docker's users know its behaviour.
const CANDIDATES = ["runc", "crun"];

/**
 * The runtime to use: the named one, or the first of runc and crun that can start a container on this host. From crun,
 * which refuses hosts with control groups v1 and v2 side by side, the v2 tree is hidden. The answer is kept in `runRoot`
 * and asked again after a change of the program, a reboot or another cgroup layout. Throws `E_NO_RUNTIME`,
 * `E_USERNS` and `E_PERMISSION` for others than root without a namespace of their own.
 */
export async function findRuntime(options: FindRuntimeOptions): Promise<OciRuntime> {
  const names = options.name === undefined ? CANDIDATES : [options.name];
  const failures: string[] = [];
  for (const name of names) {
    const path = locate(name, options.path);
    if (path === undefined) continue;
    await requireRoot();
    const stamp = stampOf(path);
    const cached = readCache(options.runRoot, path);
    if (cached?.stamp === stamp) return cached.runtime;
    const runtime = await describe(path);
    const failure = await probeRuntime(runtime, options.runRoot);
    if (failure === undefined) {
      writeCache(options.runRoot, { stamp, runtime });
      return runtime;
    }
    failures.push(`${path}: ${failure}`);
  }
  throw notFound(options.name, failures);
}

/** The command line enters the user's namespace before it comes here, unless the host refuses one: it says why again. */
async function requireRoot(): Promise<void> {
  if (process.getuid?.() === 0) return;
  await entranceOf(["true"], hostEnvironment());
  throw new TareError("E_PERMISSION", "starting a container: this process is not in the user's namespace", {
    hint: "containers of an ordinary user are started by the command `tare`",
    exitCode: 125,
  });
}

/** The absolute path of a program in `path` and the system's directories, or undefined. */
export function locate(name: string, path: string = hostEnvironment()["PATH"] ?? ""): string | undefined {
  const candidates = name.startsWith("/")
    ? [name]
    : [...path.split(delimiter).filter((entry) => entry.startsWith("/")), ...SYSTEM_DIRECTORIES].map((folder) =>
        join(folder, name),
      );
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return statSync(candidate).isFile();
    } catch {
      return false;
    }
  });
}

interface CacheEntry {
  readonly stamp: string;
  readonly runtime: OciRuntime;
}

async function describe(path: string): Promise<OciRuntime> {
  const { stdout } = await execute(path, ["--version"], { env: {} });
  const [, program, version] = /^(\S+) version (\S+)/m.exec(stdout) ?? [];
  const name = program ?? basename(path);
  const hidden = name === "crun" && cgroupMode() === "hybrid" ? unifiedMount() : undefined;
  return {
    name: name === "runc" || name === "crun" ? name : "other",
    path,
    version: version ?? "unknown",
    ...(hidden === undefined ? {} : { hidden }),
  };
}

/** Changes whenever the cached answer may be wrong. */
function stampOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(realpathSync(path));
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return [path, mtimeMs, size, ino, boot, cgroupMode()].join(" ");
}

function cachePath(runRoot: string, path: string): string {
  return join(runRoot, `runtime-${path.replaceAll("/", "-").slice(1)}.json`);
}

function readCache(runRoot: string, path: string): CacheEntry | undefined {
  try {
    const value: unknown = JSON.parse(readTextIfPresent(cachePath(runRoot, path)) ?? "null");
    return isCacheEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Written without a sync: a damaged file only costs a probe. */
function writeCache(runRoot: string, entry: CacheEntry): void {
  ensureDirectory(runRoot);
  writeFileSync(cachePath(runRoot, entry.runtime.path), JSON.stringify(entry), { mode: 0o600 });
}

function isCacheEntry(value: unknown): value is CacheEntry {
  if (typeof value !== "object" || value === null || !("stamp" in value) || !("runtime" in value)) return false;
  const { runtime } = value;
  return (
    typeof runtime === "object" && runtime !== null && "path" in runtime && "name" in runtime && "version" in runtime
  );
}

function notFound(name: string | undefined, failures: readonly string[]): TareError {
  const what = name === undefined ? "runc or crun" : `\`${name}\``;
  const why = failures.length === 0 ? "not installed" : failures.join("; ");
  return new TareError("E_NO_RUNTIME", `looking for an OCI runtime (${what}): ${why}`, {
    hint: "`tare system install` installs one (Debian and Ubuntu: `apt install runc`)",
    exitCode: 125,
  });
}
