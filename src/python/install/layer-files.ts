// SPDX-License-Identifier: Apache-2.0
/*
 * All files of a layer of distributions, planned from its wheels and from the bytecode that was made of them: what is
 * unpacked, measured and spliced is this one list, so the three can't disagree.
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { openZip } from "../../archive/index.ts";
import { DEFAULT_EPOCH, TareError } from "../../base/index.ts";
import { planInstall } from "./plan.ts";
import { slimRules } from "./slim.ts";
import { recordError, wheelError } from "./wheel-facts.ts";
import type { ContentObserver, PlannedContent, PlannedFiles, SpliceSource, ZipFile } from "../../archive/index.ts";
import type { DirectUrl, InstallScheme } from "../types.ts";
import type { CheckedFile } from "./hash-lane.ts";
import type { InstallPlan, PlannedFile } from "./plan.ts";

/** A wheel to install, as plain data that can go to a thread. */
export interface WheelToInstall {
  /** Absolute path of the verified file. */
  readonly file: string;
  readonly fileName: string;
  readonly isRequested: boolean;
  readonly direct?: DirectUrl;
  /** Absolute path of its pack of bytecode (see `bytecode.ts`), where it has one. */
  readonly bytecode?: string;
}

/** How wheels are installed. */
export interface InstallSettings {
  readonly scheme: InstallScheme;
  readonly executable: string;
  readonly python: string;
  /** Names of the rules of `--slim`. */
  readonly slim: readonly string[];
  /** Whose choices are taken where the specification leaves some; pip's by default. */
  readonly installer?: "uv";
}

/** A file of one wheel that replaced that of an earlier one, as with pip: worth a warning. */
export interface ReplacedFile {
  readonly path: string;
  readonly by: string;
}

/** The files of a layer; the archives behind them are open until `close`. */
export interface LayerFiles {
  readonly files: PlannedFiles;
  readonly replaced: readonly ReplacedFile[];
  readonly close: () => void;
}

/** Time of everything in a layer of distributions. */
export const LAYER_TIME: number = DEFAULT_EPOCH;

/** Makes the observer that compares a content with what RECORD says of it (`sha256=…`). */
export type CheckOf = (hash: string, file: CheckedFile) => ContentObserver;

/**
 * Plans a layer. Of two files at one path the later wheel's stays. Contents are checked against RECORD when they are
 * read through their observers. Throws `E_WHEEL`, `E_WHEEL_RECORD`, `E_BYTECODE`, `E_ZIP…`, `E_BOMB`.
 */
export function openLayerFiles(
  wheels: readonly WheelToInstall[],
  settings: InstallSettings,
  check: CheckOf = (hash, file) => new RecordCheck(hash, file),
): LayerFiles {
  const layer = new LayerDraft(settings, check);
  try {
    for (const wheel of wheels) layer.add(wheel);
    return layer;
  } catch (error) {
    layer.close();
    throw error;
  }
}

/** The plan of a wheel under these settings: the same whenever it is made. */
export function planOf(zip: ZipFile, wheel: WheelToInstall, settings: InstallSettings): InstallPlan {
  const { scheme, executable, python, slim, installer } = settings;
  return planInstall(zip, wheel.fileName, {
    scheme,
    executable,
    python,
    isRequested: wheel.isRequested,
    ...(wheel.direct === undefined ? {} : { direct: wheel.direct }),
    ...(slim.length === 0 ? {} : { leavesOut: slimRules(slim) }),
    ...(installer === undefined ? {} : { installer }),
  });
}

/** Paths in the image (no leading slash) that a wheel gets under these settings. Throws as `planOf`. */
export function pathsOfWheel(wheel: WheelToInstall, settings: InstallSettings): readonly string[] {
  const zip = openZip(wheel.file);
  try {
    return planOf(zip, wheel, settings).files.map(({ path }) => path);
  } finally {
    zip.close();
  }
}

class LayerDraft implements LayerFiles {
  readonly files = new Map<string, PlannedContent>();
  readonly replaced: ReplacedFile[] = [];
  readonly #folders = new Set<string>();
  readonly #zips: ZipFile[] = [];
  readonly #settings: InstallSettings;
  readonly #check: CheckOf;

