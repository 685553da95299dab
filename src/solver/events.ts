// SPDX-License-Identifier: Apache-2.0
import type { VertexId } from "../graph/index.ts";

/** What happened during a build. `at` is milliseconds since the epoch. The progress renderers draw these. */
export type BuildEvent =
  | {
      readonly kind: "vertex";
      readonly id: VertexId;
      readonly label: string;
      readonly inputs: readonly VertexId[];
      readonly at: number;
    }
  | { readonly kind: "started"; readonly id: VertexId; readonly at: number }
  | { readonly kind: "cached"; readonly id: VertexId; readonly at: number }
  | {
      readonly kind: "log";
      readonly id: VertexId;
      readonly stream: 1 | 2;
      readonly data: Uint8Array;
      readonly at: number;
    }
  /** How far a step is: `current` of `total` (bytes or items; total 0 = unknown). */
  | {
      readonly kind: "status";
      readonly id: VertexId;
      readonly name: string;
      readonly current: number;
      readonly total: number;
      readonly at: number;
    }
  | { readonly kind: "completed"; readonly id: VertexId; readonly at: number }
  | { readonly kind: "failed"; readonly id: VertexId; readonly message: string; readonly at: number }
  | { readonly kind: "canceled"; readonly id: VertexId; readonly at: number }
  | {
      readonly kind: "warning";
      readonly rule: string;
      readonly message: string;
      readonly file?: string;
      readonly line?: number;
      readonly at: number;
    };

/** Receives build events; must not throw. */
export type BuildListener = (event: BuildEvent) => void;
