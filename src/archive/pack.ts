// SPDX-License-Identifier: Apache-2.0
/*
 * A directory tree as a layer tar. Order: a directory, its opaque mark, then its children by name bytes, each with
 * all that is below it. Overlay's own marks become the OCI ones:
 *
 *   char device 0:0 `x`              → empty file `.wh.x`
 *   directory with *.overlay.opaque=y → empty file `.wh..wh..opq` as its first child
 */
import * as fs from "node:fs";
import { TareError, ioError, linux } from "../base/index.ts";
import type { DiffId } from "../base/index.ts";
import { isPlanned, openContent } from "./file-content.ts";
import type { FileContent } from "./file-content.ts";
import { overlayMark } from "./overlay-marks.ts";
import { NO_XATTRS, asPath, displayName } from "./tar-entry.ts";
import type { Xattrs } from "./tar-entry.ts";
import { TarWriter } from "./tar-writer.ts";
import type { TarFields } from "./tar-encode.ts";
import { FirstNames, tarFieldsOf, tarTimeOf, tarTypeOf } from "./tree-entry.ts";
import { Turns } from "./turns.ts";
import type { ByteSink } from "../base/index.ts";

/** How a tree is packed. */
export interface PackOptions {
  /** "overlay" (default) translates overlay's marks; "plain" packs what is there (an export of a whole root). */
  readonly whiteouts?: "overlay" | "plain";
  /** Times later than `after` (in seconds) become `to`, in the archive and in the tree itself. */
  readonly clamp?: { readonly after: number; readonly to: number };
  /** With `clamp`: leave the tree's own times alone. Default false. */
  readonly keepTreeTimes?: boolean;
  /** False skips the look at every file's attributes, for trees known to have none. Default true. */
  readonly xattrs?: boolean;
  /** Paths (display text, no leading slash) that are left out with all below them. */
  readonly exclude?: ReadonlySet<string>;
  /** Called with each entry's path (display text) before it is written. */
  readonly onEntry?: (path: string) => void;
  readonly signal?: AbortSignal;
}

/** What was packed. */
export interface PackResult {
  /** Bytes of the tar. */
  readonly size: number;
  readonly diffId: DiffId;
  readonly entries: number;
  readonly files: number;
  /** Bytes of file content. */
  readonly contentSize: number;
  readonly whiteouts: number;
  /** Paths (display text, "" for the root) of the directories that hide what lower layers have in them. */
  readonly opaque: readonly string[];
  readonly hasXattrs: boolean;
}

/**
 * What a walk meets, in the order of the archive. `content` follows the `entry` of every file that is not empty; it
 * awaits `pause` now and then when that takes long.
 */
export interface TreeVisitor {
  entry(fields: TarFields): Promise<void>;
  content(file: FileContent, fields: TarFields, pause: () => Promise<void>): Promise<void>;
}

/** What a walk counted. */
export type TreeFacts = Omit<PackResult, "size" | "diffId" | "entries">;

/**
 * Packs a tree that nobody changes meanwhile into `sink`; without one only the diffID and sizes are computed. The root
 * directory itself is no entry. Throws `E_WHITEOUT` for a file whose name a reader would take for a whiteout,
 * `E_UNSUPPORTED` for overlay redirects, `E_IO`.
 */
export async function packTree(
  root: string,
  sink: ByteSink | undefined,
  options: PackOptions = {},
): Promise<PackResult> {
  const writer = new TarWriter(sink ?? { write: () => undefined });
  const facts = await walkTree(root, new TarVisitor(writer), options);
  const { size, diffId } = await writer.finish();
  return { size, diffId, entries: writer.entries, ...facts };
}

/** Visits a tree in the canonical order of a layer. Throws as `packTree`. */
export async function walkTree(root: string, visitor: TreeVisitor, options: PackOptions): Promise<TreeFacts> {
  const walker = new Walker(visitor, options);
  try {
    await walker.directory(root, "", walker.rootXattrs(root));
  } catch (error) {
    throw ioError(`packing \`${root}\``, error);
  }
  return walker.facts();
}

/** Writes what is visited. */
class TarVisitor implements TreeVisitor {
  readonly #writer: TarWriter;

  constructor(writer: TarWriter) {
    this.#writer = writer;
  }

  entry(fields: TarFields): Promise<void> {
    return this.#writer.entry(fields);
  }

  async content(file: FileContent, fields: TarFields, pause: () => Promise<void>): Promise<void> {
    if (isPlanned(file)) throw new Error("a planned file is in no tree");
    const content = openContent(file, fields);
    try {
      for (let left = fields.size ?? 0; left > 0;) {
        const count = content.read(await this.#writer.space());
        left -= count;
        await this.#writer.advance(count);
        if (left > 0) await pause();
      }
    } finally {
      content.close();
    }
  }
}

class Walker {
  readonly #visitor: TreeVisitor;
  readonly #options: PackOptions;
  readonly #isOverlay: boolean;
  readonly #turns: Turns;
  readonly #links = new FirstNames();
  #whiteouts = 0;
  readonly #opaque: string[] = [];
  #files = 0;
  #contentSize = 0;
  #hasXattrs = false;

