// SPDX-License-Identifier: Apache-2.0
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { TareError, callingAccount } from "../base/index.ts";
import { userRunFolder } from "../rootless/index.ts";
import type { EngineOptions } from "./facade.ts";

/** Where an engine keeps its things and how; all that is read from the environment once. */
export interface Settings {
  /** The store's folder, absolute. */
  readonly root: string;
  /** Folder for what a reboot may forget, private to this store. */
  readonly runRoot: string;
  /** `none`: flushing is left to the kernel (`TARE_SYNC=none`). */
  readonly sync: "full" | "none";
  /** `TARE_FAULT` as written: a fault to inject. */
  readonly fault: string | undefined;
  /** `SOURCE_DATE_EPOCH`, seconds. */
  readonly epoch: number | undefined;
  /** `DOCKER_HOST`, or where a Docker Engine listens by default. */
  readonly dockerHost: string;
  /** `--signature-policy`, absolute. */
  readonly signaturePolicy: string | undefined;
  /** `NVIDIA_DRIVER_ROOT`: where the GPU driver's files are, as GPU operators that run the driver in a container have it. */
  readonly driverRoot: string;
  readonly env: EngineOptions["env"];
  readonly cwd: string;
}

/** Who asks, for tests. */
export interface Host {
  /** Undefined where there are no users. */
  readonly uid: number | undefined;
  readonly home: string;
}

const SYSTEM_ROOT = "/var/lib/tare";

/** Settings from options and environment. Touches nothing. Throws `E_USAGE` for a malformed variable. */
export function settingsOf(options: EngineOptions, host: Host = thisHost()): Settings {
  const { env, cwd } = options;
  const isSystem = host.uid === 0;
  const usual = isSystem ? SYSTEM_ROOT : join(filled(env["XDG_DATA_HOME"]) ?? join(host.home, ".local/share"), "tare");
  const root = resolve(cwd, filled(options.root) ?? filled(env["TARE_ROOT"]) ?? usual);
  const base = isSystem ? "/run" : userRunFolder(env["XDG_RUNTIME_DIR"], host.uid);
  return {
    root,
    runRoot: base === undefined ? join(root, "run") : join(base, root === usual ? "tare" : `tare-${shortHash(root)}`),
    sync: env["TARE_SYNC"] === "none" ? "none" : "full",
    fault: filled(env["TARE_FAULT"]),
    epoch: epochOf(env["SOURCE_DATE_EPOCH"]),
    dockerHost: filled(env["DOCKER_HOST"]) ?? "unix:///var/run/docker.sock",
    signaturePolicy: options.signaturePolicy === undefined ? undefined : resolve(cwd, options.signaturePolicy),
    driverRoot: resolve(cwd, filled(env["NVIDIA_DRIVER_ROOT"]) ?? "/"),
    env,
    cwd,
  };
}

function thisHost(): Host {
  return { uid: callingAccount()?.uid, home: homedir() };
}

function filled(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

/**
 * Sixteen digits that keep the run-time files of different stores apart: FNV-1a twice. Nobody gains by two roots that
 * share them, and sha256 costs 5 ms of loading.
 */
function shortHash(root: string): string {
  return [0x811c9dc5, 0x01000193].map((seed) => fnv(root, seed).toString(16).padStart(8, "0")).join("");
}

function fnv(text: string, seed: number): number {
  let hash = seed;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function epochOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new TareError("E_USAGE", `reading SOURCE_DATE_EPOCH \`${text.slice(0, 40)}\`: not a whole number of seconds`, {
    hint: "set it to seconds since 1970, or unset it",
  });
}
