// SPDX-License-Identifier: Apache-2.0
/*
 * zstd streams of any number of frames. Node's decoder stops without a word after the first frame, so the frames
 * (RFC 8878, section 3.1) are split here and each goes to a decoder of its own; skippable frames are left out.
 */
import * as zlib from "node:zlib";
import { ByteReader } from "./byte-reader.ts";
import { compressionError, through } from "./transform.ts";

const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const WINDOW_LOG = 27;

/** Decodes a zstd stream. Throws `E_COMPRESSION`. A window above 128 MiB is refused. */
export async function* decodeZstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source, "zstd");
  try {
    while (await reader.fill(1)) {
      const magic = (await reader.peek(4)).readUInt32LE(0);
      if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) await skipFrame(reader);
      else if (magic === FRAME) yield* through(newDecoder(), frame(reader), "zstd");
      else throw compressionError("zstd", "there is something else after a frame");
    }
  } finally {
    await reader.close();
  }
}

function newDecoder(): zlib.ZstdDecompress {
  const params = { [zlib.constants.ZSTD_d_windowLogMax]: WINDOW_LOG };
  return zlib.createZstdDecompress({ chunkSize: 1 << 18, params });
}

async function skipFrame(reader: ByteReader): Promise<void> {
  const size = (await reader.peek(8)).readUInt32LE(4);
  reader.skip(8);
  for await (const piece of reader.take(size)) void piece;
}

/** The bytes of one frame: header, blocks up to the last one, checksum. */
async function* frame(reader: ByteReader): AsyncGenerator<Buffer> {
  const descriptor = (await reader.peek(5))[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  yield* reader.take(5 + (isSingleSegment ? 0 : 1) + dictionary + contentSize);
  for (let isLast = false; !isLast;) {
    const header = (await reader.peek(3)).readUIntLE(0, 3);
    isLast = (header & 1) !== 0;
    const isRepeated = ((header >> 1) & 3) === 1;
    yield* reader.take(3 + (isRepeated ? 1 : header >> 3));
  }
  if ((descriptor & 4) !== 0) yield* reader.take(4);
}
