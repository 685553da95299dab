// SPDX-License-Identifier: Apache-2.0
/* Owner, mode, attributes and times of an extracted entry, in the order in which they do not undo each other. */
import * as fs from "node:fs";
import { TareError, linux } from "../base/index.ts";
import { procPath } from "./confined-tree.ts";
import type { OpenDirectory } from "./confined-tree.ts";
import { overlayMark } from "./overlay-marks.ts";
import { asPath } from "./tar-entry.ts";
import type { TarHeader } from "./tar-entry.ts";

/** Who owns what is extracted. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Where a name is. */
export interface EntryPlace {
  readonly parent: OpenDirectory;
  readonly name: string;
}

const MAX_WARNINGS = 50;

/** Applies metadata; what this user may not set is skipped with a warning. */
export class MetadataSetter {
  readonly warnings: string[] = [];
  hasXattrs = false;
  readonly #owner: Owner | undefined;
  readonly #isPrivileged: boolean;

  constructor(owner: Owner | undefined, isPrivileged: boolean) {
    this.#owner = owner;
    this.#isPrivileged = isPrivileged;
  }

  /** Sets all but the times of an open file or directory; `mode` differs from the header's for one still in use. */
  open(descriptor: number, header: TarHeader, mode: number): void {
    if (this.#isPrivileged) {
      const { uid, gid } = this.#owner ?? header;
      fs.fchownSync(descriptor, uid, gid);
    } else this.#warnOwner(header);
    fs.fchmodSync(descriptor, mode);
    for (const [name, value] of header.xattrs) {
      this.#xattr(header, name, () => linux.fsetxattr(descriptor, name, value));
    }
  }

  /** Sets everything of a link or a node that was just made at `place`. */
  place(place: EntryPlace, header: TarHeader): void {
    const { descriptor } = place.parent;
    const name = asPath(place.name);
    if (this.#isPrivileged) linux.fchownat(descriptor, name, this.#owner ?? header, linux.AT_SYMLINK_NOFOLLOW);
    else this.#warnOwner(header);
    if (header.type !== "symlink") linux.fchmodat(descriptor, name, header.mode);
    for (const [xattr, value] of header.xattrs) {
      const path = asPath(procPath(place.parent, place.name));
      this.#xattr(header, xattr, () => linux.lsetxattr(path, xattr, value));
    }
    linux.utimensat(descriptor, name, timesOf(header), linux.AT_SYMLINK_NOFOLLOW);
  }

  warn(text: string): void {
    if (this.warnings.length < MAX_WARNINGS && !this.warnings.includes(text)) this.warnings.push(text);
  }

  #warnOwner(header: TarHeader): void {
    const { uid, gid } = this.#owner ?? header;
    if (uid !== process.geteuid?.() || gid !== process.getegid?.())
      this.warn("owners are not kept: not running as root");
  }

  /** Labels of another host's SELinux policy mean nothing here. */
  #xattr(header: TarHeader, name: string, set: () => void): void {
    if (name === "security.selinux") return;
    try {
      set();
      this.hasXattrs = true;
    } catch (error) {
      const errno = linux.errnoNameOf(error);
      if (errno !== "ENOTSUP" && errno !== "EOPNOTSUPP" && errno !== "EPERM") throw error;
      this.warn(`attribute ${name} of \`${header.name}\` is not kept: ${errno}`);
    }
  }
}

/** The times of an entry for utimensat; an archive has no access time of its own. */
export function timesOf(header: TarHeader): { atime: bigint; mtime: bigint } {
  const mtime = BigInt(header.mtime) * 1_000_000_000n + BigInt(header.mtimeNanoseconds);
  return { atime: mtime, mtime };
}

/** Refuses what would be read as overlay's own marks. Throws `E_TAR_FORGED`. */
export function refuseForged(header: TarHeader): void {
  const forged = (what: string): TareError =>
    new TareError("E_TAR_FORGED", `extracting \`${header.name}\`: it forges overlay metadata by ${what}`);
  if (header.type === "char" && header.deviceMajor === 0 && header.deviceMinor === 0) throw forged("a 0:0 device");
  if (header.deviceMajor > 0xfff || header.deviceMinor > 0xfffff) {
    throw new TareError("E_TAR_HEADER", `extracting \`${header.name}\`: its device number is out of range`);
  }
  for (const name of header.xattrs.keys()) if (overlayMark(name) !== undefined) throw forged(`the attribute ${name}`);
}
