// SPDX-License-Identifier: Apache-2.0
/* A match of DEFLATE (RFC 1951, section 3.2.3): where it is copied to and from is for the caller to check. */

/** Copies earlier output; writes up to 31 bytes more than `length`, which what follows overwrites. */
export function copy(start: usize, distance: usize, length: usize): void {
  const end = start + length;
  let to = start;
  let from = start - distance;
  if (distance >= 16) {
    v128.store(to, v128.load(from));
    if (length <= 16) return;
    v128.store(to, v128.load(from, 16), 16);
    for (to += 32, from += 32; to < end; to += 16, from += 16) v128.store(to, v128.load(from));
  } else if (distance >= 8) {
    for (; to < end; to += 8, from += 8) store<u64>(to, load<u64>(from));
  } else if (distance == 1) {
    const bytes = v128.splat<u8>(load<u8>(from));
    for (; to < end; to += 16) v128.store(to, bytes);
  } else {
    for (; to < end; to++, from++) store<u8>(to, load<u8>(from));
  }
}
