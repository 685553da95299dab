// SPDX-License-Identifier: Apache-2.0
/* A program that the crash tests start: node crash.child.ts <task> <root> <number> [fault plan]. */
import { digestOf } from "../base/index.ts";
import { parseFaultPlan } from "./faults.ts";
import { putImage, putLayer } from "./fixture.ts";
import { openStore } from "./store.ts";
import type { Store } from "./types.ts";

const [task = "", root = "", number = "0", fault] = process.argv.slice(2);
const store = openStore({ root, ...(fault && { fault: parseFaultPlan(fault) }) });

/** Touches every kind of thing once or twice, with and without others of the same content. */
async function life(): Promise<void> {
  store.recover();
  const own = putLayer(store, { "own.txt": number });
  const shared = putLayer(store, { "shared.txt": "the same for all" });
  putLayer(store, { "shared.txt": "the same for all" });
  putImage(store, [`docker.io/library/own:${number}`, "docker.io/library/latest:1"], [shared.diffId, own.diffId]);
  store.cache.put(digestOf(`key ${number}`), { layer: own.diffId }, [own.diffId]);
  const documents = store.documents<{ layers: readonly string[] }>("container");
  documents.insert(`id${number}`, `name${number}`, { layers: [own.diffId] });
  documents.update(`id${number}`, (value) => ({ ...value, state: "running" }));
  const memo = store.fingerprints.open("/context");
  const stamp = { device: 1, inode: 1, size: 1, mtime: 1n, ctime: 1n };
  memo.set(`file${number}`, stamp, digestOf(number));
  memo.save();
  store.cacheMounts.path("pip");
  store.cacheMounts.claim("pip")?.();
  const incoming = Buffer.from(`incoming ${number}`);
  const blob = { digest: digestOf(incoming), size: incoming.length };
  store.partials.claim(blob)?.close();
  const partial = store.partials.claim(blob);
  partial?.write(0, incoming);
  await partial?.publish(blob.digest);
  documents.remove(`id${number}`);
  store.images.untag(`docker.io/library/own:${number}`);
}

/** Leaves things that nothing needs, then prunes like another command would. */
function pruneAll(): void {
  store.recover();
  store.prune({ images: "unused", cache: "all", mounts: true });
}

/** Many short builds, each checking that what it made stays while it lives. */
function hammer(): void {
  const counters = store.documents<{ count: number }>("counter");
  for (let round = 0; round < 25; round += 1) {
    const layer = putLayer(store, { file: `${round % 5}` });
    const own = putLayer(store, { file: `${number} ${round}` });
    store.cache.put(digestOf(`${round}`), { round }, [layer.diffId]);
    const image = putImage(store, [`docker.io/library/shared:${round % 3}`], [layer.diffId, own.diffId]);
    check(store, image);
    counters.update("all", ({ count }) => ({ count: count + 1 }));
    store.images.remove(image.target);
  }
}

function check(
  from: Store,
  image: { readonly target: ReturnType<typeof digestOf>; readonly id: ReturnType<typeof digestOf> },
): void {
  const { missing } = from.contentOf(image);
  if (missing.length > 0) throw new Error(`lost ${JSON.stringify(missing)}`);
}

const TASKS: Readonly<Record<string, () => unknown>> = {
  life,
  prune: pruneAll,
  repair: () => store.fsck({ repair: true }),
  hammer,
  pruner: () => {
    const end = Date.now() + 1500;
    while (Date.now() < end) store.prune({ images: "unused", cache: "all" });
  },
};

await TASKS[task]?.();
store.close();
