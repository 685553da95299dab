// SPDX-License-Identifier: Apache-2.0
/* A program that tests start: node layout-target.child.ts <folder> <name> <count>: copies images when it is told to. */
import { once } from "node:events";
import { digestOf } from "../../base/index.ts";
import { MEDIA_TYPES } from "../../oci/index.ts";
import { intoLayoutFolder } from "./layout-target.ts";

const [folder = "", name = "", count = "0"] = process.argv.slice(2);
/** A layer that all images have. */
const shared = Buffer.alloc(200_000, "shared");

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < shared.length; at += 50_000) yield await Promise.resolve(shared.subarray(at, at + 50_000));
}

function copy(tag: string): Promise<void> {
  return intoLayoutFolder(folder, { tag, names: [] }, async (target) => {
    const descriptor = { mediaType: MEDIA_TYPES.ociLayer, digest: digestOf(shared), size: shared.length };
    const { signal } = new AbortController();
    const rest = { compress: false, onProgress: () => undefined, signal };
    await target.putBlob({ descriptor, what: "layer", open: pieces, ...rest });
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, annotations: { tag } }));
    const document = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), bytes };
    await target.putDocument(document, { kind: "top" }, signal);
  });
}

process.stdout.write("ready\n");
await once(process.stdin, "data");
await Promise.all(Array.from({ length: Number(count) }, (_, index) => copy(`${name}-${index}`)));
process.stdin.destroy();
