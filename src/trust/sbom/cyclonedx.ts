// SPDX-License-Identifier: Apache-2.0
/* CycloneDX 1.6 in JSON (ECMA-424): a component for each part, libraries of a wheel as components of its component. */
import { Identifiers, contentUuid, documentTime, members } from "./document.ts";
import type { SbomInput } from "./document.ts";
import { debianPurl, formatPurl, imagePurl, libraryPurl, pythonPurl } from "./purl.ts";
import type {
  BundledLibrary,
  DebianPackage,
  ImageSubject,
  Licence,
  OperatingSystem,
  PythonDistribution,
} from "./types.ts";

type Component = Readonly<Record<string, unknown>>;

/** The document; equal input gives equal bytes. */
export function cyclonedxDocument(input: SbomInput): Readonly<Record<string, unknown>> {
  const { subject, tool } = input;
  const components = componentsOf(input, new Identifiers());
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${contentUuid(subject.id, subject.digest, JSON.stringify(components))}`,
    version: 1,
    metadata: {
      timestamp: documentTime(subject.created),
      tools: { components: [{ type: "application", name: tool.name, version: tool.version }] },
      component: imageComponent(subject),
    },
    components,
  };
}

function imageComponent(subject: ImageSubject): Component {
  return {
    "bom-ref": "image",
    type: "container",
    name: subject.name,
    version: subject.tag ?? subject.digest,
    purl: imagePurl(subject),
    properties: [
      { name: "tare:image:id", value: subject.id },
      { name: "tare:image:digest", value: subject.digest },
      { name: "tare:image:platform", value: subject.platform },
    ],
  };
}

function componentsOf({ inventory }: SbomInput, ids: Identifiers): readonly Component[] {
  const { system, packages, distributions, python } = inventory;
  return [
    ...(system ? [systemComponent(system, ids)] : []),
    ...packages.map((one) => debianComponent(one, system, ids)),
    ...(python ? [pythonComponent(python.version, ids)] : []),
    ...distributions.map((one) => distributionComponent(one, ids)),
  ];
}

function systemComponent({ id, version, title }: OperatingSystem, ids: Identifiers): Component {
  return members({
    "bom-ref": ids.next("os", id, version),
    type: "operating-system",
    name: id,
    version,
    description: title,
  });
}

function debianComponent(one: DebianPackage, system: OperatingSystem | undefined, ids: Identifiers): Component {
  const source = `${one.source.name} ${one.source.version}`;
  return members({
    "bom-ref": ids.next("deb", one.name, one.version, one.architecture),
    type: "library",
    supplier: one.maintainer === "" ? undefined : { name: one.maintainer },
    name: one.name,
    version: one.version,
    licenses: licences(one.licence),
    purl: debianPurl(one, system),
    externalReferences: website(one.homepage),
    properties: [{ name: "tare:deb:source", value: source }],
  });
}

function pythonComponent(version: string, ids: Identifiers): Component {
  const purl = formatPurl({ type: "generic", name: "python", version });
  const licenses = [{ license: { id: "PSF-2.0" } }];
  return { "bom-ref": ids.next("python", version), type: "application", name: "python", version, licenses, purl };
}

function distributionComponent(one: PythonDistribution, ids: Identifiers): Component {
  const { name, version, file } = one;
  const libraries = one.libraries.map((library) => libraryComponent(library, one, ids));
  const distribution = file?.url === undefined ? [] : [{ type: "distribution", url: file.url }];
  const references = [...(website(one.homepage) ?? []), ...distribution];
  return members({
    "bom-ref": ids.next("pypi", name, version),
    type: "library",
    authors: one.author === "" ? undefined : [{ name: one.author.split("\n", 1)[0] }],
    name,
    version,
    description: one.summary,
    hashes: sha256Of(file?.sha256),
    licenses: licences(one.licence),
    purl: pythonPurl(one),
    externalReferences: references.length === 0 ? undefined : references,
    components: libraries.length === 0 ? undefined : libraries,
    properties: [{ name: "tare:pypi:path", value: one.path }],
  });
}

function libraryComponent(library: BundledLibrary, { name }: PythonDistribution, ids: Identifiers): Component {
  const path = library.path === "" ? undefined : [{ name: "tare:file:path", value: library.path }];
  return members({
    "bom-ref": ids.next("bundled", name, library.name, library.version),
    type: "library",
    name: library.name,
    version: library.version,
    hashes: sha256Of(library.sha256),
    purl: libraryPurl(library),
    properties: path,
  });
}

/** Names that are not of the list stand as `LicenseRef-…`. */
function licences(licence: Licence | undefined): unknown {
  return licence === undefined ? undefined : [{ expression: licence.expression }];
}

function sha256Of(hex: string | undefined): unknown {
  return hex === undefined ? undefined : [{ alg: "SHA-256", content: hex }];
}

function website(url: string): readonly unknown[] | undefined {
  return URL.canParse(url) && /^https?:/.test(url) ? [{ type: "website", url }] : undefined;
}
