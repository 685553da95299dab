// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as linux from "./linux.ts";
import { isTareError } from "./errors.ts";

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? it : it.skip;
if (!isRoot) console.log("skipped: system calls that need root (mknod, mount, trusted attributes)");

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-linux-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const make = (name: string, content = "x"): string => {
  const path = join(folder, name);
  fs.writeFileSync(path, content);
  return path;
};
const open = (path: string): number => fs.openSync(path, "r");
const errnoOf = (action: () => unknown): string | undefined => {
  try {
    action();
    return "no error";
  } catch (error) {
    return linux.errnoNameOf(error);
  }
};

describe("extended attributes", () => {
  it("keeps values as bytes, by path and by descriptor", () => {
    const path = make("attributes");
    const value = Buffer.from([0, 255, 1, 128]);
    linux.lsetxattr(path, "user.bytes", value);
    expect(linux.lgetxattr(path, "user.bytes")).toEqual(value);
    const descriptor = open(path);
    linux.fsetxattr(descriptor, "user.more", Buffer.alloc(2000, 7));
    expect(linux.fgetxattr(descriptor, "user.more")?.length).toBe(2000);
    expect(linux.flistxattr(descriptor).filter((name) => name.startsWith("user."))).toEqual([
      "user.bytes",
      "user.more",
    ]);
    linux.fremovexattr(descriptor, "user.more");
    linux.lremovexattr(path, "user.bytes");
    expect(linux.llistxattr(path).filter((name) => name.startsWith("user."))).toEqual([]);
    expect(linux.lgetxattr(path, "user.bytes")).toBeUndefined();
    fs.closeSync(descriptor);
  });

  it("keeps names that are not UTF-8", () => {
    const path = make("names");
    linux.lsetxattr(path, "user.\xff\xe9", Buffer.from("v"));
    expect(linux.llistxattr(path)).toContain("user.\xff\xe9");
  });

  asRoot("sets trusted attributes, on a symbolic link itself too", () => {
    const link = join(folder, "link-attribute");
    fs.symlinkSync("nowhere", link);
    linux.lsetxattr(link, "trusted.overlay.opaque", Buffer.from("y"));
    expect(linux.lgetxattr(link, "trusted.overlay.opaque")?.toString()).toBe("y");
  });
});

describe("openat2", () => {
  it("confines `..`, absolute paths and symbolic links", () => {
    const root = join(folder, "root");
    fs.mkdirSync(join(root, "etc"), { recursive: true });
    fs.writeFileSync(join(root, "etc/passwd"), "inside");
    fs.symlinkSync("/etc/passwd", join(root, "absolute"));
    fs.symlinkSync("../../../../../../etc/passwd", join(root, "up"));
    const directory = open(root);
    for (const path of ["absolute", "up", "../../etc/passwd", "/etc/passwd"]) {
      const how = { flags: fs.constants.O_RDONLY, resolve: linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS };
      const descriptor = linux.openat2(directory, path, how);
      expect(fs.readFileSync(descriptor, "utf8")).toBe("inside");
      fs.closeSync(descriptor);
      const beneath = { ...how, resolve: linux.RESOLVE_BENEATH };
      expect(errnoOf(() => linux.openat2(directory, path, beneath))).toBe("EXDEV");
    }
    fs.closeSync(directory);
    expect(linux.hasOpenat2()).toBe(true);
  });

  it("reports the errno by name and number", () => {
    try {
      linux.openat2(linux.AT_FDCWD, "/does/not/exist", { flags: 0, resolve: 0 });
      expect.unreachable();
    } catch (error) {
      if (!isTareError(error, "E_SYSCALL")) throw error;
      expect(error.message).toBe("calling openat2 on `/does/not/exist`: ENOENT (no such file or directory)");
      expect(error.details).toEqual({ errno: 2, errnoName: "ENOENT", call: "openat2" });
    }
  });

  it("refuses a path with a NUL instead of cutting it", () => {
    expect(errnoOf(() => linux.mkdirat(linux.AT_FDCWD, "a\0b", 0o700))).toBe("EINVAL");
  });
});

