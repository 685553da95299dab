// SPDX-License-Identifier: Apache-2.0
/**
 * Every error code of the product with a one-line meaning, grouped by area. `docs/errors.md` is generated from this
 * table. A code is never reused for another meaning.
 */
export const ERROR_CODES = {
  // base
  E_USAGE: "the command line is wrong: unknown flag, missing argument, bad value",
  E_IO: "a file could not be read or written",
  E_NOSPACE: "the disk is full",
  E_PERMISSION: "this needs a permission that the user does not have",
  E_UNSUPPORTED: "this host or this version cannot do what was asked",
  E_ABORTED: "the operation was interrupted",
  E_PROGRAM_MISSING: "a program that Tare needs is not installed",
  E_PROGRAM_FAILED: "a program that Tare started failed",
  E_SYSCALL: "a Linux system call failed",
  // oci
  E_REF: "an image reference is malformed",
  E_DIGEST: "a digest is malformed",
  E_DIGEST_MISMATCH: "content does not have the digest it was announced with",
  E_PLATFORM: "a platform is malformed or not available",
  E_MANIFEST: "a manifest, index or image config is malformed",
  // archive
  E_TAR_HEADER: "a tar header is malformed",
  E_TAR_PAX: "a PAX record is malformed or too large",
  E_TAR_TRUNC: "a tar archive ends too early",
  E_TAR_MAGIC: "the data is not a tar archive",
  E_TAR_ESCAPE: "an archive entry points outside the extraction root",
  E_TAR_LINK: "a hard link's target is not in the tree",
  E_TAR_ROOT: "an archive entry replaces the root itself",
  E_TAR_NOTDIR: "an archive entry lies below something that is not a directory",
  E_TAR_FORGED: "an archive entry forges overlay metadata",
  E_TAR_LIMIT: "an archive exceeds a safety limit",
  E_WHITEOUT: "a whiteout entry is malformed",
  E_COMPRESSION: "compressed data is damaged or of an unknown kind",
  E_BOMB: "compressed data expands suspiciously",
  // store
  E_STORE_DAMAGED: "the store holds damaged content",
  E_STORE_VERSION: "the store was written by a newer version",
  E_STORE_LOCKED: "another command holds the lock for too long",
  E_BLOB_MISSING: "a blob is not in the store",
  E_LAYER_MISSING: "a layer is not in the store",
  E_IMAGE_NOTFOUND: "no such image",
  E_IMAGE_INUSE: "the image is used by a container or has several names",
} as const;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CODES;
