// SPDX-License-Identifier: Apache-2.0
/* Package URLs (purl-spec): `pkg:type/namespace/name@version?qualifiers`. */
import type { BundledLibrary, DebianPackage, ImageSubject, OperatingSystem, PythonDistribution } from "./types.ts";

/** The parts of a package URL; empty qualifiers are left out. */
interface PurlParts {
  readonly type: string;
  readonly namespace?: string;
  readonly name: string;
  readonly version?: string;
  readonly qualifiers?: Readonly<Record<string, string>>;
}

/** Formats a package URL in its canonical form. */
export function formatPurl({ type, namespace, name, version = "", qualifiers = {} }: PurlParts): string {
  const path = [...(namespace === undefined ? [] : [namespace]), name].map(encoded).join("/");
  const pairs = Object.entries(qualifiers)
    .filter(([, value]) => value !== "")
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${encoded(value)}`);
  const tail = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  return `pkg:${type}/${path}${version === "" ? "" : `@${encoded(version)}`}${tail}`;
}

/** Percent encoding of the specification: `:` stays, `+` and the like do not. */
function encoded(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%3A", ":")
    .replaceAll(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Of a package of dpkg. */
export function debianPurl(one: DebianPackage, system: OperatingSystem | undefined): string {
  const { id = "debian", version = "" } = system ?? {};
  const distro = version === "" ? "" : `${id}-${version}`;
  const isOwnSource = one.source.name === one.name && one.source.version === one.version;
  const upstream = one.source.version === one.version ? one.source.name : `${one.source.name}@${one.source.version}`;
  return formatPurl({
    type: "deb",
    namespace: id,
    name: one.name,
    version: one.version,
    qualifiers: { arch: one.architecture, distro, upstream: isOwnSource ? "" : upstream },
  });
}

/** Of a distribution of the Python package index's naming. */
export function pythonPurl({ name, version, file }: PythonDistribution): string {
  const qualifiers = file?.name.endsWith(".whl") ? { file_name: file.name } : {};
  return formatPurl({ type: "pypi", name, version, qualifiers });
}

/** Of a library in a wheel: what the wheel's document says, else a generic one. */
export function libraryPurl({ name, version, purl }: BundledLibrary): string {
  return purl ?? formatPurl({ type: "generic", name, version });
}

/** Of the image. */
export function imagePurl({ name, tag = "", digest, platform }: ImageSubject): string {
  const repository = name.includes("/") || name.includes(".") ? name : `docker.io/library/${name}`;
  const [, architecture = ""] = platform.split("/");
  return formatPurl({
    type: "oci",
    name: (name.split("/").at(-1) ?? name).toLowerCase(),
    version: digest,
    qualifiers: { arch: architecture, repository_url: repository, tag },
  });
}
