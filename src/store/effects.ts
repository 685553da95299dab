// SPDX-License-Identifier: Apache-2.0
/*
 * The one door: every change that the store makes on disk goes through a named step of this module, so that a test
 * (or `TARE_FAULT`, read by the caller) can kill, fail or delay the process at exactly that point. A step's name is
 * `<thing>.<what happens>`; `steps.ts` lists them all.
 */
import * as fs from "node:fs";
import { promisify } from "node:util";
import { TareError, ioError, syncDirectory, systemErrorCode, writeAll } from "../base/index.ts";
import type { FaultPlan } from "./faults.ts";
import { fire } from "./faults.ts";
import { removeTree } from "./remove-tree.ts";
import type { StepName } from "./steps.ts";

/** A file being written. */
export interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
}

/** The mutating file operations of the store. One per store; counts steps for the fault plan. */
export class Effects {
  readonly #fault: FaultPlan | undefined;
  readonly #counts = new Map<string, number>();

  constructor(fault?: FaultPlan) {
    this.#fault = fault;
  }

  /** Runs `act` as the step `name`; the fault plan may strike before or after it. */
  step<T>(name: StepName, act: () => T): T {
    if (this.#fault === undefined) return act();
    this.#strike(this.#fault, name, "before");
    const result = act();
    this.#strike(this.#fault, name, "after");
    return result;
  }

  #strike(fault: FaultPlan, name: StepName, when: "before" | "after"): void {
    if (fault.when !== when || (fault.step !== "*" && fault.step !== name)) return;
    const count = (this.#counts.get(fault.step) ?? 0) + 1;
    this.#counts.set(fault.step, count);
    if (count === fault.occurrence) fire(fault);
  }

  makeDirectory(name: StepName, path: string, mode: number = 0o700): void {
    this.file(name, path, () => fs.mkdirSync(path, { recursive: true, mode }));
  }

  /** Opens a new file for writing; it must not exist. */
  create(name: StepName, path: string, mode: number = 0o600): number {
    return this.file(name, path, () => fs.openSync(path, "wx", mode));
  }

  /** Opens a file for writing at any place, making it when it is missing. */
  openFor(name: StepName, path: string): number {
    const flags = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW;
    return this.file(name, path, () => fs.openSync(path, flags, 0o600));
  }

  /** Writes all of `data` at the descriptor's position. */
  write(name: StepName, file: OpenFile, data: Uint8Array): void {
    const { descriptor } = file;
    this.file(name, file.path, () => {
      writeAll(descriptor, data);
    });
  }

  /** Writes all of `data` at a place of the file. */
  writeAt(name: StepName, file: OpenFile, data: Uint8Array, position: number): void {
    const { descriptor } = file;
    this.file(name, file.path, () => {
      for (let at = 0; at < data.length;) at += fs.writeSync(descriptor, data, at, data.length - at, position + at);
    });
  }

  /** A whole small file in place: for private files that nobody reads before they are renamed. */
  writeFile(name: StepName, path: string, data: string | Uint8Array): void {
    this.file(name, path, () => fs.writeFileSync(path, data, { mode: 0o600 }));
  }

  append(name: StepName, path: string, text: string): void {
    this.file(name, path, () => fs.appendFileSync(path, text, { mode: 0o600 }));
  }

  sync(name: StepName, file: OpenFile): void {
    this.file(name, file.path, () => fs.fsyncSync(file.descriptor));
  }

  /** The same without blocking this thread: gigabytes take seconds. */
  async syncLater(name: StepName, file: OpenFile): Promise<void> {
    try {
      await this.step(name, () => promisify(fs.fsync)(file.descriptor));
    } catch (error) {
      throw ioError(`syncing \`${file.path}\` (${name})`, error);
    }
  }

  /** A step on `path` that takes its time. */
  async fileLater(name: StepName, path: string, act: () => Promise<void>): Promise<void> {
    try {
      await this.step(name, act);
    } catch (error) {
      throw error instanceof TareError ? error : ioError(`writing \`${path}\` (${name})`, error);
    }
  }

  syncDirectory(name: StepName, path: string): void {
    this.file(name, path, () => syncDirectory(path));
  }

  rename(name: StepName, from: string, to: string): void {
    this.file(name, to, () => fs.renameSync(from, to));
  }

  /** Makes `path` a symbolic link to `target`; false when the name is taken. */
  link(name: StepName, target: string, path: string): boolean {
    return this.file(name, path, () => {
      try {
        fs.symlinkSync(target, path);
        return true;
      } catch (error) {
        if (systemErrorCode(error) === "EEXIST") return false;
        throw error;
      }
    });
  }

  /** Removes a file or link; a missing one is no error. */
  unlink(name: StepName, path: string): void {
    this.file(name, path, () => fs.rmSync(path, { force: true }));
  }

  /** Removes a tree whatever its modes, never following links; refuses while something is mounted in it. */
  removeTree(name: StepName, path: string): void {
    this.file(name, path, () => removeTree(path));
  }

  /** A step on `path` whose system errors become `TareError`s. */
  file<T>(name: StepName, path: string, act: () => T): T {
    try {
      return this.step(name, act);
    } catch (error) {
      throw error instanceof TareError ? error : ioError(`writing \`${path}\` (${name})`, error);
    }
  }
}
