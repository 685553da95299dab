// SPDX-License-Identifier: Apache-2.0
/*
 * What was read once: by the digest of a wheel and by the diffID of a layer, which never change. A newer way of reading
 * has another number, so that it reads again.
 */
import type { Store } from "../../store/index.ts";
import type { GpuPackage } from "../types.ts";
import type { LayerNeeds } from "./types.ts";

const READING = 2;

interface Remembered<T> {
  readonly reading: number;
  readonly value: T;
}

/** `null`: a wheel that uses no GPU. */
export type WheelNeeds = GpuPackage | null;

/** A memo of one kind; a broken or older row is none. */
export interface Memo<T> {
  get(id: string): T | undefined;
  put(id: string, value: T): void;
}

/** Of wheels, by digest. */
export function wheelMemo(store: Store): Memo<WheelNeeds> {
  return memo<WheelNeeds>(store, "gpu-wheel");
}

/** Of layers, by diffID. */
export function layerMemo(store: Store): Memo<LayerNeeds> {
  return memo<LayerNeeds>(store, "gpu-layer");
}

function memo<T>(store: Store, kind: string): Memo<T> {
  const documents = store.documents<Remembered<T>>(kind, { lasting: false });
  return {
    get: (id) => {
      const known = documents.get(id);
      return known?.reading === READING ? known.value : undefined;
    },
    put: (id, value) => {
      documents.put(id, { reading: READING, value });
    },
  };
}
