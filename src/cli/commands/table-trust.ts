// SPDX-License-Identifier: Apache-2.0
import type { CommandEntry } from "../command.ts";

/** Commands about the content of images and their signatures. */
export const TRUST_COMMANDS: readonly CommandEntry[] = [
  {
    name: "sbom",
    aliases: ["image sbom"],
    group: "images",
    summary: "List the packages and libraries in an image, as SPDX or CycloneDX",
    load: () => import("./sbom.ts"),
  },
  {
    name: "sign",
    aliases: ["image sign"],
    group: "images",
    summary: "Sign an image at a registry",
    load: () => import("./sign.ts"),
  },
  {
    name: "verify",
    aliases: ["image verify"],
    group: "images",
    summary: "Verify signatures and attestations of an image at a registry",
    load: () => import("./verify.ts"),
  },
  {
    name: "key generate",
    aliases: [],
    group: "images",
    summary: "Make a key to sign images with",
    outside: true,
    load: () => import("./key-generate.ts"),
  },
];
