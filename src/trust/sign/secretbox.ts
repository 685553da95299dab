// SPDX-License-Identifier: Apache-2.0
/* NaCl's secretbox (XSalsa20-Poly1305), in which cosign keeps private keys and which Node's crypto does not have. */
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";

/** Encrypts; `nonce` of 24 bytes must never be used twice with a key of 32. */
export function sealBox(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer {
  return Buffer.from(xsalsa20poly1305(key, nonce).encrypt(message));
}

/** Decrypts; undefined when the key is not the one or the box was changed. */
export function openBox(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer | undefined {
  const cipher = xsalsa20poly1305(key, nonce);
  try {
    return Buffer.from(cipher.decrypt(box));
  } catch {
    return undefined;
  }
}
