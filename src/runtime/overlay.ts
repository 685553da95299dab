// SPDX-License-Identifier: Apache-2.0
// The start of every container is one spawn: `unshare --mount … sh -c SCRIPT`, where SCRIPT mounts the layers in that
// private mount namespace and becomes the runtime by exec. The host never sees a mount, and a kill of the processes
// removes the mounts with the namespace.
import { isAbsolute, relative } from "node:path";
import { TareError, callerEnvironment } from "../base/index.ts";

/** One root file system put together from layers. Relative paths count from the directory that the start runs in. */
export interface OverlayMount {
  /** Existing directory to mount on, absolute. */
  readonly target: string;
  /** Layers, the top one first. */
  readonly lower: readonly string[];
  /** Receives changes; without it the result is read-only. */
  readonly upper?: string;
  /** Empty directory on the same file system as `upper`; needed with it. */
  readonly work?: string;
  /** Skips syncing to disk while mounted; for changes that are synced or thrown away afterwards. */
  readonly volatile?: boolean;
  /** Whose files are given to the id 0, once: before `done` is there. */
  readonly given?: { readonly uid: number; readonly gid: number; readonly done: string };
}

/** A part of a folder that others may change meanwhile: it is never looked for beyond that folder. */
export interface SubpathMount {
  /** Existing directory, or file when the part is a file, to mount on; absolute. */
  readonly target: string;
  /** Absolute path of the folder. */
  readonly root: string;
  /** Path below it; symbolic links in it are followed as long as they stay below the folder. */
  readonly subpath: string;
}

/** What decides how the start is wrapped. */
export interface LaunchOptions {
  /** Directory that relative paths count from: the store's root. */
  readonly directory: string;
  /** Stands in for the layers of an image without any; must exist and stay empty. */
  readonly emptyDirectory: string;
  /** Mounted after the overlays. */
  readonly subpaths?: readonly SubpathMount[] | undefined;
  /** Mount point to take out of the private mount namespace. */
  readonly hidden?: string | undefined;
  /** Kill everything, the container too, when the calling process (its parent) dies (also by SIGKILL). */
  readonly dieWithParent: boolean;
  /** The start is in a user namespace other than the host's. */
  readonly inUserNamespace?: boolean;
}

// mount(2) takes one page of options, with its final NUL.
const LONGEST_OPTIONS = 4095;
// A rename must look the same in the upper directory as in a layer, and no metadata-only copies may end up there.
const PLAIN_LAYERS = "index=off,redirect_dir=off,metacopy=off,xino=off";
// In a user namespace the marks are `user.overlay.*`; the kernel then renames and copies plainly by itself.
const USER_LAYERS = "index=off,xino=off";

/**
 * Fixed script; values come as positional arguments only. Rows: `overlay OPTIONS MORE TARGET` (MORE is tried first and
 * left out for kernels that do not know it), `bind SOURCE - TARGET`, `within ROOT SUBPATH TARGET`,
 * `own UID:GID DONE TARGET` and `hide - - TARGET`,
 * then `--` and the command. Exit code 125 and a line that begins with `tare-mount:` report a failed mount. `within`
 * first goes to the place, then looks where the kernel says that it is, and then mounts what it has got hold of: a
 * name that is swapped for a link meanwhile changes nothing. dash and bash run it alike.
 */
const SCRIPT = `
within() {
  root=$(cd -P -- "$1" && pwd -P) || return 1
  if [ -d "$1/$2" ]; then
    cd -P -- "$1/$2" || return 1
    real=$(pwd -P) from=.
  else
    exec 9<"$1/$2" || return 1
    real=$(readlink /proc/self/fd/9) from=/proc/self/fd/9
  fi
  case "$real/" in
    "$root"/*) mount -i -c --bind "$from" "$3" ;;
    *) echo "the path leads out of the volume"; return 1 ;;
  esac
}
while [ "$1" != -- ]; do
  if [ "$1" = overlay ]; then
    mount -i -t overlay -o "$2,$3" overlay "$4" 2>/dev/null ||
      why=$(mount -i -t overlay -o "$2" overlay "$4" 2>&1) || { echo "tare-mount: $4: $why" >&2; exit 125; }
  elif [ "$1" = within ]; then
    why=$(within "$2" "$3" "$4" 2>&1) || { echo "tare-mount: $4: $why" >&2; exit 125; }
  elif [ "$1" = own ]; then
    [ -e "$3" ] || why=$( { find "$4" -xdev -uid "\${2%:*}" -exec chown -h 0 {} + &&
      find "$4" -xdev -gid "\${2#*:}" -exec chgrp -h 0 {} + && : >"$3"; } 2>&1) ||
      { echo "tare-mount: $4: $why" >&2; exit 125; }
  elif [ "$1" = hide ]; then
    why=$(umount -i -l "$4" 2>&1) || { echo "tare-mount: $4: $why" >&2; exit 125; }
  else
    why=$(mount -i --bind "$2" "$4" 2>&1 && mount -i -o remount,bind,ro "$4" 2>&1) ||
      { echo "tare-mount: $4: $why" >&2; exit 125; }
  fi
  shift 4
done
shift
exec "$@"`;

