// SPDX-License-Identifier: Apache-2.0
export { TareError, isTareError, messageOf, systemErrorCode } from "./errors.ts";
export type { TareErrorOptions } from "./errors.ts";
export { fromErrorMessage, toErrorMessage } from "./thread-error.ts";
export type { ErrorMessage } from "./thread-error.ts";
export { ERROR_CODES } from "./error-codes.ts";
export type { ErrorCode } from "./error-codes.ts";
export {
  Hasher,
  asDiffId,
  canonicalJson,
  digestFromHex,
  digestOf,
  digestOfValue,
  hexOf,
  isDigest,
  parseDiffId,
  parseDigest,
} from "./digest.ts";
export type { DiffId, Digest } from "./digest.ts";
export { Once, Semaphore } from "./once.ts";
export { randomBelow, randomHex } from "./random.ts";
export { suggest } from "./suggest.ts";
export { execute, executeOrThrow, startFailure } from "./exec.ts";
export type { ExecuteOptions, ExecuteResult } from "./exec.ts";
export { ensureDirectory, ioError, readTextIfPresent, removeTree, syncDirectory, writeFileAtomic } from "./files.ts";
export { withFileLock } from "./file-lock.ts";
export { readPieces } from "./read-pieces.ts";
export * as linux from "./linux.ts";
export type { BytePath } from "./linux.ts";
export { sinkOf, writeAll, writeToPath } from "./byte-sink.ts";
export type { ByteSink } from "./byte-sink.ts";
export { mountPointsBelow, startTimeOfStat } from "./proc.ts";
export { fileChunks } from "./file-chunks.ts";
export { megabytes } from "./sizes.ts";
export { valueText } from "./value-text.ts";
export { hostEnvironment } from "./config.ts";
export {
  CALLER_VARIABLE,
  callerEnvironment,
  callingAccount,
  canGiveFiles,
  canMakeDevices,
  highestId,
  isRootless,
  parseIdMap,
  userNamespace,
} from "./user-namespace.ts";
export type { Account, IdRange, UserNamespace } from "./user-namespace.ts";
export { DEFAULT_EPOCH } from "./epoch.ts";
export { canOwn, imageOwner } from "./owner.ts";
export type { Owner } from "./owner.ts";
