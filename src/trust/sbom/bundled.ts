// SPDX-License-Identifier: Apache-2.0
/*
 * Shared libraries that a wheel carries: auditwheel puts them into `<name>.libs/`, delocate into `.dylibs/`, both under
 * a name with a part of the file's hash in it. What the wheel's own bills of materials (PEP 770, `.dist-info/sboms`)
 * name is told as well, with the purl that they give.
 */
import { posix } from "node:path";
import type { RecordRow } from "../../python/index.ts";
import { sortedBy, textOf } from "./files.ts";
import type { FilesByPath } from "./files.ts";
import type { BundledLibrary } from "./types.ts";

const FOLDER = /(?:^|\/)(?:[^/]+\.libs|\.dylibs)\/[^/]+$/;
const LIBRARY = /\.(?:so(?:\.\d[\w.+-]*)?|dylib|dll)$/;

/** The libraries among a distribution's files (`rows` have paths from the root), and those that its documents name. */
export function bundledLibraries(
  files: FilesByPath,
  info: string,
  rows: readonly RecordRow[],
): readonly BundledLibrary[] {
  const own = rows.filter(({ path }) => FOLDER.test(path) && LIBRARY.test(path) && files.has(path)).map(ofRow);
  const documents = rows.filter(({ path }) => path.startsWith(`${info}/sboms/`) && path.endsWith(".json"));
  const declared = documents.flatMap(({ path }) => declaredIn(textOf(files, path)));
  return sortedBy([...own, ...declared], ({ path, name, version }) => `${path} ${name} ${version}`);
}

function ofRow({ path, hash }: RecordRow): BundledLibrary {
  const sha256 = /^sha256=([\w-]{43})$/.exec(hash)?.[1];
  return {
    ...libraryName(posix.basename(path)),
    path: `/${path}`,
    ...(sha256 === undefined ? {} : { sha256: Buffer.from(sha256, "base64url").toString("hex") }),
  };
}

/** `libgfortran-040039e1-0352e75f.so.5.0.0` → libgfortran 5.0.0. */
export function libraryName(fileName: string): { readonly name: string; readonly version: string } {
  const [, stem = fileName, soVersion = ""] = /^(.+?)\.(?:so(?:\.(\d[\w.+-]*))?|dylib|dll)$/.exec(fileName) ?? [];
  // auditwheel puts the hash before the first dot, delocate leaves names as they are.
  const plain = stem.replace(/(?:-[0-9a-f]{8})+(?=\.|$)/, "");
  const [, name = plain, version = ""] = /^(.+?)(?:-r|[-.])(\d+(?:\.\w+)+)$/.exec(plain) ?? [];
  return { name: name.replaceAll(/-+$/g, ""), version: version || soVersion };
}

/** Components of a CycloneDX document in a wheel; nothing for what can't be read as one. */
function declaredIn(text: string): readonly BundledLibrary[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const components = typeof value === "object" && value !== null && "components" in value ? value.components : [];
  if (!Array.isArray(components)) return [];
  return components.flatMap((component: unknown): readonly BundledLibrary[] => {
    if (typeof component !== "object" || component === null) return [];
    const { name, version, purl } = component as Readonly<Record<string, unknown>>;
    if (typeof name !== "string" || typeof purl !== "string" || !purl.startsWith("pkg:")) return [];
    return purl.startsWith("pkg:pypi/")
      ? []
      : [{ name, version: typeof version === "string" ? version : "", path: "", purl }];
  });
}