  constructor(visitor: TreeVisitor, options: PackOptions) {
    this.#visitor = visitor;
    this.#options = options;
    this.#turns = new Turns("packing", options.signal);
    this.#isOverlay = options.whiteouts !== "plain";
  }

  facts(): TreeFacts {
    return {
      files: this.#files,
      contentSize: this.#contentSize,
      whiteouts: this.#whiteouts,
      opaque: this.#opaque,
      hasXattrs: this.#hasXattrs,
    };
  }

  rootXattrs(root: string): EntryXattrs {
    return this.#readXattrs(root, root);
  }

  /** Packs what is below a directory; `path` is the archive path with a trailing slash ("" for the root). */
  async directory(folder: string, path: string, own: EntryXattrs): Promise<void> {
    if (own.isOpaque) {
      this.#opaque.push(displayName(path.slice(0, -1)));
      await this.#mark(`${path}.wh..wh..opq`, 0);
    }
    const names = fs.readdirSync(asPath(folder), { encoding: "latin1" }).sort();
    for (const name of names) {
      await this.#child(`${folder}/${name}`, path, name);
      await this.#turns.give();
    }
  }

  async #child(place: string, parent: string, name: string): Promise<void> {
    const file = asPath(place);
    const stat = fs.lstatSync(file, { bigint: true });
    const path = parent + name;
    if (this.#options.exclude?.has(displayName(path))) return;
    const type = tarTypeOf(stat);
    if (type === undefined) return;
    const mtime = this.#clamp(file, stat);
    if (this.#isOverlay && type === "char" && stat.rdev === 0n) {
      this.#whiteouts += 1;
      return this.#mark(`${parent}.wh.${name}`, mtime);
    }
    if (this.#isOverlay && name.startsWith(".wh.")) throw forgedName(path);
    this.#options.onEntry?.(displayName(path));
    const own = this.#readXattrs(place, file);
    const linkName = this.#links.of(stat, path);
    if (linkName !== undefined) {
      return this.#visitor.entry({ ...tarFieldsOf("hardlink", path, stat), mtime, linkName });
    }
    const fields = { ...tarFieldsOf(type, path, stat), mtime, xattrs: own.xattrs };
    if (type === "file") await this.#file(file, fields);
    else if (type === "symlink") {
      await this.#visitor.entry({ ...fields, linkName: fs.readlinkSync(file, { encoding: "latin1" }) });
    } else await this.#visitor.entry(fields);
    if (type === "directory") await this.directory(place, `${path}/`, own);
  }

  async #mark(name: string, mtime: number): Promise<void> {
    await this.#visitor.entry({ type: "file", name, mode: 0o644, mtime });
  }

  /** The entry's time in whole seconds, clamped; the tree gets the clamped time too. */
  #clamp(file: string | Buffer, stat: fs.BigIntStats): number {
    const clamp = this.#options.clamp;
    const { mtime: seconds } = tarTimeOf(stat.mtimeNs);
    if (clamp === undefined || stat.mtimeNs <= BigInt(clamp.after) * 1_000_000_000n) return seconds;
    if (this.#options.keepTreeTimes !== true) {
      const time = BigInt(clamp.to) * 1_000_000_000n;
      linux.utimensat(linux.AT_FDCWD, file, { atime: time, mtime: time }, linux.AT_SYMLINK_NOFOLLOW);
    }
    return clamp.to;
  }

  async #file(file: string | Buffer, fields: TarFields): Promise<void> {
    const size = fields.size ?? 0;
    await this.#visitor.entry(fields);
    this.#files += 1;
    this.#contentSize += size;
    if (size > 0) await this.#visitor.content(file, fields, () => this.#turns.give());
  }

  #readXattrs(place: string, file: string | Buffer): EntryXattrs {
    if (this.#options.xattrs === false) return NONE;
    const names = linux.llistxattr(file);
    if (names.length === 0) return NONE;
    const xattrs = new Map<string, Uint8Array>();
    let isOpaque = false;
    for (const name of names) {
      if (name === "security.selinux") continue;
      const value = linux.lgetxattr(file, name);
      const mark = this.#isOverlay ? overlayMark(name) : undefined;
      if (mark === "opaque") isOpaque ||= value?.toString("latin1") === "y";
      else if (mark === "redirect" || mark === "metacopy") throw redirected(place, name);
      else if (mark === undefined && value !== undefined) xattrs.set(name, value);
    }
    this.#hasXattrs ||= xattrs.size > 0;
    return { xattrs, isOpaque };
  }
}

/** An entry's attributes without overlay's own. */
interface EntryXattrs {
  readonly xattrs: Xattrs;
  readonly isOpaque: boolean;
}

const NONE: EntryXattrs = { xattrs: NO_XATTRS, isOpaque: false };

function forgedName(path: string): TareError {
  return new TareError(
    "E_WHITEOUT",
    `packing \`${displayName(path)}\`: a name that starts with .wh. means a deletion`,
    {
      hint: "rename or delete the file in the step that makes it: a layer cannot hold it",
    },
  );
}

function redirected(place: string, name: string): TareError {
  return new TareError("E_UNSUPPORTED", `packing \`${displayName(place)}\`: it has the overlay attribute ${name}`, {
    hint: "mount the overlay with redirect_dir=off,metacopy=off",
  });
}
