// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { checkTarget } from "./mount.ts";
import type { Mount, Propagation, TmpfsOptions, VolumeOptions } from "./mount.ts";
import { parseBytes } from "./sizes.ts";
import { cut, quoted, usage } from "./usage.ts";

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const WINDOWS_PATH = /^[A-Za-z]:(?:\\|\/[^:]*:)|^\\\\/;

const MODES: Readonly<Record<string, "access" | "label" | "copy" | "propagation" | "consistency">> = {
  ro: "access",
  rw: "access",
  z: "label",
  Z: "label",
  nocopy: "copy",
  private: "propagation",
  rprivate: "propagation",
  shared: "propagation",
  rshared: "propagation",
  slave: "propagation",
  rslave: "propagation",
  consistent: "consistency",
  cached: "consistency",
  delegated: "consistency",
  default: "consistency",
};

/**
 * Parses `-v [source:]target[:options]`: an absolute or dotted source is a bind mount (dotted ones from `cwd`), a name
 * a volume, none an anonymous volume. Throws `E_USAGE`.
 */
export function parseVolume(text: string, cwd: string): Mount {
  if (WINDOWS_PATH.test(text)) {
    throw usage(`invalid volume specification: '${text}'`, "Windows paths are not supported; use a Linux path");
  }
  const parts = text.split(":");
  const [first = "", second, third] = parts;
  const modeAlone = third === undefined && second !== undefined && isMode(second);
  if (first === "" || parts.length > 3 || modeAlone) {
    throw usage(`invalid volume specification: '${text}'`, "expected [source:]target[:options]");
  }
  if (second === undefined) return { type: "volume", target: checkTarget(first), readOnly: false };
  const modes = readModes(third ?? "");
  const target = checkTarget(second);
  return /^[./~]/.test(first) ? bindMount(first, target, modes, cwd) : volumeMount(first, target, modes);
}

type Modes = ReadonlyMap<string, string>;

function isMode(text: string): boolean {
  return text !== "" && text.split(",").every((option) => Object.hasOwn(MODES, option));
}

function readModes(text: string): Modes {
  const modes = new Map<string, string>();
  for (const option of text === "" ? [] : text.split(",")) {
    const group = Object.hasOwn(MODES, option) ? MODES[option] : undefined;
    if (group === undefined || modes.has(group)) throw usage(`invalid mode: ${text}`);
    modes.set(group, option);
  }
  return modes;
}

function bindMount(source: string, target: string, modes: Modes, cwd: string): Mount {
  if (source.startsWith("~")) {
    throw usage(
      `invalid volume source \`${source}\``,
      "the shell did not expand ~; write the path in full or use $HOME",
    );
  }
  if (modes.has("copy")) throw usage("invalid mode: nocopy", "nocopy is for volumes, not for bind mounts");
  const propagation = modes.get("propagation") as Propagation | undefined;
  return {
    type: "bind",
    source: posix.resolve(cwd, source),
    target,
    ...common(modes),
    bind: { createSource: true, ...(propagation === undefined ? {} : { propagation }) },
  };
}

function volumeMount(source: string, target: string, modes: Modes): Mount {
  checkVolumeName(source);
  const propagation = modes.get("propagation");
  if (propagation !== undefined) throw usage(`invalid mode: ${propagation}`, "propagation is for bind mounts only");
  const volume: VolumeOptions | undefined = modes.has("copy") ? { noCopy: true } : undefined;
  return { type: "volume", source, target, ...common(modes), ...(volume === undefined ? {} : { volume }) };
}

function common(modes: Modes): Pick<Mount, "readOnly" | "consistency" | "relabel"> {
  const label = modes.get("label");
  const consistency = modes.get("consistency");
  return {
    readOnly: modes.get("access") === "ro",
    ...(consistency === undefined ? {} : { consistency }),
    ...(label === undefined ? {} : { relabel: label === "z" ? "shared" : "private" }),
  };
}

/** Checks the name of a volume. Throws `E_USAGE` with Docker's text. */
export function checkVolumeName(name: string): string {
  if (VOLUME_NAME.test(name) && name.length <= 255) return name;
  throw usage(
    `${quoted(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
    "to mount a folder of the host, write an absolute path or one that starts with ./",
  );
}

/** Parses `--tmpfs target[:options]` (`size=64m,mode=1777,noexec` …). Throws `E_USAGE`. */
export function parseTmpfs(text: string): Mount {
  const { key: target, value: options } = cut(text, ":");
  const mount = { type: "tmpfs", target: checkTarget(target) } as const;
  if (options === undefined || options === "") return { ...mount, readOnly: false };
  const list = options.split(",");
  return { ...mount, readOnly: list.includes("ro"), tmpfs: tmpfsOptions(list) };
}

const TMPFS_FLAGS: ReadonlySet<string> = new Set(
  (
    "ro rw exec noexec suid nosuid dev nodev sync async dirsync remount mand nomand atime noatime diratime nodiratime " +
    "relatime norelatime strictatime nostrictatime bind rbind private rprivate shared rshared slave rslave"
  ).split(" "),
);
const TMPFS_VALUES: ReadonlySet<string> = new Set("size mode uid gid nr_inodes nr_blocks mpol huge".split(" "));

function tmpfsOptions(list: readonly string[]): TmpfsOptions {
  const rest: string[] = [];
  const found: { sizeBytes?: number; mode?: number } = {};
  for (const option of list) {
    const { key, value } = cut(option, "=");
    const known = value === undefined ? TMPFS_FLAGS.has(key) : TMPFS_VALUES.has(key) && value !== "";
    if (!known) throw usage(`invalid tmpfs option ${quoted(option)}`);
    if (key === "size" && value !== undefined && !value.endsWith("%")) found.sizeBytes = parseBytes(value);
    else if (key === "mode" && value !== undefined) found.mode = parseMode(value);
    else if (key !== "ro" && key !== "rw") rest.push(option);
  }
  return rest.length === 0 ? found : { ...found, options: rest };
}

function parseMode(text: string): number {
  if (!/^[0-7]{1,5}$/.test(text))
    throw usage(`invalid tmpfs option ${quoted(`mode=${text}`)}`, "expected octal digits");
  return Number.parseInt(text, 8);
}
