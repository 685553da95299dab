// SPDX-License-Identifier: Apache-2.0
import type { Graph, Vertex, VertexId } from "./types.ts";

/** The vertices that `targets` need, inputs before the vertices that use them. Everything else is skipped work. */
export function reachable(graph: Graph, targets: readonly VertexId[]): readonly Vertex[] {
  const order: Vertex[] = [];
  const seen = new Set<VertexId>();
  const stack = targets.toReversed().map((id) => ({ id, expanded: false }));
  for (let top = stack.pop(); top; top = stack.pop()) {
    if (seen.has(top.id)) continue;
    const vertex = vertexOf(graph, top.id);
    if (top.expanded || vertex.inputs.length === 0) {
      seen.add(top.id);
      order.push(vertex);
      continue;
    }
    stack.push({ id: top.id, expanded: true });
    for (const input of vertex.inputs.toReversed()) stack.push({ id: input, expanded: false });
  }
  return order;
}

/** The vertex of that id. A missing one is a bug of the front end. */
export function vertexOf(graph: Graph, id: VertexId): Vertex {
  const vertex = graph.vertices.get(id);
  if (!vertex) throw new Error(`graph has no vertex ${id}`);
  return vertex;
}
