// SPDX-License-Identifier: Apache-2.0
/* For tests only: engines on stores in temporary folders, with small images. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DEFAULT_EPOCH } from "../base/index.ts";
import { packTree } from "../archive/index.ts";
import { writeImage } from "../images/index.ts";
import { openStore } from "../store/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import type { Engine } from "./facade.ts";
import { openEngine } from "./open.ts";
import { settingsOf } from "./settings.ts";

/** A temporary store with an engine on it. */
export interface Place {
  readonly engine: Engine;
  readonly root: string;
  /** Works on the store directly. */
  readonly withStore: <T>(work: (store: Store) => T) => T;
  readonly close: () => void;
}

/** A new place; the caller closes it. */
export function openPlace(): Place {
  const root = fs.mkdtempSync(join(tmpdir(), "tare-engine-"));
  const options = { env: { TARE_SYNC: "none", TARE_OFFLINE: "1" }, cwd: root, root };
  const engine = openEngine(options);
  return {
    engine,
    root,
    withStore: (work) => {
      const store = openStore({ root, sync: "none" });
      try {
        return work(store);
      } finally {
        store.close();
      }
    },
    close: () => {
      engine.close();
      fs.rmSync(root, { recursive: true, force: true });
      fs.rmSync(settingsOf(options).runRoot, { recursive: true, force: true });
    },
  };
}

/** What an image of tests is made of. */
export interface TestImage {
  /** Full names. */
  readonly names: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Seconds since 1970. */
  readonly created?: number;
}

/** Puts an image of one layer into the store. */
export async function putImage(place: Place, image: TestImage): Promise<ImageRecord> {
  const store = openStore({ root: place.root, sync: "none" });
  try {
    const staging = store.layers.stage();
    for (const [name, text] of Object.entries(image.files)) {
      fs.mkdirSync(dirname(join(staging.tree, name)), { recursive: true });
      fs.writeFileSync(join(staging.tree, name), text);
    }
    const clamp = { after: 0, to: 0 };
    const { diffId, size, contentSize, entries } = await packTree(staging.tree, undefined, { clamp });
    staging.commit({ diffId, size, contentSize, entries, opaque: [], whiteouts: 0, hasXattrs: false });
    const created = new Date((image.created ?? DEFAULT_EPOCH) * 1000).toISOString();
    const config = { Labels: image.labels ?? {}, Cmd: ["true"] };
    const history = [{ created, created_by: `COPY ${Object.keys(image.files).join(" ")} /` }];
    const written = writeImage(store, {
      config: { architecture: "amd64", os: "linux", created, config, history },
      layers: [diffId],
    });
    return store.images.put(
      { target: written.manifest, mediaType: written.mediaType, id: written.config },
      image.names,
    );
  } finally {
    store.close();
  }
}

/** Writes a container's record, as far as images and prune look at it. */
export function putContainer(place: Place, image: ImageRecord, id: string, name: string): void {
  place.withStore((store) => {
    const layers = store.contentOf(image).diffIds;
    const state = { status: "exited", exitCode: 0, startedAt: 1, finishedAt: 2, oomKilled: false, error: "" };
    const document = {
      version: 1,
      id,
      name,
      createdAt: 1,
      imageId: image.id,
      mounts: [],
      imageTarget: image.target,
      layers,
      config: {},
      host: {},
      state,
    };
    store.documents("container").insert(id, name, document);
  });
}