  constructor(settings: InstallSettings, check: CheckOf) {
    this.#settings = settings;
    this.#check = check;
  }

  /** Bound: who takes it out of the layer may call it alone. */
  readonly close = (): void => {
    for (const zip of this.#zips) zip.close();
  };

  add(wheel: WheelToInstall): void {
    const zip = this.#open(wheel.file);
    const { files } = planOf(zip, wheel, this.#settings);
    for (const file of files) this.#put(file.path, wheel.fileName, this.#contentOf(zip, file, wheel.fileName));
    if (wheel.bytecode !== undefined) this.#addPack(this.#open(wheel.bytecode), wheel.fileName);
  }

  #open(path: string): ZipFile {
    const zip = openZip(path);
    this.#zips.push(zip);
    return zip;
  }

  #contentOf(zip: ZipFile, { mode, entry, hash, bytes }: PlannedFile, wheel: string): PlannedContent {
    if (bytes) return { mode, size: bytes.length, content: bytes };
    if (!entry) throw new Error("a planned file has an entry or bytes");
    const content: SpliceSource = { zip, entry };
    const observe = hash === undefined ? {} : { observe: () => this.#check(hash, { wheel, name: entry.name }) };
    return { mode, size: entry.size, content, ...observe };
  }

  #put(path: string, wheel: string, content: PlannedContent): void {
    this.#claimFolders(path, wheel);
    if (this.files.has(path)) {
      this.replaced.push({ path, by: wheel });
      this.#dropBytecode(path);
    }
    this.files.set(path, content);
  }

  #claimFolders(path: string, wheel: string): void {
    if (this.#folders.has(path)) throw wheelError(wheel, `\`/${path}\` is a file here and a folder elsewhere`);
    for (let folder = dirname(path); folder !== "." && !this.#folders.has(folder); folder = dirname(folder)) {
      if (this.files.has(folder)) throw wheelError(wheel, `\`/${folder}\` is a folder here and a file elsewhere`);
      this.#folders.add(folder);
    }
  }

  /** Bytecode is not checked against its source when it is loaded: that of a replaced module must go. */
  #dropBytecode(path: string): void {
    const [, folder = "", name] = /^(.*\/)?([^/]+)\.py$/.exec(path) ?? [];
    if (name === undefined) return;
    const start = `${folder}__pycache__/${name}.`;
    for (const other of this.files.keys()) if (other.startsWith(start)) this.files.delete(other);
  }

  /** A pack may hold bytecode of modules that are there, and nothing else. */
  #addPack(pack: ZipFile, wheel: string): void {
    for (const entry of pack.entries) {
      const [, folder = "", name = ""] = /^(.*\/)__pycache__\/([^/]+)\.[\w-]+\.pyc$/.exec(entry.name) ?? [];
      if (!this.files.has(`${folder}${name}.py`)) {
        throw new TareError("E_BYTECODE", `installing \`${wheel}\`: its bytecode has \`${entry.name}\``, {
          hint: "build again with `--no-cache`",
        });
      }
      this.#claimFolders(entry.name, wheel);
      this.files.set(entry.name, { mode: 0o644, size: entry.size, content: { zip: pack, entry }, isLoose: true });
    }
  }
}

/** Compares a content with its line in RECORD. */
class RecordCheck implements ContentObserver {
  readonly #hash: ReturnType<typeof createHash>;
  readonly #expected: string;
  readonly #file: CheckedFile;

  constructor(hash: string, file: CheckedFile) {
    const [algorithm = "", expected = ""] = hash.split("=");
    this.#hash = createHash(algorithm);
    this.#expected = expected;
    this.#file = file;
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  end(): void {
    if (this.#hash.digest("base64url") === this.#expected) return;
    throw otherHash(this.#file);
  }
}

/** A content is not what RECORD says. */
export function otherHash({ wheel, name }: CheckedFile): TareError {
  return recordError(wheel, `\`${name}\` has another hash`);
}
