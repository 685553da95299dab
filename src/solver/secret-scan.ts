// SPDX-License-Identifier: Apache-2.0
/* After a RUN that was given secrets: none of them may be in the layer it made, also not in the usual disguises. */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError } from "../base/index.ts";

/** A secret that a step could see. */
export interface KnownSecret {
  readonly id: string;
  readonly value: Buffer;
}

/** Shorter values turn up by chance. */
const SHORTEST = 8;
const CHUNK = 1 << 20;

interface Needle {
  readonly id: string;
  readonly bytes: Buffer;
}

/** Looks through all files of a staged layer. Throws `E_SECRET_LEAK` naming the file and the secret, never its value. */
export function refuseLeakedSecrets(root: string, secrets: readonly KnownSecret[]): void {
  const needles = secrets.flatMap(needlesOf);
  if (needles.length === 0) return;
  for (const path of filesBelow(root, "")) {
    const found = findIn(join(root, path), needles);
    if (found === undefined) continue;
    throw new TareError(
      "E_SECRET_LEAK",
      `the step wrote secret ${found} to \`/${path}\`, which would stay in the image`,
      {
        hint: "use the secret without copying it; `--allow secrets.in-layer` if the file is meant to be in the image",
        details: { secret: found, path: `/${path}` },
      },
    );
  }
}

/** The value as it is, without its last line feed, in base64 at each of its three positions, and URL-encoded. */
function needlesOf({ id, value }: KnownSecret): readonly Needle[] {
  const text = value.toString("latin1").trimEnd();
  if (text.length < SHORTEST) return [];
  const plain = Buffer.from(text, "latin1");
  const encoded = [0, 1, 2].map((shift) => base64Core(plain, shift)).filter((core) => core.length >= SHORTEST);
  const url = encodeURIComponent(plain.toString("utf8"));
  return [text, ...encoded, url].map((form) => ({ id, bytes: Buffer.from(form, "latin1") }));
}

/** The characters of the base64 text that depend on the secret alone when `shift` bytes stand before it. */
function base64Core(plain: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), plain])
    .toString("base64")
    .replace(/=+$/, "");
  return text.slice(shift === 0 ? 0 : shift + 1, plain.length % 3 === (3 - shift) % 3 ? undefined : -1);
}

function* filesBelow(root: string, folder: string): Generator<string> {
  for (const entry of fs.readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(root, path);
    else if (entry.isFile()) yield path;
  }
}

/** Reads a file in pieces that overlap by the longest needle. */
function findIn(path: string, needles: readonly Needle[]): string | undefined {
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length)) - 1;
  const buffer = Buffer.alloc(CHUNK + overlap);
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    for (let kept = 0; ;) {
      const count = fs.readSync(descriptor, buffer, kept, buffer.length - kept, null);
      if (count === 0) return undefined;
      const window = buffer.subarray(0, kept + count);
      const found = needles.find(({ bytes }) => window.includes(bytes));
      if (found) return found.id;
      kept = Math.min(overlap, window.length);
      buffer.copyWithin(0, window.length - kept, window.length);
    }
  } finally {
    fs.closeSync(descriptor);
  }
}
