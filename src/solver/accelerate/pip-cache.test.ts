// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../base/index.ts";
import { cachedWheel } from "./pip-cache.ts";

const BYTES = Buffer.from("PK\u0003\u0004 a wheel");
const URL_OF_IT = "https://Example.org/files/demo-1.0-py3-none-any.whl";
const FILE = { fileName: "demo-1.0-py3-none-any.whl", url: `${URL_OF_IT}#sha256=00`, digest: digestOf(BYTES) };

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "pip-cache-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

function put(cache: string, kind: string, suffix: string, bytes: Buffer): string {
  const name = createHash("sha224").update(URL_OF_IT.toLowerCase()).digest("hex");
  const path = join(folder, cache, kind, ...name.slice(0, 5).split(""), `${name}${suffix}`);
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(path, bytes);
  return path;
}

/** As CacheControl's serializer wrote it: a map with the response first, and in that the body. */
function document(body: Buffer, key = "body"): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([
    Buffer.from("cc=4,", "latin1"),
    Buffer.from("\x82\xa8response\x81", "latin1"),
    Buffer.from(`\xa4${key}\xc6`, "latin1"),
    length,
    body,
    Buffer.from("\xa4vary\x80", "latin1"),
  ]);
}

describe("cachedWheel", () => {
  const find = (cache: string, file = FILE): string | undefined => cachedWheel(join(folder, cache), file, folder);

  it("takes the body of a new cache where it lies", () => {
    const path = put("new", "http-v2", ".body", BYTES);
    expect(find("new")).toBe(path);
  });

  it("takes the body out of an old cache's document", () => {
    put("old", "http", "", document(BYTES));
    expect(fs.readFileSync(find("old") ?? "")).toEqual(BYTES);
  });

  it.each([
    ["other bytes", document(Buffer.from("other"))],
    ["a body that ends early", document(BYTES).subarray(0, 30)],
    ["another document", document(BYTES, "head")],
    ["nothing", Buffer.alloc(0)],
  ])("finds nothing in %s", (name, bytes) => {
    put(name, "http", "", bytes);
    expect(find(name)).toBeUndefined();
  });

  it("follows no link, and asks nothing without a digest", () => {
    const path = put("link", "http-v2", ".body", BYTES);
    fs.renameSync(path, join(folder, "elsewhere"));
    fs.symlinkSync(join(folder, "elsewhere"), path);
    expect(find("link")).toBeUndefined();
    expect(find("none")).toBeUndefined();
    put("digest", "http-v2", ".body", BYTES);
    const { digest: _digest, ...unknown } = FILE;
    expect(cachedWheel(join(folder, "digest"), unknown, folder)).toBeUndefined();
  });
});
