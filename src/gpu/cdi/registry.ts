// SPDX-License-Identifier: Apache-2.0
/*
 * The devices of all specifications of this host. Directories stand in order of precedence, the last one wins; what was
 * generated stands below all of them. Two files of one directory that have a device of the same name make it unusable,
 * whatever other directories say about it: so does the standard's own library, because nobody can know which was meant.
 */
import { readdirSync } from "node:fs";
import { extname, join } from "node:path";
import { TareError, ioError, messageOf, suggest, systemErrorCode } from "../../base/index.ts";
import type { CdiDevice, CdiEdits, CdiSpec } from "../types.ts";
import { checkSpec } from "./check-spec.ts";
import { joinEdits } from "./join-edits.ts";
import { qualifiedName } from "./names.ts";
import { readSpecFile } from "./read-file.ts";

/** Where specifications are read from. */
export interface CdiSources {
  /** Folders in order of precedence, the last wins; one that is missing has no specifications. */
  readonly directories: readonly string[];
  /** Specifications of no file; those of files win. */
  readonly generated?: readonly CdiSpec[];
  /** What went wrong before: why something could not be generated. */
  readonly problems?: readonly CdiProblem[];
}

/** A device that can be asked for. */
export interface RegisteredDevice {
  /** `vendor.com/class=name`. */
  readonly name: string;
  readonly kind: string;
  /** The file it stands in; absent for one that was generated. */
  readonly file?: string;
  readonly spec: CdiSpec;
  readonly device: CdiDevice;
}

/** A file, folder or device that can't be used; `files` has the two of a conflict. */
export interface CdiProblem {
  readonly files: readonly string[];
  /** Qualified name of the device that two files claim. */
  readonly device?: string;
  readonly message: string;
}

/** What asking for devices comes to. */
export interface CdiResolution {
  readonly edits: CdiEdits;
  /** Files that the edits are from. */
  readonly files: readonly string[];
}

/** Devices of this host by qualified name. */
export interface CdiRegistry {
  /** All that can be asked for, by name. */
  devices(): readonly RegisteredDevice[];
  readonly problems: readonly CdiProblem[];
  /**
   * What all these devices change together: of each specification its own edits once, before those of its first device.
   * A name that stands twice counts once. Throws `E_CDI_DEVICE`, which names every unknown device.
   */
  edits(names: readonly string[]): CdiEdits;
  /** `edits` with the files they are from. Throws as it does. */
  resolve(names: readonly string[]): CdiResolution;
}

/**
 * Reads `*.json` and `*.yaml` of the directories. A file that can't be read or breaks a rule is a problem of its own and
 * hides no other. Throws `E_CDI_SPEC` for a generated specification that breaks a rule.
 */
export async function loadCdi({ directories, generated = [], problems = [] }: CdiSources): Promise<CdiRegistry> {
  const registry = new Registry(problems);
  for (const spec of generated) {
    checkSpec(spec);
    registry.add(spec, { priority: -1 });
  }
  for (const [priority, directory] of directories.entries()) {
    for (const file of registry.attempt(directory, () => specFiles(directory)) ?? []) {
      const spec = await readSpecFile(file).catch((error: unknown) => registry.note(file, error));
      if (spec !== undefined) registry.add(spec, { priority, file });
    }
  }
  return registry;
}

function specFiles(directory: string): string[] {
  try {
    const names = readdirSync(directory, { withFileTypes: true });
    const files = names.filter((entry) => !entry.isDirectory() && [".json", ".yaml"].includes(extname(entry.name)));
    return files.map(({ name }) => join(directory, name)).toSorted();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return [];
    throw ioError("reading the folder", error);
  }
}

interface Origin {
  readonly priority: number;
  readonly file?: string;
}

class Registry implements CdiRegistry {
  readonly #problems: CdiProblem[];
  readonly #found = new Map<string, RegisteredDevice & Origin>();
  readonly #conflicts = new Set<string>();

  constructor(problems: readonly CdiProblem[]) {
    this.#problems = [...problems];
  }

  get problems(): readonly CdiProblem[] {
    return this.#problems;
  }

  add(spec: CdiSpec, origin: Origin): void {
    for (const device of spec.devices) {
      const name = qualifiedName(spec.kind, device.name);
      const other = this.#found.get(name);
      if (other !== undefined && other.priority === origin.priority) this.#conflict(name, [other.file, origin.file]);
      else this.#found.set(name, { name, kind: spec.kind, spec, device, ...origin });
    }
  }

  #conflict(name: string, files: readonly (string | undefined)[]): void {
    this.#conflicts.add(name);
    const named = files.filter((file) => file !== undefined);
    const message = `\`${name}\` stands in two specifications of the same precedence: ${named.join(" and ")}`;
    this.#problems.push({ files: named, device: name, message });
  }

  /** Records why a file or folder is not used. */
  note(file: string, error: unknown): undefined {
    this.#problems.push({ files: [file], message: messageOf(error) });
  }

  attempt<T>(file: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      return this.note(file, error);
    }
  }

  devices(): readonly RegisteredDevice[] {
    const usable = [...this.#found.values()].filter(({ name }) => !this.#conflicts.has(name));
    return usable.toSorted((left, right) => left.name.localeCompare(right.name, "en", { numeric: true }));
  }

  edits(names: readonly string[]): CdiEdits {
    return this.resolve(names).edits;
  }

  resolve(names: readonly string[]): CdiResolution {
    const wanted = [...new Set(names)];
    const unknown = wanted.filter((name) => !this.#found.has(name) || this.#conflicts.has(name));
    if (unknown.length > 0) throw this.#unresolvable(unknown);
    const devices = wanted.flatMap((name) => this.#found.get(name) ?? []);
    const seen = new Set<CdiSpec>();
    const parts = devices.flatMap(({ spec, device }) => {
      const own = seen.has(spec) ? [] : [spec.containerEdits ?? {}];
      seen.add(spec);
      return [...own, device.containerEdits];
    });
    const files = [...new Set(devices.flatMap(({ file }) => file ?? []))];
    return { edits: joinEdits(parts), files };
  }

  #unresolvable(unknown: readonly string[]): TareError {
    const usable = this.devices().map(({ name }) => name);
    const why = this.#problems.filter(({ device }) => device === undefined || unknown.includes(device));
    const broken = why.map(({ files, message }) => (files.length === 1 ? `${files[0]}: ${message}` : message));
    const near = unknown.flatMap((name) => suggest(name, usable) ?? []);
    const there = usable.length === 0 ? "no specification of this host has a device" : `there are ${some(usable)}`;
    const meant = near.length === 0 ? there : `did you mean ${[...new Set(near)].join(", ")}? ${there}`;
    return new TareError("E_CDI_DEVICE", `unresolvable CDI devices ${unknown.join(", ")}`, {
      hint: [meant, ...broken].join("; "),
      exitCode: 125,
      details: { devices: unknown },
    });
  }
}

const SHOWN = 8;

function some(names: readonly string[]): string {
  const more = names.length > SHOWN ? `, … (\`tare gpu cdi ls\` lists all ${names.length})` : "";
  return names.slice(0, SHOWN).join(", ") + more;
}
