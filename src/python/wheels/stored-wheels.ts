// SPDX-License-Identifier: Apache-2.0
/* The distributions that a store holds, as people ask for them. */
import { isDigest } from "../../base/index.ts";
import { normalizeName } from "../requirements/names.ts";
import { parseWheelName } from "../target/tags.ts";
import { builtWheels } from "./built-wheels.ts";
import type { Digest } from "../../base/index.ts";
import type { Store } from "../../store/index.ts";
import type { WheelLayer } from "../install/layer-source.ts";
import type { BuiltWheel } from "./built-wheels.ts";
import type { WheelDocument } from "./wheel-store.ts";

/** A wheel or sdist in the store. */
export interface StoredWheel {
  /** Normalised. */
  readonly name: string;
  readonly version: string;
  readonly fileName: string;
  readonly digest: Digest;
  readonly size: number;
  /** How many layers of the store were made of it. */
  readonly layers: number;
  /** What it was built from, here or by who shared it; absent for files of an index. */
  readonly built?: Pick<BuiltWheel, "key" | "source" | "python" | "platform" | "seconds">;
}

/** All that are present, by name and file. */
export function storedWheels(store: Store): readonly StoredWheel[] {
  const built = new Map(
    builtWheels(store)
      .list()
      .map((wheel) => [wheel.digest, wheel]),
  );
  const uses = usesOf(store);
  const rows = store
    .documents<WheelDocument>("wheel")
    .entries()
    .flatMap(([digest, { fileName }]): StoredWheel[] => {
      const blob = isDigest(digest) ? store.blobs.stat(digest) : undefined;
      if (!blob) return [];
      const made = built.get(blob.digest);
      const facts = made && pick(made);
      const row = { ...titleOf(fileName), fileName, ...blob, layers: uses.get(blob.digest) ?? 0 };
      return [{ ...row, ...(facts === undefined ? {} : { built: facts }) }];
    });
  return rows.toSorted((a, b) => (`${a.name} ${a.fileName}` < `${b.name} ${b.fileName}` ? -1 : 1));
}

function pick({ key, source, python, platform, seconds }: BuiltWheel): NonNullable<StoredWheel["built"]> {
  return { key, source, python, platform, seconds };
}

/** How many present layers each wheel is part of. */
function usesOf(store: Store): ReadonlyMap<Digest, number> {
  const uses = new Map<Digest, number>();
  for (const [layer, { wheels }] of store.documents<WheelLayer>("wheel-layer").entries()) {
    if (!isDigest(layer) || !store.layers.facts(layer)) continue;
    for (const { digest } of wheels) uses.set(digest, (uses.get(digest) ?? 0) + 1);
  }
  return uses;
}

function titleOf(fileName: string): { readonly name: string; readonly version: string } {
  if (fileName.endsWith(".whl")) {
    const { name, version } = parseWheelName(fileName);
    return { name, version };
  }
  const [, name = fileName, version = ""] = /^(.+)-([^-]+?)\.(?:tar\.gz|zip)$/.exec(fileName) ?? [];
  return { name: normalizeName(name), version };
}

/** Forgets a distribution: its bytes go with the next prune. */
export function forgetWheel(store: Store, { digest }: Pick<StoredWheel, "digest">): void {
  store.documents<WheelDocument>("wheel").remove(digest);
  const built = builtWheels(store);
  for (const wheel of built.list()) if (wheel.digest === digest) built.remove(wheel.key);
}
