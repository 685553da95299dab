// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { Hasher, TareError, asDiffId, canGiveFiles, canMakeDevices, ioError, linux } from "../base/index.ts";
import { checkAborted } from "./aborted.ts";
import { ConfinedTree } from "./confined-tree.ts";
import type { OpenDirectory } from "./confined-tree.ts";
import { MetadataSetter, refuseForged, timesOf } from "./entry-metadata.ts";
import type { Owner } from "./entry-metadata.ts";
import { badWhiteout, baseOf, cleanPath, joinPath, layerName, parentOf } from "./entry-path.ts";
import { asPath, byteName, displayName } from "./tar-entry.ts";
import type { TarHeader } from "./tar-entry.ts";
import type { ExtractOptions, ExtractResult, Extraction } from "./extract-types.ts";
import { TarParser } from "./tar-parser.ts";

/**
 * Extracts a tar archive into an existing directory that nobody else changes meanwhile. Nothing outside is touched,
 * whatever the archive says; after an error the directory holds a part of it. Later entries replace earlier ones.
 * Throws `E_TAR_*`, `E_WHITEOUT`, `E_NOSPACE`, `E_IO`, `E_SYSCALL`, `E_ABORTED`, and what `source` throws.
 */
export async function extractLayer(
  source: AsyncIterable<Uint8Array>,
  target: string,
  options: ExtractOptions,
): Promise<ExtractResult> {
  const extractor = new Extractor(target, options);
  const parser = new TarParser(extractor, options.limits);
  const hasher = (options.digest ?? options.mode === "overlay") ? new Hasher() : undefined;
  let size = 0;
  try {
    for await (const chunk of source) {
      checkAborted(options.signal, "extracting");
      hasher?.update(chunk);
      size += chunk.length;
      parser.push(chunk);
    }
    parser.finish();
    const facts = extractor.finish();
    return { ...facts, size, diffId: hasher === undefined ? undefined : asDiffId(hasher.digest()) };
  } finally {
    extractor.close();
  }
}

/** Extracts into an existing directory what the caller's parser finds. As `extractLayer` otherwise; the caller closes. */
export function openExtraction(target: string, options: ExtractOptions): Extraction {
  return new Extractor(target, options);
}

const CREATE = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW;
const OPEN_DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;
const ROOT_OWNER: Owner = { uid: 0, gid: 0 };

class Extractor implements Extraction {
  readonly #options: ExtractOptions;
  readonly #tree: ConfinedTree;
  readonly #metadata: MetadataSetter;
  readonly #isPrivileged: boolean;
  /** Directories whose times (and, unprivileged, modes) are set at the end, by real path. */
  readonly #directories = new Map<string, TarHeader>();
  readonly #whiteouts = new Set<string>();
  readonly #opaque = new Set<string>();
  readonly #implied = new Set<string>();
  readonly #onRemove: (path: string) => void;
  #file: { readonly descriptor: number; readonly header: TarHeader; written: number } | undefined;
  #entries = 0;
  #contentSize = 0;

