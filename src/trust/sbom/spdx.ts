// SPDX-License-Identifier: Apache-2.0
/* SPDX 2.3 in JSON (https://spdx.github.io/spdx-spec/v2.3/): a package for each part, `CONTAINS` for what is in what. */
import { Identifiers, contentUuid, documentTime, members } from "./document.ts";
import type { SbomInput } from "./document.ts";
import { debianPurl, formatPurl, imagePurl, libraryPurl, pythonPurl } from "./purl.ts";
import type { BundledLibrary, DebianPackage, Licence, OperatingSystem, PythonDistribution } from "./types.ts";

const NONE = "NOASSERTION";
const DOCUMENT = "SPDXRef-DOCUMENT";

interface Relationship {
  readonly spdxElementId: string;
  readonly relationshipType: "DESCRIBES" | "CONTAINS";
  readonly relatedSpdxElement: string;
}

/** The document; equal input gives equal bytes. */
export function spdxDocument(input: SbomInput): Readonly<Record<string, unknown>> {
  const { subject, tool } = input;
  const { packages, relationships } = new Writer(input).write();
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: DOCUMENT,
    name: subject.name,
    documentNamespace: `https://spdx.org/spdxdocs/${encodeURIComponent(subject.name)}-${contentUuid(subject.id, subject.digest, JSON.stringify(packages))}`,
    creationInfo: { created: documentTime(subject.created), creators: [`Tool: ${tool.name}-${tool.version}`] },
    packages,
    relationships,
    ...extracted(input),
  };
}

function extracted({ inventory }: SbomInput): Readonly<Record<string, unknown>> {
  const licences = [...inventory.packages, ...inventory.distributions].map(({ licence }) => licence?.references ?? {});
  const all = Object.entries(Object.assign({}, ...licences) as Licence["references"]);
  if (all.length === 0) return {};
  const sorted = all.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    hasExtractedLicensingInfos: sorted.map(([licenseId, name]) => {
      return {
        licenseId,
        name,
        extractedText: `The package names its licence \`${name}\`; its text is in the package.`,
      };
    }),
  };
}

class Writer {
  readonly #input: SbomInput;
  readonly #ids = new Identifiers();
  readonly #packages: Readonly<Record<string, unknown>>[] = [];
  readonly #relationships: Relationship[] = [];

  constructor(input: SbomInput) {
    this.#input = input;
  }

  write(): { readonly packages: readonly unknown[]; readonly relationships: readonly Relationship[] } {
    const { subject, inventory } = this.#input;
    const image = this.#add(DOCUMENT, "DESCRIBES", ["Image", subject.name], {
      name: subject.name,
      versionInfo: subject.tag ?? subject.digest,
      primaryPackagePurpose: "CONTAINER",
      comment: `image ID ${subject.id}, platform ${subject.platform}`,
      checksums: sha256Of(subject.digest.replace(/^sha256:/, "")),
      externalRefs: purlRef(imagePurl(subject)),
    });
    if (inventory.system) this.#system(image, inventory.system);
    for (const one of inventory.packages) this.#debian(image, one);
    if (inventory.python) this.#python(image, inventory.python.version);
    for (const one of inventory.distributions) this.#distribution(image, one);
    return { packages: this.#packages, relationships: this.#relationships };
  }

  #add(
    owner: string,
    relationshipType: Relationship["relationshipType"],
    id: readonly string[],
    facts: Readonly<Record<string, unknown>>,
  ): string {
    const SPDXID = `SPDXRef-${this.#ids.next(...id)}`;
    const { licenseDeclared = NONE, downloadLocation = NONE, ...rest } = facts;
    const usual = { filesAnalyzed: false, licenseConcluded: NONE, licenseDeclared, copyrightText: NONE };
    this.#packages.push(members({ SPDXID, downloadLocation, ...rest, ...usual }));
    this.#relationships.push({ spdxElementId: owner, relationshipType, relatedSpdxElement: SPDXID });
    return SPDXID;
  }

  #system(image: string, system: OperatingSystem): void {
    this.#add(image, "CONTAINS", ["OperatingSystem", system.id, system.version], {
      name: system.id,
      versionInfo: system.version,
      summary: system.title,
      primaryPackagePurpose: "OPERATING-SYSTEM",
    });
  }

  #debian(image: string, one: DebianPackage): void {
    this.#add(image, "CONTAINS", ["Deb", one.name, one.version, one.architecture], {
      name: one.name,
      versionInfo: one.version,
      supplier: one.maintainer === "" ? NONE : `Organization: ${person(one.maintainer)}`,
      homepage: homepage(one.homepage),
      sourceInfo: `built from ${one.source.name} ${one.source.version}`,
      licenseDeclared: one.licence?.expression,
      externalRefs: purlRef(debianPurl(one, this.#input.inventory.system)),
    });
  }

  #python(image: string, version: string): void {
    this.#add(image, "CONTAINS", ["Python", version], {
      name: "python",
      versionInfo: version,
      licenseDeclared: "PSF-2.0",
      externalRefs: purlRef(formatPurl({ type: "generic", name: "python", version })),
    });
  }

  #distribution(image: string, one: PythonDistribution): void {
    const { name, version, file } = one;
    const id = this.#add(image, "CONTAINS", ["PyPI", name, version], {
      name,
      versionInfo: version,
      packageFileName: file?.name,
      originator: one.author === "" ? undefined : `Person: ${person(one.author)}`,
      downloadLocation: file?.url,
      homepage: homepage(one.homepage),
      summary: one.summary,
      sourceInfo: `installed at ${one.path}`,
      checksums: sha256Of(file?.sha256),
      licenseDeclared: one.licence?.expression,
      externalRefs: purlRef(pythonPurl(one)),
    });
    for (const library of one.libraries) this.#library(id, one, library);
  }

  #library(owner: string, { name, version }: PythonDistribution, library: BundledLibrary): void {
    this.#add(owner, "CONTAINS", ["Bundled", name, library.name, library.version], {
      name: library.name,
      versionInfo: library.version,
      packageFileName: library.path,
      primaryPackagePurpose: "LIBRARY",
      comment: `carried by the distribution ${name} ${version}`,
      checksums: sha256Of(library.sha256),
      externalRefs: purlRef(libraryPurl(library)),
    });
  }
}

function sha256Of(hex: string | undefined): unknown {
  return hex === undefined ? undefined : [{ algorithm: "SHA256", checksumValue: hex }];
}

function purlRef(purl: string): unknown {
  return [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }];
}

/** `Name <mail>` → `Name (mail)`. */
function person(text: string): string {
  const [line = ""] = text.split("\n");
  return line.replaceAll(/\s*<([^<>]*)>/g, " ($1)").trim();
}

function homepage(text: string): string | undefined {
  return URL.canParse(text) && /^https?:/.test(text) ? text : undefined;
}
