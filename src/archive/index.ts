// SPDX-License-Identifier: Apache-2.0
export { byteName } from "./tar-entry.ts";
export type { TarEntry, TarHeader, TarLimits, TarType, Xattrs } from "./tar-entry.ts";
export { TarParser } from "./tar-parser.ts";
export type { TarHandler } from "./tar-parser.ts";
export { readTar } from "./tar-reader.ts";
export { TarWriter } from "./tar-writer.ts";
export type { TarFields } from "./tar-encode.ts";
export { packTree } from "./pack.ts";
export type { PackOptions, PackResult } from "./pack.ts";
export { extractLayer } from "./extract.ts";
export type { ExtractOptions, ExtractResult } from "./extract.ts";
export { decompress, detectCompression } from "./compression.ts";
export type { Compression, DecompressOptions } from "./compression.ts";
export { CompressSink, compress, compressGzip } from "./compress.ts";
export type { CompressOptions } from "./compress.ts";
export { openZip } from "./zip/zip-file.ts";
export type { ZipEntry, ZipFile, ZipLimits } from "./zip/types.ts";
export type { SourceOf, SpliceLayout, SpliceOptions, SpliceResult, SpliceSource } from "./splice/types.ts";
