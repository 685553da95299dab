// SPDX-License-Identifier: Apache-2.0

/** A distribution that bases can be made of. */
export type Distribution = "debian" | "ubuntu";

/** A release of a distribution. */
export interface Suite {
  readonly distribution: Distribution;
  /** Code name: `bookworm`. */
  readonly name: string;
  /** Other names: version numbers and roles (`12`, `stable`). */
  readonly aliases: readonly string[];
  /** `major.minor` of its package `python3`; absent where it moves. */
  readonly python?: string;
  /** Suffixes of the suites that carry fixes, besides the release itself. */
  readonly updates: readonly string[];
  /** Whether the security archive has a suite for it. */
  readonly security: boolean;
}

const FIXES = { updates: ["-updates"], security: true } as const;

/** Releases in order of age, newest last; on a tie of Python versions the newest wins. */
export const SUITES: readonly Suite[] = [
  { distribution: "debian", name: "bullseye", aliases: ["11"], python: "3.9", ...FIXES },
  { distribution: "debian", name: "bookworm", aliases: ["12", "oldstable"], python: "3.11", ...FIXES },
  { distribution: "debian", name: "trixie", aliases: ["13", "stable", "latest"], python: "3.13", ...FIXES },
  { distribution: "debian", name: "forky", aliases: ["14", "testing"], ...FIXES },
  { distribution: "debian", name: "sid", aliases: ["unstable"], updates: [], security: false },
  { distribution: "ubuntu", name: "focal", aliases: ["20.04"], python: "3.8", ...FIXES },
  { distribution: "ubuntu", name: "jammy", aliases: ["22.04"], python: "3.10", ...FIXES },
  { distribution: "ubuntu", name: "noble", aliases: ["24.04", "latest"], python: "3.12", ...FIXES },
];

/** The suite of this code name, number or role, or undefined. */
export function findSuite(distribution: Distribution | undefined, text: string): Suite | undefined {
  return SUITES.find(
    (suite) =>
      (distribution === undefined || suite.distribution === distribution) &&
      (suite.name === text || (distribution !== undefined && suite.aliases.includes(text))),
  );
}

/** The suites that have Python `version`, Debian's first. */
export function suitesWithPython(version: string): readonly Suite[] {
  return SUITES.filter((suite) => suite.python === version);
}

/** Debian's name of an architecture given in Debian's or in OCI's words; undefined when it is unknown. */
export function debianArchitecture(text: string): string | undefined {
  return ARCHITECTURES.find((row) => row.debian === text || row.platforms.includes(text))?.debian;
}

/** OCI's architecture and variant for one of Debian's. */
export function ociArchitecture(debian: string): { readonly architecture: string; readonly variant?: string } {
  const row = ARCHITECTURES.find((entry) => entry.debian === debian);
  return row?.oci ?? { architecture: debian };
}

/** Names of architectures: Debian's, what users write, and OCI's (Go's GOARCH, image-spec config.md). */
const ARCHITECTURES: readonly {
  readonly debian: string;
  readonly platforms: readonly string[];
  readonly oci: { readonly architecture: string; readonly variant?: string };
}[] = [
  { debian: "amd64", platforms: ["linux/amd64", "x86_64", "x64"], oci: { architecture: "amd64" } },
  {
    debian: "arm64",
    platforms: ["linux/arm64", "linux/arm64/v8", "aarch64"],
    oci: { architecture: "arm64", variant: "v8" },
  },
  {
    debian: "armhf",
    platforms: ["arm", "linux/arm", "linux/arm/v7", "armv7"],
    oci: { architecture: "arm", variant: "v7" },
  },
  { debian: "armel", platforms: ["linux/arm/v5"], oci: { architecture: "arm", variant: "v5" } },
  { debian: "i386", platforms: ["386", "linux/386", "ia32"], oci: { architecture: "386" } },
  { debian: "ppc64el", platforms: ["ppc64le", "linux/ppc64le", "ppc64"], oci: { architecture: "ppc64le" } },
  { debian: "s390x", platforms: ["linux/s390x"], oci: { architecture: "s390x" } },
  { debian: "riscv64", platforms: ["linux/riscv64"], oci: { architecture: "riscv64" } },
];
