// SPDX-License-Identifier: Apache-2.0

/** The bytes of an /etc/ld.so.cache with these libraries, as glibc writes them, for 64-bit programs. */
export function loaderCache(paths: readonly string[]): Buffer {
  const head = Buffer.alloc(48);
  head.write("glibc-ld.so.cache1.1", 0, "latin1");
  head.writeUInt32LE(paths.length, 20);
  const entries = Buffer.alloc(24 * paths.length);
  const texts: Buffer[] = [];
  let at = head.length + entries.length;
  const add = (text: string): number => {
    const bytes = Buffer.from(`${text}\0`);
    texts.push(bytes);
    at += bytes.length;
    return at - bytes.length;
  };
  paths.forEach((path, index) => {
    entries.writeInt32LE(0x0303, 24 * index);
    entries.writeUInt32LE(add(path.slice(path.lastIndexOf("/") + 1)), 24 * index + 4);
    entries.writeUInt32LE(add(path), 24 * index + 8);
  });
  head.writeUInt32LE(at - head.length - entries.length, 24);
  return Buffer.concat([head, entries, ...texts]);
}
