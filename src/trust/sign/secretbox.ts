// SPDX-License-Identifier: Apache-2.0
/*
 * NaCl's secretbox (XSalsa20-Poly1305), in which cosign keeps private keys and which Node does not have. For a few
 * hundred bytes under a key that scrypt made; not constant in time, so not for a server that strangers can ask.
 * https://nacl.cr.yp.to/secretbox.html, https://cr.yp.to/snuffle/xsalsa-20110204.pdf, RFC 8439 section 2.5 (Poly1305).
 */
import { timingSafeEqual } from "node:crypto";

const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;
const TAG = 16;

/** Encrypts; `nonce` of 24 bytes must never be used twice with a key of 32. */
export function sealBox(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer {
  const stream = keyStream(nonce, key, 32 + message.length);
  const cipher = xor(message, stream.subarray(32));
  return Buffer.concat([poly1305(cipher, stream.subarray(0, 32)), cipher]);
}

/** Decrypts; undefined when the key is not the one or the box was changed. */
export function openBox(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer | undefined {
  if (box.length < TAG) return undefined;
  const cipher = box.subarray(TAG);
  const stream = keyStream(nonce, key, 32 + cipher.length);
  const tag = poly1305(cipher, stream.subarray(0, 32));
  return timingSafeEqual(tag, box.subarray(0, TAG)) ? xor(cipher, stream.subarray(32)) : undefined;
}

function xor(bytes: Uint8Array, stream: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (stream[index] ?? 0)));
}

function keyStream(nonce: Uint8Array, key: Uint8Array, length: number): Buffer {
  if (nonce.length !== 24 || key.length !== 32) throw new Error("a nonce of 24 and a key of 32 bytes are needed");
  const inner = hsalsa20(words(nonce.subarray(0, 16)), words(key));
  const rest = words(nonce.subarray(16));
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, count) => {
    const input = state(inner, [rest[0] ?? 0, rest[1] ?? 0, count, 0]);
    const mixed = rounds(input);
    return bytesOf(mixed.map((word, index) => (word + (input[index] ?? 0)) >>> 0));
  });
  return Buffer.concat(blocks);
}

/** The key of the inner Salsa20: the diagonal and the input words of the mixed state, without the addition. */
function hsalsa20(input: readonly number[], key: readonly number[]): readonly number[] {
  const mixed = rounds(state(key, input));
  return [0, 5, 10, 15, 6, 7, 8, 9].map((index) => mixed[index] ?? 0);
}

function state(key: readonly number[], input: readonly number[]): readonly number[] {
  const [low, high] = [key.slice(0, 4), key.slice(4)];
  return [SIGMA[0], ...low, SIGMA[1], ...input, SIGMA[2], ...high, SIGMA[3]];
}

const COLUMNS = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
] as const;
const ROWS = [
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
] as const;

function rounds(input: readonly number[]): readonly number[] {
  const x = Uint32Array.from(input);
  for (let round = 0; round < 10; round += 1) {
    for (const quarter of [...COLUMNS, ...ROWS]) quarterRound(x, quarter);
  }
  return [...x];
}

function quarterRound(x: Uint32Array, [a, b, c, d]: readonly [number, number, number, number]): void {
  const mix = (to: number, from: readonly [number, number], by: number): void => {
    const sum = ((x[from[0]] ?? 0) + (x[from[1]] ?? 0)) >>> 0;
    x[to] = (x[to] ?? 0) ^ ((sum << by) | (sum >>> (32 - by)));
  };
  mix(b, [a, d], 7);
  mix(c, [b, a], 9);
  mix(d, [c, b], 13);
  mix(a, [d, c], 18);
}

function words(bytes: Uint8Array): readonly number[] {
  const buffer = Buffer.from(bytes);
  return Array.from({ length: bytes.length / 4 }, (_, index) => buffer.readUInt32LE(index * 4));
}

function bytesOf(values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeUInt32LE(value, index * 4);
  return buffer;
}

const PRIME = (1n << 130n) - 5n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

function poly1305(message: Uint8Array, key: Uint8Array): Buffer {
  const r = littleEndian(key.subarray(0, 16)) & CLAMP;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + littleEndian(block) + (1n << BigInt(block.length * 8))) * r) % PRIME;
  }
  const tag = (sum + littleEndian(key.subarray(16, 32))) & ((1n << 128n) - 1n);
  return Buffer.from(Buffer.from(tag.toString(16).padStart(32, "0"), "hex").toReversed());
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString("hex") || "0"}`);
}
