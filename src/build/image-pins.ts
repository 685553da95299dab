// SPDX-License-Identifier: Apache-2.0
/*
 * tare.lock: what the names of images stood for when they were first used, so that a build elsewhere and later starts
 * from the same ones. TOML, sorted by name, one table for each image; written by `build --lock`, obeyed by all builds.
 */
import { dirname, join, resolve } from "node:path";
import { TomlError, parse } from "smol-toml";
import { TareError, isDigest, readTextIfPresent, writeFileAtomic, valueText } from "../base/index.ts";
import { formatReference, normalizeReference } from "../oci/index.ts";
import type { Digest } from "../base/index.ts";
import type { BuildRequest } from "./request.ts";

/** Its name: it stands beside the Dockerfile, or in the folder of a project without one. */
const PINS_FILE = "tare.lock";
const VERSION = 1;
const HEAD = `# Written by \`tare build --lock\`: the images that names stood for. Builds start from these; keep it with the sources.
version = ${VERSION}
`;

/** What a build does with names that are not pinned: `use` takes them as they are, `write` pins them, `require` refuses. */
export type PinMode = "use" | "write" | "require";

/** The pinned images of a build. */
export class ImagePins {
  readonly path: string;
  readonly mode: PinMode;
  readonly #pins: Map<string, Digest>;
  #isChanged = false;

  constructor(path: string, mode: PinMode, pins: ReadonlyMap<string, Digest>) {
    this.path = path;
    this.mode = mode;
    this.#pins = new Map(pins);
  }

  /** Of a full name with tag. */
  get(name: string): Digest | undefined {
    return this.#pins.get(name);
  }

  /** Pins a name, or moves its pin. */
  set(name: string, digest: Digest): void {
    this.#isChanged ||= this.#pins.get(name) !== digest;
    this.#pins.set(name, digest);
  }

  /** Writes what was pinned; nothing when nothing changed, so that equal builds leave the file alone. */
  save(): void {
    if (this.#isChanged) writeFileAtomic(this.path, formatPins(this.#pins), 0o644);
    this.#isChanged = false;
  }
}

/** The pins of a build whose context is `root`; undefined when there are none and none are asked for. Throws `E_IMAGE_LOCK`. */
export function openPins(request: BuildRequest, root: string): ImagePins | undefined {
  const mode = request.pins ?? "use";
  const { folder, isOwn } = placeOf(request, root);
  const path = join(folder, PINS_FILE);
  if (mode === "write" && !isOwn) {
    throw new TareError(
      "E_IMAGE_LOCK",
      `pinning images: the context \`${request.context}\` is no folder of this machine`,
      {
        hint: "check it out and build the folder",
      },
    );
  }
  const text = readTextIfPresent(path);
  if (text === undefined && mode === "use") return undefined;
  return new ImagePins(path, mode, text === undefined ? new Map() : parsePins(text, path));
}

/** Beside the Dockerfile that was named, else in the context. */
function placeOf(
  { cwd, context, file }: BuildRequest,
  root: string,
): { readonly folder: string; readonly isOwn: boolean } {
  const isOwn = context !== "-" && resolve(cwd, context) === root;
  const isBeside = isOwn && file !== undefined && file !== "-";
  return { folder: isBeside ? dirname(resolve(cwd, file)) : root, isOwn };
}

/** Reads a tare.lock. Throws `E_IMAGE_LOCK` for anything malformed. */
export function parsePins(text: string, path: string): ReadonlyMap<string, Digest> {
  const fail = (why: string): never => {
    throw new TareError("E_IMAGE_LOCK", `reading \`${path}\`: ${why}`, {
      hint: "`tare build --lock` writes it anew once it is removed",
    });
  };
  const { version, image = [], ...more } = tableOf(text, fail);
  const [unknown] = Object.keys(more);
  if (version !== VERSION) fail(`its version is \`${valueText(version)}\`, and ${VERSION} is known`);
  if (unknown !== undefined) fail(`unknown key \`${unknown}\``);
  if (!Array.isArray(image)) return fail("`image` is no list of tables");
  const pins = new Map<string, Digest>();
  for (const each of image as readonly unknown[]) {
    const { name, digest } =
      typeof each === "object" && each !== null ? (each as Readonly<Record<string, unknown>>) : {};
    if (typeof name !== "string" || !isFullName(name))
      return fail(`\`${valueText(name)}\` is no full name of an image`);
    if (typeof digest !== "string" || !isDigest(digest)) return fail(`the digest of \`${name}\` is none`);
    if (pins.has(name)) return fail(`\`${name}\` stands there twice`);
    pins.set(name, digest);
  }
  return pins;
}

function tableOf(text: string, fail: (why: string) => never): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof TomlError) return fail(`it is no TOML: ${error.message.split("\n", 1)[0] ?? ""}`);
    throw error;
  }
}

/** Names are compared as texts, so only the full form counts. */
function isFullName(text: string): boolean {
  try {
    const reference = normalizeReference(text);
    return reference.tag !== undefined && reference.digest === undefined && formatReference(reference) === text;
  } catch {
    return false;
  }
}

/** The text of a tare.lock; equal pins have equal text. */
export function formatPins(pins: ReadonlyMap<string, Digest>): string {
  const sorted = [...pins].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return HEAD + sorted.map(([name, digest]) => `\n[[image]]\nname = "${name}"\ndigest = "${digest}"\n`).join("");
}
