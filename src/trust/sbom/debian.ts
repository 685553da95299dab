// SPDX-License-Identifier: Apache-2.0
/*
 * Packages of dpkg: `/var/lib/dpkg/status`, and `status.d/` of images without dpkg (one file for a package). Licences
 * are those of the copyright file: machine-readable (DEP-5), else the common licences that it refers to.
 */
import { sortedBy, textOf } from "./files.ts";
import type { FilesByPath } from "./files.ts";
import { allOf, licenceOfName } from "./licences.ts";
import type { DebianPackage, Licence, OperatingSystem } from "./types.ts";

const STATUS = "var/lib/dpkg/status";
const STATUS_FILES = /^var\/lib\/dpkg\/status\.d\/[^/]+$/;

/** The installed packages, by name and architecture. */
export function debianPackages(files: FilesByPath): readonly DebianPackage[] {
  const single = [...files.keys()].filter((path) => STATUS_FILES.test(path) && !path.endsWith(".md5sums"));
  const texts = [STATUS, ...single].map((path) => textOf(files, path));
  const found = new Map<string, DebianPackage>();
  for (const paragraph of texts.flatMap((text) => text.split(/\n\s*\n/))) {
    const parsed = parseParagraph(paragraph);
    if (parsed) found.set(`${parsed.name}:${parsed.architecture}`, parsed);
  }
  const packages = [...found.values()];
  const licences = new Map(packages.map((one) => [one.name, licenceOf(textOf(files, copyrightOf(one.name)))]));
  // Several packages of a source often have one file and links to it.
  const ofSource = new Map(packages.flatMap((one) => withLicence(one.source.name, licences.get(one.name))));
  return sortedBy(packages, ({ name, architecture }) => `${name}:${architecture}`).map((one) => {
    const licence = licences.get(one.name) ?? ofSource.get(one.source.name);
    return licence === undefined ? one : { ...one, licence };
  });
}

function copyrightOf(name: string): string {
  return `usr/share/doc/${name}/copyright`;
}

function withLicence(name: string, licence: Licence | undefined): readonly (readonly [string, Licence])[] {
  return licence === undefined ? [] : [[name, licence]];
}

/** One package; undefined for one that is removed and left its configuration, and for what is none. */
function parseParagraph(text: string): DebianPackage | undefined {
  const field = (name: string): string => new RegExp(`^${name}: *(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  const [name, version, status] = [field("Package"), field("Version"), field("Status")];
  if (name === "" || version === "" || (status !== "" && !status.endsWith(" installed"))) return undefined;
  const [, sourceName = name, sourceVersion = version] = /^(\S+)(?: \(([^)]+)\))?$/.exec(field("Source")) ?? [];
  return {
    name,
    version,
    architecture: field("Architecture"),
    maintainer: field("Maintainer"),
    source: { name: sourceName, version: sourceVersion },
    homepage: field("Homepage"),
  };
}

/** The licences of a copyright file; undefined when it names none in a way that programs read. */
export function licenceOf(copyright: string): Licence | undefined {
  const isMachineReadable = /^Format(?:-Specification)?:/im.test(copyright);
  const names = isMachineReadable
    ? [...copyright.matchAll(/^License:[ \t]*(\S.*)$/gim)].map(([, name = ""]) => name)
    : [...copyright.matchAll(/\/usr\/share\/common-licenses\/([A-Za-z0-9.-]*[A-Za-z0-9])/g)].map(
        ([, name = ""]) => name,
      );
  return allOf(names.flatMap((name) => licenceOfName(name.replace(/\.$/, "")) ?? []));
}

/** What `/etc/os-release` says; undefined when there is none. */
export function operatingSystem(files: FilesByPath): OperatingSystem | undefined {
  const text = textOf(files, "etc/os-release") || textOf(files, "usr/lib/os-release");
  const field = (name: string): string =>
    (new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1]?.trim() ?? "").replaceAll(/^["']|["']$/g, "");
  const id = field("ID");
  if (id === "") return undefined;
  const [version, codename] = [field("VERSION_ID"), field("VERSION_CODENAME")];
  return { id, version, codename, title: field("PRETTY_NAME") || field("NAME") || id };
}