describe("calls relative to a directory", () => {
  it("makes, links, renames and removes", () => {
    const directory = open(folder);
    linux.mkdirat(directory, "made", 0o755);
    const made = linux.openat(directory, "made", fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    linux.symlinkat("target", made, Buffer.from([0xff, 0x41]));
    expect(linux.readlinkat(made, Buffer.from([0xff, 0x41])).toString()).toBe("target");
    fs.closeSync(linux.openat(made, "file", fs.constants.O_CREAT | fs.constants.O_WRONLY, 0o640));
    linux.linkat({ directory: made, path: "file" }, { directory, path: "hard" });
    expect(fs.statSync(join(folder, "hard")).nlink).toBe(2);
    const rename = (flags: number): void =>
      linux.renameat2({ directory: made, path: "file" }, { directory, path: "hard" }, flags);
    expect(errnoOf(() => rename(linux.RENAME_NOREPLACE))).toBe("EEXIST");
    linux.fchmodat(made, "file", 0o4711);
    expect(fs.statSync(join(folder, "made/file")).mode & 0o7777).toBe(0o4711);
    linux.unlinkat(made, "file");
    linux.unlinkat(made, Buffer.from([0xff, 0x41]));
    fs.closeSync(made);
    linux.unlinkat(directory, "made", linux.AT_REMOVEDIR);
    expect(fs.existsSync(join(folder, "made"))).toBe(false);
    fs.closeSync(directory);
  });

  it("sets times to the nanosecond, before 1970 too, and not through a symbolic link", () => {
    const path = make("timed");
    const link = join(folder, "timed-link");
    fs.symlinkSync("timed", link);
    const before = fs.statSync(path, { bigint: true }).mtimeNs;
    for (const mtime of [1_234_567_890_123_456_789n, -1n, 0n]) {
      linux.utimensat(linux.AT_FDCWD, link, { atime: 5n, mtime }, linux.AT_SYMLINK_NOFOLLOW);
      expect(fs.lstatSync(link, { bigint: true }).mtimeNs).toBe(mtime);
    }
    expect(fs.statSync(path, { bigint: true }).mtimeNs).toBe(before);
    const descriptor = open(path);
    linux.futimens(descriptor, { atime: 1n, mtime: 2n });
    expect(fs.fstatSync(descriptor, { bigint: true }).mtimeNs).toBe(2n);
    fs.closeSync(descriptor);
  });

  it("reserves space and flushes a file system", () => {
    const descriptor = fs.openSync(make("reserved"), "r+");
    linux.fallocate(descriptor, 0, 1 << 20);
    expect(fs.fstatSync(descriptor).size).toBe(1 << 20);
    linux.syncfs(descriptor);
    fs.closeSync(descriptor);
  });

  asRoot("changes owners and makes nodes", () => {
    const directory = open(folder);
    linux.mknodat(directory, "whiteout", linux.S_IFCHR, linux.makeDevice(0, 0));
    linux.mknod(join(folder, "fifo"), linux.S_IFIFO | 0o600);
    linux.mknod(join(folder, "block"), linux.S_IFBLK | 0o600, linux.makeDevice(259, 70_000));
    expect(fs.lstatSync(join(folder, "whiteout")).isCharacterDevice()).toBe(true);
    expect(fs.lstatSync(join(folder, "whiteout")).rdev).toBe(0);
    expect(fs.lstatSync(join(folder, "fifo")).isFIFO()).toBe(true);
    expect(fs.lstatSync(join(folder, "block"), { bigint: true }).rdev).toBe(linux.makeDevice(259, 70_000));
    linux.fchownat(directory, "fifo", { uid: 12, gid: 4_294_967_294 }, linux.AT_SYMLINK_NOFOLLOW);
    expect(fs.lstatSync(join(folder, "fifo")).gid).toBe(4_294_967_294);
    fs.closeSync(directory);
  });
});

describe("flock", () => {
  it("answers at once when another holds the lock", () => {
    const path = make("lock");
    const [first, second] = [open(path), open(path)];
    expect(linux.flock(first, { kind: "exclusive", wait: false })).toBe(true);
    expect(linux.flock(second, { kind: "shared", wait: false })).toBe(false);
    expect(linux.flock(first, { kind: "shared", wait: true })).toBe(true);
    expect(linux.flock(second, { kind: "shared", wait: false })).toBe(true);
    linux.flock(second, { kind: "unlock", wait: true });
    fs.closeSync(first);
    fs.closeSync(second);
  });
});

describe("mounts and processes", () => {
  asRoot("mounts, binds by the new interface and unmounts", () => {
    const [target, other] = [join(folder, "mount"), join(folder, "other")];
    fs.mkdirSync(target);
    fs.mkdirSync(other);
    linux.mount({ target, source: "tmpfs", type: "tmpfs", flags: linux.MS_NOSUID, data: "size=64k" });
    fs.writeFileSync(join(target, "inside"), "1");
    const tree = linux.openTree(linux.AT_FDCWD, target, linux.OPEN_TREE_CLONE);
    linux.moveMount(tree, linux.AT_FDCWD, other);
    fs.closeSync(tree);
    expect(fs.readFileSync(join(other, "inside"), "utf8")).toBe("1");
    linux.umount2(other, linux.MNT_DETACH | linux.UMOUNT_NOFOLLOW);
    linux.umount2(target);
    expect(fs.readdirSync(target)).toEqual([]);
    expect(errnoOf(() => linux.umount2(target))).toBe("EINVAL");
  });

  it("sets the parent death signal and the subreaper flag", () => {
    linux.setParentDeathSignal(0);
    linux.setChildSubreaper(false);
  });
});
