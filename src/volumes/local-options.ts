// SPDX-License-Identifier: Apache-2.0
/* `-o type=… -o device=… -o o=…` of the driver `local`, as mount(8) would be told. */
import { posix } from "node:path";
import { TareError } from "../base/index.ts";

/** Where a volume's files are. */
export type VolumeBacking =
  /** In the volume's own folder. */
  | { readonly kind: "folder" }
  /** In a folder of this machine. */
  | { readonly kind: "bind"; readonly device: string; readonly readOnly: boolean }
  /** In memory, each container's own; gone with it. */
  | { readonly kind: "tmpfs"; readonly options: readonly string[] };

type Options = Readonly<Record<string, string>>;

const KEYS = ["type", "device", "o", "size"];
/** Of a bind's words, those that change nothing or nothing but who may write. */
const BIND_WORDS: ReadonlySet<string> = new Set(["bind", "rbind", "rw", "ro", "defaults", "private", "rprivate"]);
const NETWORK = /^(?:nfs\d?|cifs|smb\d?|sshfs|fuse(?:\..*)?|9p|glusterfs|ceph)$/;

/** What the options of a volume mean. Throws `E_VOLUME_OPTION`, and `E_UNSUPPORTED` for other file systems. */
export function volumeBacking(options: Options): VolumeBacking {
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw malformed(`invalid option: "${unknown}"`, `the options are ${KEYS.join(", ")}`);
  if (Object.keys(options).length === 0) return { kind: "folder" };
  if (options["size"] !== undefined) {
    throw new TareError("E_UNSUPPORTED", "reading a volume's options: quotas (`-o size=`) are not supported", {
      hint: "for a limit in memory give `-o type=tmpfs -o o=size=64m`",
    });
  }
  const { type = "", device, o: words = "" } = options;
  const list = words.split(",").filter(Boolean);
  if (list.includes("bind") || list.includes("rbind")) return bindBacking(device, list);
  if (type === "tmpfs") return { kind: "tmpfs", options: list };
  if (type === "" && device === undefined)
    throw malformed('missing required option: "type"', "or leave all options out");
  if (device === undefined) throw malformed('missing required option: "device"', "say what is to be mounted");
  throw unsupported(type);
}

function bindBacking(device: string | undefined, words: readonly string[]): VolumeBacking {
  if (device === undefined) throw malformed('missing required option: "device"', "give `-o device=/path`");
  if (!device.startsWith("/"))
    throw malformed(`\`device=${device}\` is not an absolute path`, "write the path in full");
  const odd = words.find((word) => !BIND_WORDS.has(word));
  if (odd !== undefined)
    throw malformed(`\`o=${odd}\` is not an option of a bind`, "give it where the volume is mounted");
  return { kind: "bind", device: posix.normalize(device), readOnly: words.includes("ro") };
}

function malformed(why: string, hint: string): TareError {
  return new TareError("E_VOLUME_OPTION", `reading a volume's options: ${why}`, { hint });
}

/** The host's mount table never changes, so nothing can be mounted for all containers at once. */
function unsupported(type: string): TareError {
  const hint = NETWORK.test(type)
    ? "mount the share on this machine, then give its folder: `-o type=none -o o=bind -o device=/mnt/share`"
    : "the types are `tmpfs`, and `none` with `-o o=bind -o device=/path`";
  return new TareError("E_UNSUPPORTED", `reading a volume's options: file system \`${type}\` can't be a volume`, {
    hint,
  });
}
