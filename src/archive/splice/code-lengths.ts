// SPDX-License-Identifier: Apache-2.0
/* Huffman code lengths with a limit; equal counts always give equal lengths. */

/** A symbol is below this number. */
const SYMBOLS = 512;
/** Memory of one call: thousands of blocks would make much garbage. */
const KEYS = new Float64Array(SYMBOLS);
const SUMS = new Float64Array(SYMBOLS);
const PARENTS = new Int32Array(2 * SYMBOLS);
const DEPTHS = new Uint16Array(2 * SYMBOLS);

/** The code length of each of at most 512 symbols; 0 for those that do not occur. A single one gets one bit. */
export function codeLengths(counts: Uint32Array, limit: number): Uint8Array {
  const lengths = new Uint8Array(counts.length);
  const used = sortedSymbols(counts);
  if (used.length === 1) lengths[(used[0] ?? 0) % SYMBOLS] = 1;
  if (used.length < 2) return lengths;
  const perLength = lengthCounts(used, limit);
  let at = used.length - 1;
  for (let length = 1; length <= limit; length += 1) {
    for (let left = perLength[length] ?? 0; left > 0; left -= 1) {
      lengths[(used[at] ?? 0) % SYMBOLS] = length;
      at -= 1;
    }
  }
  return lengths;
}

/** The symbols that occur, each with its count above it, in ascending order of both. */
function sortedSymbols(counts: Uint32Array): Float64Array {
  let used = 0;
  for (let symbol = 0; symbol < counts.length; symbol += 1) {
    const count = counts[symbol] ?? 0;
    if (count === 0) continue;
    KEYS[used] = count * SYMBOLS + symbol;
    used += 1;
  }
  return KEYS.subarray(0, used).sort();
}

/** How many codes have which length, for at least two symbols as `sortedSymbols` gives them. */
function lengthCounts(used: Float64Array, limit: number): Uint32Array {
  const perLength = new Uint32Array(limit + 1);
  for (const depth of leafDepths(used)) {
    const length = Math.min(depth, limit);
    perLength[length] = (perLength[length] ?? 0) + 1;
  }
  shorten(perLength, limit);
  return perLength;
}

/** Depths of the leaves of a Huffman tree, built with two queues: leaves, and inner nodes in the order they arise. */
function leafDepths(used: Float64Array): Uint16Array {
  const count = used.length;
  const weight = (leaf: number): number => Math.floor((used[leaf] ?? 0) / SYMBOLS);
  for (let [made, leaf, inner] = [0, 0, 0]; made < count - 1; made += 1) {
    let sum = 0;
    for (let child = 0; child < 2; child += 1) {
      const isLeaf = leaf < count && (inner >= made || weight(leaf) <= (SUMS[inner] ?? 0));
      PARENTS[isLeaf ? leaf : count + inner] = count + made;
      sum += isLeaf ? weight(leaf) : (SUMS[inner] ?? 0);
      if (isLeaf) leaf += 1;
      else inner += 1;
    }
    SUMS[made] = sum;
  }
  DEPTHS[2 * count - 2] = 0;
  for (let node = 2 * count - 3; node >= 0; node -= 1) DEPTHS[node] = (DEPTHS[PARENTS[node] ?? 0] ?? 0) + 1;
  return DEPTHS.subarray(0, count);
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
