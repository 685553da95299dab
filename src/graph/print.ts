// SPDX-License-Identifier: Apache-2.0
import { reachable } from "./walk.ts";
import type { Graph, Vertex, VertexId } from "./types.ts";

/** The graph as JSON data for `build --plan`: vertices in execution order, ids shortened to 12 digits by `short`. */
export function describeGraph(
  graph: Graph,
  targets: readonly VertexId[],
): readonly Readonly<Record<string, unknown>>[] {
  return reachable(graph, targets).map((vertex) => ({
    id: vertex.id,
    label: vertex.label,
    inputs: vertex.inputs,
    op: vertex.op,
    ...(vertex.platform ? { platform: vertex.platform } : {}),
    ...(vertex.source ? { source: vertex.source } : {}),
  }));
}

/** The graph as lines of text: number, label, and the numbers of the steps it waits for. */
export function printGraph(graph: Graph, targets: readonly VertexId[]): string {
  const vertices = reachable(graph, targets);
  const numbers = new Map(vertices.map((vertex, index) => [vertex.id, index + 1]));
  const line = (vertex: Vertex, index: number): string => {
    const after = vertex.inputs.map((id) => `#${numbers.get(id)}`).join(" ");
    return `#${index + 1} ${vertex.label}${after ? `  ← ${after}` : ""}`;
  };
  return `${vertices.map(line).join("\n")}\n`;
}
