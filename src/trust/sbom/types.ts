// SPDX-License-Identifier: Apache-2.0
/* What is in an image, as documents about its content tell it: the same facts for each format. */

/** The formats of a software bill of materials. */
export type SbomFormat = "spdx" | "cyclonedx";

/** What a document is about. */
export interface ImageSubject {
  /** As Docker shows it, without tag: `localhost:5000/team/app`; the start of the image ID for one without a name. */
  readonly name: string;
  readonly tag?: string;
  /** Of its manifest: at the registry where the document is attached to one, else in the store. */
  readonly digest: string;
  /** Of its config: Docker's image ID. */
  readonly id: string;
  readonly platform: string;
  /** Of its config; ISO 8601. */
  readonly created: string;
}

/** A licence by name in an expression (SPDX 2.3 annex D), and what a `LicenseRef-` of it stands for. */
export interface Licence {
  readonly expression: string;
  /** Names that are not of SPDX's list, by their `LicenseRef-…`. */
  readonly references: Readonly<Record<string, string>>;
}

/** What `/etc/os-release` says. */
export interface OperatingSystem {
  /** `debian`, `ubuntu`. */
  readonly id: string;
  readonly version: string;
  readonly codename: string;
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly title: string;
}

/** A package of dpkg. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly maintainer: string;
  /** The source package and its version. */
  readonly source: { readonly name: string; readonly version: string };
  readonly homepage: string;
  readonly licence?: Licence;
}

/** A library that a wheel brings along: a file of it, or what its own bill of materials names (PEP 770). */
export interface BundledLibrary {
  readonly name: string;
  readonly version: string;
  /** Absolute; empty for what only the wheel's own document names. */
  readonly path: string;
  /** Hexadecimal SHA-256 by the wheel's RECORD. */
  readonly sha256?: string;
  /** What the wheel's own document says it is. */
  readonly purl?: string;
}

/** An installed Python distribution. */
export interface PythonDistribution {
  /** Normalised. */
  readonly name: string;
  readonly version: string;
  /** Its .dist-info or .egg-info, absolute. */
  readonly path: string;
  readonly summary: string;
  readonly author: string;
  readonly homepage: string;
  readonly licence?: Licence;
  /** The file it was installed from, where that is known. */
  readonly file?: { readonly name: string; readonly sha256?: string; readonly url?: string };
  /** By path and name. */
  readonly libraries: readonly BundledLibrary[];
}

/** The content of an image; equal images give equal inventories, all lists are sorted. */
export interface Inventory {
  readonly system?: OperatingSystem;
  readonly packages: readonly DebianPackage[];
  readonly distributions: readonly PythonDistribution[];
  /** A Python that no package brought: the version that the image's `PYTHON_VERSION` names. */
  readonly python?: { readonly version: string; readonly path: string };
}
