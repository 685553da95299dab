// SPDX-License-Identifier: Apache-2.0
/* index.json of an OCI layout folder, which several commands may write at once and anybody may read meanwhile. */
import { join } from "node:path";
import { readTextIfPresent, withFileLock, writeFileAtomic } from "../base/index.ts";
import { MEDIA_TYPES, parseIndex, serializeIndex } from "../oci/index.ts";
import type { Descriptor } from "../oci/index.ts";

type Entries = readonly Descriptor[];

const LAYOUT_VERSION = '{"imageLayoutVersion":"1.0.0"}';

/**
 * Replaces the entries by what `change` makes of them, and then runs `after`, while no other command of ours does the
 * same. A reader sees the old index or the new one. Throws `E_MANIFEST` for an index that is none, `E_IO`.
 */
export async function changeLayoutIndex(
  folder: string,
  change: (before: Entries) => Entries,
  after: (before: Entries, now: Entries) => void = (): void => undefined,
): Promise<void> {
  const path = join(folder, "index.json");
  await withFileLock(join(folder, ".index.lock"), () => {
    const text = readTextIfPresent(path);
    const before = text === undefined ? [] : parseIndex(text).manifests;
    const manifests = change(before);
    writeFileAtomic(join(folder, "oci-layout"), LAYOUT_VERSION, 0o644);
    writeFileAtomic(path, serializeIndex({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }), 0o644);
    after(before, manifests);
  });
}
