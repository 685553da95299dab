// SPDX-License-Identifier: Apache-2.0
/*
 * All regular files of an image's layers, each with the answer whether a container sees it. The layers are walked from
 * the top, so every file is looked at once: what an upper layer has, deletes (a whiteout) or covers (an opaque folder)
 * hides what lies below (kernel documentation, overlayfs.rst).
 */
import * as fs from "node:fs";
import { ioError } from "../base/index.ts";
import type { Layer } from "../store/index.ts";

/** A regular file of a layer. Hard links of one file count once: the others have the size 0. */
export interface ScannedFile {
  /** Without leading slash. */
  readonly path: string;
  readonly hostPath: string;
  readonly size: number;
  /** Index of the layer, lowest is 0. */
  readonly layer: number;
  readonly isHidden: boolean;
  /** Another name of a file that was counted already. */
  readonly isLink: boolean;
}

/** True for shared libraries and extension modules, by name. */
export function isSharedObject(path: string): boolean {
  return /\.so(?:\.\d[\w.+-]*)?$/.test(path);
}

/** The files of layers, lowest layer first; of each layer in no promised order. Throws `E_IO`, `E_ABORTED`. */
export function scanLayers(layers: readonly Layer[], signal?: AbortSignal): readonly (readonly ScannedFile[])[] {
  const covered: Covered = { taken: new Set(), folders: new Set(), opaque: new Set() };
  const found = layers.map((layer, index) => ({ layer, index })).toReversed();
  return found.map(({ layer, index }) => new LayerWalk(layer, index, covered, signal).run()).toReversed();
}

/** What the layers above have. */
interface Covered {
  /** Names that hide themselves and everything below: files, links, whiteouts. */
  readonly taken: Set<string>;
  readonly folders: Set<string>;
  /** Folders that show nothing of the layers below. */
  readonly opaque: Set<string>;
}

class LayerWalk {
  readonly #layer: Layer;
  readonly #index: number;
  readonly #covered: Covered;
  readonly #signal: AbortSignal | undefined;
  readonly #files: ScannedFile[] = [];
  readonly #inodes = new Set<number>();
  readonly #opaque: string[];

  constructor(layer: Layer, index: number, covered: Covered, signal: AbortSignal | undefined) {
    this.#layer = layer;
    this.#index = index;
    this.#covered = covered;
    this.#signal = signal;
    this.#opaque = [...layer.opaque];
  }

  run(): readonly ScannedFile[] {
    try {
      this.#folder("", false);
    } catch (error) {
      throw ioError(`looking through layer \`${this.#layer.diffId}\``, error);
    }
    // Only now: a folder of this layer hides those of lower layers, not its own content.
    for (const path of this.#opaque) this.#covered.opaque.add(path);
    return this.#files;
  }

  #folder(path: string, isHidden: boolean): void {
    this.#signal?.throwIfAborted();
    const hidesAll = isHidden || this.#covered.opaque.has(path);
    for (const entry of fs.readdirSync(`${this.#layer.tree}/${path}`, { withFileTypes: true })) {
      const child = path === "" ? entry.name : `${path}/${entry.name}`;
      const hidden = hidesAll || this.#covered.taken.has(child);
      if (entry.isDirectory()) {
        this.#folder(child, hidden);
        if (!hidden) this.#covered.folders.add(child);
      } else this.#leaf(child, entry, hidden);
    }
  }

  /** Files, symbolic links, devices and whiteouts hide all of their name below. */
  #leaf(path: string, entry: fs.Dirent, hidden: boolean): void {
    const isUnderFolder = !hidden && this.#covered.folders.has(path);
    if (entry.isFile()) this.#file(path, hidden || isUnderFolder);
    // Under a folder of an upper layer it is not seen, but still hides the folders below it.
    if (isUnderFolder) this.#opaque.push(path);
    else if (!hidden) this.#covered.taken.add(path);
  }

  #file(path: string, isHidden: boolean): void {
    const hostPath = `${this.#layer.tree}/${path}`;
    const { size, nlink, ino } = fs.lstatSync(hostPath);
    const isLink = nlink > 1 && this.#inodes.has(ino);
    if (nlink > 1) this.#inodes.add(ino);
    this.#files.push({ path, hostPath, size: isLink ? 0 : size, layer: this.#index, isHidden, isLink });
  }
}