  constructor(target: string, options: ExtractOptions) {
    this.#options = options;
    this.#isPrivileged = options.privileged ?? canGiveFiles();
    this.#metadata = new MetadataSetter(options.owner, this.#isPrivileged);
    this.#tree = new ConfinedTree(target);
    this.#onRemove = (path) => {
      this.#directories.delete(path);
      this.#whiteouts.delete(path);
      this.#opaque.delete(path);
      this.#implied.delete(path);
    };
  }

  entry(header: TarHeader): void {
    this.#entries += 1;
    this.#tree.trim();
    try {
      const path = this.#renamed(cleanPath(byteName(header.name, header.rawName)));
      if (path !== undefined) this.#entry(header, path);
    } catch (error) {
      throw ioError(`extracting \`${header.name}\``, error);
    }
  }

  reopen(header: TarHeader): void {
    const path = cleanPath(byteName(header.name, header.rawName));
    try {
      const parent = this.#parent(parentOf(path));
      const flags = fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
      this.#file = { descriptor: linux.openat(parent.descriptor, asPath(baseOf(path)), flags), header, written: 0 };
    } catch (error) {
      throw ioError(`extracting \`${header.name}\``, error);
    }
  }

  data(piece: Buffer, position: number): void {
    const file = this.#file;
    if (file === undefined) return;
    try {
      for (let at = 0; at < piece.length;) {
        at += fs.writeSync(file.descriptor, piece, at, piece.length - at, position + at);
      }
    } catch (error) {
      throw ioError(`writing \`${file.header.name}\``, error);
    }
    file.written = position + piece.length;
  }

  end(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    try {
      if (file.written < file.header.size) fs.ftruncateSync(file.descriptor, file.header.size);
      this.#metadata.open(file.descriptor, file.header, file.header.mode);
      linux.futimens(file.descriptor, timesOf(file.header));
    } catch (error) {
      throw ioError(`extracting \`${file.header.name}\``, error);
    } finally {
      fs.closeSync(file.descriptor);
    }
  }

  /** Sets what had to wait: times change when something is put into a directory. Children come before parents. */
  finish(): Omit<ExtractResult, "size" | "diffId"> {
    this.#tree.forget();
    for (const path of [...this.#directories.keys()].sort().toReversed()) this.#finishDirectory(path);
    const names = (paths: Set<string>): string[] => [...paths].sort().map(displayName);
    return {
      entries: this.#entries,
      contentSize: this.#contentSize,
      opaque: names(this.#opaque),
      whiteouts: this.#whiteouts.size,
      implied: names(this.#implied),
      hasXattrs: this.#metadata.hasXattrs,
      warnings: this.#metadata.warnings,
    };
  }

  close(): void {
    if (this.#file !== undefined) fs.closeSync(this.#file.descriptor);
    this.#file = undefined;
    this.#tree.close();
  }

  #finishDirectory(path: string): void {
    const header = this.#directories.get(path);
    const directory = this.#tree.directory(path);
    if (header === undefined || directory === undefined) return;
    if (!this.#isPrivileged) fs.fchmodSync(directory.descriptor, header.mode);
    linux.futimens(directory.descriptor, timesOf(header));
    this.#tree.trim();
  }

  #entry(header: TarHeader, path: string): void {
    if (this.#options.keepMarks !== true) refuseForged(header);
    if (path === "") return this.#root(header);
    const meaning = this.#options.mode === "overlay" ? layerName(path) : { kind: "entry" as const };
    if (meaning.kind === "ignored") return;
    const parent = this.#parent(parentOf(path));
    if (this.#options.keepKinds) this.#refuseOtherKind(header, parent, baseOf(path));
    if (meaning.kind === "entry") return this.#make(header, path, parent);
    if (header.type !== "file" && header.type !== "hardlink") throw badWhiteout(path, `it is a ${header.type}`);
    if (meaning.kind === "opaque") this.#markOpaque(parent);
    else this.#whiteout(header, parent, meaning.target);
  }

  #renamed(path: string): string | undefined {
    return this.#options.rename ? this.#options.rename(path) : path;
  }

  #refuseOtherKind(header: TarHeader, parent: OpenDirectory, name: string): void {
    const existing = this.#tree.stat(parent, name);
    if (existing === undefined || existing.isDirectory() === (header.type === "directory")) return;
    const [old, made] = existing.isDirectory() ? ["directory", "non-directory"] : ["non-directory", "directory"];
    throw new TareError("E_COPY", `cannot overwrite ${old} \`${displayName(name)}\` with ${made} \`${header.name}\``);
  }

  #root(header: TarHeader): void {
    if (header.type !== "directory") {
      throw new TareError("E_TAR_ROOT", `extracting \`${header.name}\`: a ${header.type} would replace the root`);
    }
    this.#metadata.open(this.#tree.root.descriptor, header, this.#isPrivileged ? header.mode : header.mode | 0o700);
    this.#directories.set("", header);
  }

  #parent(path: string): OpenDirectory {
    const parent = this.#tree.directory(path, (above, name) => this.#implyDirectory(above, name));
    if (parent === undefined)
      throw new TareError("E_TAR_NOTDIR", `extracting into \`${displayName(path)}\`: not found`);
    return parent;
  }

  #implyDirectory(parent: OpenDirectory, name: string): void {
    const path = joinPath(parent.path, name);
    const wasDeleted = this.#whiteouts.has(path);
    if (wasDeleted) this.#tree.remove(parent, name, this.#onRemove);
    else if (this.#tree.stat(parent, name) !== undefined) {
      throw new TareError("E_TAR_NOTDIR", `extracting into \`${displayName(path)}\`: it is not a directory`);
    }
    linux.mkdirat(parent.descriptor, asPath(name), 0o755);
    const descriptor = linux.openat(parent.descriptor, asPath(name), OPEN_DIRECTORY);
    const { uid, gid } = this.#options.owner ?? ROOT_OWNER;
    fs.fchmodSync(descriptor, 0o755);
    if (this.#isPrivileged) fs.fchownSync(descriptor, uid, gid);
    if (wasDeleted) this.#markOpaque({ descriptor, path });
    fs.closeSync(descriptor);
    this.#implied.add(path);
  }

  #make(header: TarHeader, path: string, parent: OpenDirectory): void {
    const name = baseOf(path);
    switch (header.type) {
      case "file":
        return this.#openFile(header, parent, name);
      case "directory":
        return this.#directory(header, path, parent);
      case "hardlink":
        return this.#hardlink(header, path, parent);
      case "symlink":
        return this.#symlink(header, parent, name);
      default:
        return this.#node(header, parent, name);
    }
  }

  #openFile(header: TarHeader, parent: OpenDirectory, name: string): void {
    this.#contentSize += header.size;
    if (this.#contentSize > (this.#options.maxContent ?? Infinity)) {
      throw new TareError("E_TAR_LIMIT", `extracting \`${header.name}\`: more than ${this.#options.maxContent} bytes`);
    }
    const descriptor = this.#replacing(parent, name, () =>
      linux.openat(parent.descriptor, asPath(name), CREATE, 0o600),
    );
    this.#file = { descriptor, header, written: 0 };
  }

  /** Runs a call that makes a name; when it exists already, deletes it and runs the call again. */
  #replacing<T>(parent: OpenDirectory, name: string, create: () => T): T {
    try {
      return create();
    } catch (error) {
      if (linux.errnoNameOf(error) !== "EEXIST") throw error;
    }
    this.#clear(parent, name);
    return create();
  }

  /** `parent` stays open and valid: what is closed are directories that may lie below the deleted name. */
  #clear(parent: OpenDirectory, name: string): void {
    const stat = this.#tree.stat(parent, name);
    this.#tree.remove(parent, name, this.#onRemove);
    if (stat?.isDirectory() || stat?.isSymbolicLink()) this.#tree.forgetExcept(parent);
  }

  #directory(header: TarHeader, path: string, parent: OpenDirectory): void {
    const name = baseOf(path);
    const real = joinPath(parent.path, name);
    const wasDeleted = this.#whiteouts.has(real);
    const isNew = this.#makeDirectory(parent, name);
    const descriptor = linux.openat(parent.descriptor, asPath(name), OPEN_DIRECTORY);
    const directory = { descriptor, path: real };
    this.#metadata.open(descriptor, header, this.#isPrivileged ? header.mode : header.mode | 0o700);
    if (isNew && wasDeleted) this.#markOpaque(directory);
    this.#directories.set(real, header);
    this.#implied.delete(real);
    this.#tree.keep(path, directory);
  }

  #makeDirectory(parent: OpenDirectory, name: string): boolean {
    try {
      linux.mkdirat(parent.descriptor, asPath(name), 0o700);
      return true;
    } catch (error) {
      if (linux.errnoNameOf(error) !== "EEXIST") throw error;
    }
    if (this.#tree.stat(parent, name)?.isDirectory()) return false;
    this.#clear(parent, name);
    linux.mkdirat(parent.descriptor, asPath(name), 0o700);
    return true;
  }

  #symlink(header: TarHeader, parent: OpenDirectory, name: string): void {
    const target = header.rawLinkName ?? header.linkName;
    if (target.length === 0)
      throw new TareError("E_TAR_HEADER", `extracting \`${header.name}\`: a link without target`);
    this.#replacing(parent, name, () => linux.symlinkat(target, parent.descriptor, asPath(name)));
    this.#metadata.place({ parent, name }, header);
  }

  #node(header: TarHeader, parent: OpenDirectory, name: string): void {
    const kind = { char: linux.S_IFCHR, block: linux.S_IFBLK, fifo: linux.S_IFIFO }[header.type as "fifo"];
    const device = header.type === "fifo" ? 0n : linux.makeDevice(header.deviceMajor, header.deviceMinor);
    if (header.type !== "fifo" && !(this.#isPrivileged && canMakeDevices())) {
      return this.#metadata.warn(`device \`${header.name}\` is left out: not running as root`);
    }
    this.#replacing(parent, name, () => linux.mknodat(parent.descriptor, asPath(name), kind | 0o600, device));
    this.#metadata.place({ parent, name }, header);
  }

  /** The target is another name of this tree, itself never followed; its metadata is the first entry's. */
  #hardlink(header: TarHeader, path: string, parent: OpenDirectory): void {
    const name = baseOf(path);
    const target = this.#renamed(cleanPath(byteName(header.linkName, header.rawLinkName))) ?? "";
    const from = target === "" ? undefined : this.#tree.directory(parentOf(target));
    const stat = from === undefined ? undefined : this.#tree.stat(from, baseOf(target));
    const isWhiteout = this.#options.keepMarks !== true && stat?.isCharacterDevice() === true && stat.rdev === 0;
    if (from === undefined || stat === undefined || stat.isDirectory() || isWhiteout) throw noTarget(header);
    const existing = this.#tree.stat(parent, name);
    if (existing?.ino === stat.ino && existing.dev === stat.dev) return;
    if (existing !== undefined) this.#refuseInside(header, from, joinPath(parent.path, name));
    const source = { directory: from.descriptor, path: asPath(baseOf(target)) };
    if (existing !== undefined) this.#tree.remove(parent, name, this.#onRemove);
    linux.linkat(source, { directory: parent.descriptor, path: asPath(name) });
    if (existing?.isDirectory() || existing?.isSymbolicLink()) this.#tree.forget();
  }

  /** A directory that is replaced by a link to something in it would take the target with it. */
  #refuseInside(header: TarHeader, from: OpenDirectory, replaced: string): void {
    if (from.path === replaced || from.path.startsWith(`${replaced}/`)) throw noTarget(header);
  }

  /** Its time is kept, so that the tree packs to the same bytes again. */
  #whiteout(header: TarHeader, parent: OpenDirectory, name: string): void {
    const existing = this.#tree.stat(parent, name);
    // A whiteout hides what is below; what this layer itself brings stays (layer.md: "Whiteouts").
    if (existing === undefined) {
      linux.mknodat(parent.descriptor, asPath(name), linux.S_IFCHR, 0n);
      linux.utimensat(parent.descriptor, asPath(name), timesOf(header), linux.AT_SYMLINK_NOFOLLOW);
      this.#whiteouts.add(joinPath(parent.path, name));
    } else if (existing.isDirectory()) {
      const descriptor = linux.openat(parent.descriptor, asPath(name), OPEN_DIRECTORY);
      this.#markOpaque({ descriptor, path: joinPath(parent.path, name) });
      fs.closeSync(descriptor);
    }
  }

  #markOpaque(directory: OpenDirectory): void {
    const namespace = this.#options.overlayXattrs ?? (canMakeDevices() ? "trusted" : "user");
    linux.fsetxattr(directory.descriptor, `${namespace}.overlay.opaque`, Buffer.from("y"));
    this.#opaque.add(directory.path);
  }
}

function noTarget(header: TarHeader): TareError {
  return new TareError("E_TAR_LINK", `extracting \`${header.name}\`: no file \`${header.linkName}\` to link to`);
}
