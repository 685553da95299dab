// SPDX-License-Identifier: Apache-2.0
/* Huffman code lengths with a limit; equal counts always give equal lengths. */

/** The code length of each symbol; 0 for those that do not occur. A single one gets one bit. */
export function codeLengths(counts: Uint32Array, limit: number): Uint8Array {
  const lengths = new Uint8Array(counts.length);
  const used: number[] = [];
  for (let symbol = 0; symbol < counts.length; symbol += 1) if ((counts[symbol] ?? 0) > 0) used.push(symbol);
  if (used.length === 1) lengths[used[0] ?? 0] = 1;
  if (used.length < 2) return lengths;
  used.sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0) || a - b);
  const perLength = lengthCounts(
    used.map((symbol) => counts[symbol] ?? 0),
    limit,
  );
  let at = used.length - 1;
  for (let length = 1; length <= limit; length += 1) {
    for (let left = perLength[length] ?? 0; left > 0; left -= 1) {
      lengths[used[at] ?? 0] = length;
      at -= 1;
    }
  }
  return lengths;
}

/** How many codes have which length, for at least two ascending weights. */
function lengthCounts(weights: readonly number[], limit: number): Uint32Array {
  const depths = leafDepths(weights);
  const perLength = new Uint32Array(limit + 1);
  for (const depth of depths) {
    const length = Math.min(depth, limit);
    perLength[length] = (perLength[length] ?? 0) + 1;
  }
  shorten(perLength, limit);
  return perLength;
}

/** Depths of the leaves of a Huffman tree, built with two queues: leaves, and inner nodes in the order they arise. */
function leafDepths(weights: readonly number[]): Uint16Array {
  const count = weights.length;
  const sums: number[] = [];
  const parents = new Int32Array(2 * count - 1);
  let [leaf, inner] = [0, 0];
  const smallest = (parent: number): number => {
    const isLeaf = leaf < count && (inner >= sums.length || (weights[leaf] ?? 0) <= (sums[inner] ?? 0));
    parents[isLeaf ? leaf : count + inner] = parent;
    if (isLeaf) {
      leaf += 1;
      return weights[leaf - 1] ?? 0;
    }
    inner += 1;
    return sums[inner - 1] ?? 0;
  };
  for (let made = 0; made < count - 1; made += 1) {
    const first = smallest(count + made);
    sums.push(first + smallest(count + made));
  }
  const depths = new Uint16Array(2 * count - 1);
  for (let node = 2 * count - 3; node >= 0; node -= 1) depths[node] = (depths[parents[node] ?? 0] ?? 0) + 1;
  return depths.subarray(0, count);
}

/**
 * After long codes were cut to the limit there are too many. Each step takes one code of the longest length away by
 * making a shorter one a bit longer, until the lengths make a full code again.
 */
function shorten(perLength: Uint32Array, limit: number): void {
  let total = 0;
  for (let length = 1; length <= limit; length += 1) total += (perLength[length] ?? 0) * 2 ** (limit - length);
  for (; total > 2 ** limit; total -= 1) {
    let length = limit - 1;
    while ((perLength[length] ?? 0) === 0) length -= 1;
    perLength[length] = (perLength[length] ?? 0) - 1;
    perLength[length + 1] = (perLength[length + 1] ?? 0) + 2;
    perLength[limit] = (perLength[limit] ?? 0) - 1;
  }
}