/**
 * Runs its arguments after the first only while that process is still the parent: a caller that died before the death
 * signal was asked for would otherwise never be noticed.
 */
const ORPHAN_CHECK = 'test "$PPID" = "$1" || exit 125; shift; exec "$@"';

/** The whole argument list (program first) that mounts `overlays` privately and then becomes `command`. */
export function launchCommand(
  overlays: readonly OverlayMount[],
  command: readonly string[],
  options: LaunchOptions,
): readonly string[] {
  const hiding = options.hidden === undefined ? [] : ["hide", "-", "-", options.hidden];
  const parts = (options.subpaths ?? []).flatMap(({ root, subpath, target }) => ["within", root, subpath, target]);
  const rows = [
    ...hiding,
    ...overlays.flatMap((overlay) => [...mountRow(overlay, options), ...ownRow(overlay)]),
    ...parts,
  ];
  const tie = options.dieWithParent
    ? ["setpriv", "--pdeathsig", "KILL", "sh", "-c", ORPHAN_CHECK, "sh", String(process.pid)]
    : [];
  const pidNamespace = options.dieWithParent ? ["--pid", "--fork", "--kill-child", "--mount-proc"] : [];
  return [
    ...tie,
    "unshare",
    "--mount",
    "--propagation",
    "slave",
    ...pidNamespace,
    "sh",
    "-c",
    SCRIPT,
    "sh",
    ...rows,
    "--",
    ...command,
  ];
}

/** Environment of the start: nothing of the caller's but what the runtime needs. */
export function launchEnvironment(path: string | undefined): Record<string, string> {
  const standard = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  // util-linux ≥ 2.39 would pass lowerdir by fsconfig(2), which takes 256 bytes.
  // One processor is enough for runc's 30 ms of work and saves 4 of them.
  const tuning = { LIBMOUNT_FORCE_MOUNT2: "always", GOMAXPROCS: "1", LC_ALL: "C" };
  // Who called, for what conmon calls at the end.
  return { PATH: path === undefined ? standard : `${path}:${standard}`, ...tuning, ...callerEnvironment() };
}

/** The message of a failed mount in the start's stderr, or undefined. */
export function mountFailure(stderr: string): string | undefined {
  return /^tare-mount: (.*(?:\n.*)*)/m.exec(stderr)?.[1]?.trim();
}

function ownRow({ given, target }: OverlayMount): readonly string[] {
  return given === undefined ? [] : ["own", `${given.uid}:${given.gid}`, given.done, target];
}

/** One row of the start script: `overlay OPTIONS MORE TARGET` or `bind SOURCE - TARGET`. Throws `E_OVERLAY`. */
export function mountRow(overlay: OverlayMount, options: LaunchOptions): string[] {
  const lower = overlay.lower.length === 0 ? [options.emptyDirectory] : overlay.lower;
  const [only] = lower;
  if (overlay.upper === undefined && lower.length === 1 && only !== undefined)
    return ["bind", only, "-", overlay.target];
  const words = [`lowerdir=${lower.map((path) => near(path, options)).join(":")}`];
  if (overlay.upper !== undefined) {
    if (overlay.work === undefined) throw overlayError(overlay, "an upper directory needs a work directory");
    words.push(`upperdir=${near(overlay.upper, options)}`, `workdir=${near(overlay.work, options)}`);
  }
  const plain = options.inUserNamespace === true ? USER_LAYERS : PLAIN_LAYERS;
  if (options.inUserNamespace === true) words.push("userxattr");
  const text = words.join(",");
  const more = overlay.volatile === true && overlay.upper !== undefined ? `${plain},volatile` : plain;
  if (Buffer.byteLength(text) + more.length + 1 > LONGEST_OPTIONS)
    throw overlayError(overlay, `${lower.length} layers are more than one mount can take`);
  return ["overlay", text, more, overlay.target];
}

/** The shorter, relative form where there is one; refuses characters that the option list gives a meaning. */
function near(path: string, options: LaunchOptions): string {
  const local = isAbsolute(path) ? relative(options.directory, path) : path;
  const shortest = local === "" || local.startsWith("..") ? path : local;
  if (/[,:\\"]/.test(shortest)) {
    throw new TareError("E_OVERLAY", `mounting \`${path}\`: the path has a comma, colon, quote or backslash`, {
      hint: "choose another folder for the store with `--root`",
      exitCode: 125,
    });
  }
  return shortest;
}

function overlayError(overlay: OverlayMount, why: string): TareError {
  return new TareError("E_OVERLAY", `mounting layers at \`${overlay.target}\`: ${why}`, { exitCode: 125 });
}
