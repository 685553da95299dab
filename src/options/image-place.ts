// SPDX-License-Identifier: Apache-2.0
/* The places of `tare copy`, with the words of skopeo. */
import { suggest } from "../base/index.ts";
import { cut, usage } from "./usage.ts";

/** Where an image is or goes. */
export type ImagePlace =
  /** A registry's name of it. */
  | { readonly kind: "registry"; readonly name: string }
  /** Tare's own store. */
  | { readonly kind: "store"; readonly name: string }
  /** An OCI layout: a folder, or a tar archive of one. */
  | { readonly kind: "oci" | "oci-archive"; readonly path: string; readonly name?: string }
  /** What `docker save` writes. */
  | { readonly kind: "docker-archive"; readonly path: string; readonly name?: string }
  /** A running Docker Engine. */
  | { readonly kind: "docker-daemon"; readonly name: string };

type Kind = ImagePlace["kind"];

/** The words before the first colon. */
const WORDS: Readonly<Record<string, Kind>> = {
  docker: "registry",
  registry: "registry",
  store: "store",
  tare: "store",
  oci: "oci",
  "oci-archive": "oci-archive",
  "docker-archive": "docker-archive",
  "docker-daemon": "docker-daemon",
};

/** Words of others, and what to do instead. */
const OTHERS: Readonly<Record<string, string>> = {
  dir: "write `oci:FOLDER`",
  "containers-storage": "`podman save` writes an archive: copy that from `docker-archive:FILE`",
  http: "leave out the scheme: registry.example.com/name:tag",
  https: "leave out the scheme: registry.example.com/name:tag",
  ostree: "write `oci:FOLDER`",
  sif: "write `oci-archive:FILE`",
};

/**
 * Parses `TRANSPORT:PLACE`; without a transport it is a name at a registry. Throws `E_USAGE` for an unknown transport, with
 * the one that was meant in the hint, and for a place without a path or name.
 */
export function parseImagePlace(text: string): ImagePlace {
  const { key: word, value: rest } = cut(text, ":");
  if (rest === undefined) return named("registry", text, text);
  const kind = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (kind === undefined) {
    refuseOthers(text, word, rest);
    return named("registry", text, text);
  }
  switch (kind) {
    case "registry":
      // `docker://name` as skopeo writes it; `docker:dind` is an image.
      return rest.startsWith("//") ? named(kind, rest.slice(2), text) : named(kind, text, text);
    case "store":
    case "docker-daemon":
      return named(kind, rest, text);
    case "oci":
    case "oci-archive":
    case "docker-archive":
      return inFile(kind, rest, text);
  }
}

function named(kind: "registry" | "store" | "docker-daemon", name: string, text: string): ImagePlace {
  if (name !== "") return { kind, name };
  throw usage(`the place \`${text}\` has no image's name`, "for example `registry.example.com/app:1` or `store:app:1`");
}

function inFile(kind: "oci" | "oci-archive" | "docker-archive", rest: string, text: string): ImagePlace {
  const { key: path, value: name } = cut(rest, ":");
  if (path === "") throw usage(`the place \`${text}\` has no path`, `for example \`${kind}:PATH:TAG\``);
  return name === undefined || name === "" ? { kind, path } : { kind, path, name };
}

/** What can be no name at a registry, or is another program's transport. */
function refuseOthers(text: string, word: string, rest: string): void {
  if (Object.hasOwn(OTHERS, word)) throw unknown(text, word, OTHERS[word]);
  if (rest.startsWith("//")) throw unknown(text, word, near(word));
  const meant = near(word);
  // `host:5000/name` has a port there, `name:tag` a tag.
  const canBeName = /^\d+\//.test(rest) || /^[\w][\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?$/.test(rest);
  if (!canBeName && !word.includes("/") && !word.includes(".")) throw unknown(text, word, meant);
  if (meant !== undefined && word.includes("-")) throw unknown(text, word, meant);
}

function near(word: string): string | undefined {
  const meant = suggest(word, Object.keys(WORDS));
  return meant === undefined ? undefined : `did you mean \`${meant}:\`?`;
}

function unknown(text: string, word: string, hint: string | undefined): Error {
  const known =
    "known are oci:, oci-archive:, docker-archive:, docker-daemon:, store: and, for a registry, the name alone";
  return usage(`the place \`${text.slice(0, 200)}\` has the unknown transport \`${word.slice(0, 40)}\``, hint ?? known);
}
