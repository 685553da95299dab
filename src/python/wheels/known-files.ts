// SPDX-License-Identifier: Apache-2.0
/* What the store's documents tell of distributions, for those that hand them on. */
import { openZip } from "../../archive/index.ts";
import { isDigest } from "../../base/index.ts";
import { readWheelFacts } from "../install/wheel-facts.ts";
import { readLock } from "../locks/read-lock.ts";
import { UV_VERSION } from "../lock/uv.ts";
import type { Digest } from "../../base/index.ts";
import type { Store } from "../../store/index.ts";
import type { WheelDocument } from "./wheel-store.ts";

/** Where a wheel can be had again, without credentials; undefined when nobody knows. */
export function originOf(store: Store, digest: Digest): string | undefined {
  return store.documents<WheelDocument>("wheel").get(digest)?.url;
}

/** The wheel of the pinned resolver, when the store has it. */
export function resolverWheel(store: Store): { readonly fileName: string; readonly digest: Digest } | undefined {
  const [found] = store
    .documents<WheelDocument>("wheel")
    .entries()
    .flatMap(([digest, { fileName }]) => {
      const isIt = fileName.startsWith(`uv-${UV_VERSION}-`) && isDigest(digest) && store.blobs.has(digest);
      return isIt ? [{ fileName, digest }] : [];
    });
  return found;
}

/** Locks that requirements were resolved to, by `resolutionKey`. */
export interface KnownResolutions {
  get(key: Digest): string | undefined;
  put(key: Digest, pylock: string): void;
  /** Those that need nothing but files that are there. */
  madeOf(isThere: (digest: Digest) => boolean): readonly { readonly key: Digest; readonly pylock: string }[];
}

/** The resolutions that a store remembers. */
export function knownResolutions(store: Store): KnownResolutions {
  const documents = store.documents<string>("resolution");
  return {
    get: (key) => documents.get(key),
    put: (key, pylock) => documents.put(key, pylock),
    madeOf: (isThere) =>
      documents.entries().flatMap(([key, pylock]) => {
        const { packages } = readLock(pylock, "pylock.toml");
        const isKnown = packages.every(({ wheels, sdist }) =>
          [...wheels, ...(sdist ? [sdist] : [])].some(({ digest }) => digest !== undefined && isThere(digest)),
        );
        return isKnown && isDigest(key) ? [{ key, pylock }] : [];
      }),
  };
}

/** Throws `E_WHEEL`, `E_WHEEL_RECORD`, `E_ZIP…` when a file is not the wheel that its name says. */
export function checkWheel(path: string, fileName: string): { readonly name: string; readonly version: string } {
  const zip = openZip(path);
  try {
    const { name, version } = readWheelFacts(zip, fileName);
    return { name, version };
  } finally {
    zip.close();
  }
}
