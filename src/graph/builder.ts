// SPDX-License-Identifier: Apache-2.0
import { digestOfValue } from "../base/index.ts";
import type { Graph, Op, SourceRange, Vertex, VertexId } from "./types.ts";

/** What a vertex carries besides its operation and inputs; none of it changes the vertex's id. */
export interface VertexNotes {
  readonly label: string;
  readonly ignoreCache?: boolean;
  readonly source?: SourceRange;
  /** Part of the id: the same command for two platforms is two steps. */
  readonly platform?: string;
}

/** Collects vertices; adding equal work twice yields the first vertex's id. */
export class GraphBuilder {
  readonly #vertices = new Map<VertexId, Vertex>();

  add(op: Op, inputs: readonly VertexId[], notes: VertexNotes): VertexId {
    const id = digestOfValue({ op, inputs, platform: notes.platform });
    const known = this.#vertices.get(id);
    const ignoreCache = (known?.ignoreCache ?? false) || (notes.ignoreCache ?? false);
    if (known && known.ignoreCache === ignoreCache) return id;
    this.#vertices.set(id, { ...(known ?? { ...notes, id, op, inputs }), ignoreCache });
    return id;
  }

  get(id: VertexId): Vertex | undefined {
    return this.#vertices.get(id);
  }

  build(): Graph {
    return { vertices: new Map(this.#vertices) };
  }
}
