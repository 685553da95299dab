// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refuseLeakedSecrets } from "./secret-scan.ts";

const secret = { id: "token", value: Buffer.from("s3cr3t/value+42 öx\n") };
const text = secret.value.toString().trimEnd();
let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tare-scan-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(content: string | Buffer): void {
  mkdirSync(join(root, "a/b"), { recursive: true });
  writeFileSync(join(root, "a/b/file"), content);
}

describe("a layer with a secret in it is refused", () => {
  const disguises: readonly (readonly [string, string | Buffer])[] = [
    ["as it is", `key = ${text}\n`],
    ["in base64", Buffer.from(text).toString("base64")],
    ["in base64 after one byte", Buffer.from(`u${text}`).toString("base64")],
    ["in base64 after a user name", Buffer.from(`me:${text}`).toString("base64")],
    ["in a URL", `https://me:${encodeURIComponent(text)}@host/`],
    ["across the border of two pieces", Buffer.concat([Buffer.alloc((1 << 20) - 5), Buffer.from(text)])],
    ["deep in a large file", Buffer.concat([Buffer.alloc(3_000_000), Buffer.from(text), Buffer.alloc(100)])],
  ];
  it.each(disguises)("%s", (_name, content) => {
    write(content);
    expect(() => refuseLeakedSecrets(root, [secret])).toThrow(/secret token to `\/a\/b\/file`/);
  });

  it("without saying its value", () => {
    write(text);
    expect(() => refuseLeakedSecrets(root, [secret])).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(text) }),
    );
  });
});

describe("other layers are not", () => {
  it("when they hold something else", () => {
    write(`${text.slice(0, -1)}y ${Buffer.from("another value").toString("base64")}`);
    expect(() => refuseLeakedSecrets(root, [secret])).not.toThrow();
  });

  it("when the secret is too short to be recognised", () => {
    write("pw pw pw");
    expect(() => refuseLeakedSecrets(root, [{ id: "short", value: Buffer.from("pw\n") }])).not.toThrow();
  });
});
