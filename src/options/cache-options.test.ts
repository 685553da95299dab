// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import { parseCacheFrom, parseCacheTo } from "./cache-options.ts";
import type { CacheExport, CacheImport } from "./cache-options.ts";

const FORM = { mode: "min", compression: "gzip", ignoreError: false } as const;

describe("--cache-from", () => {
  it.each<readonly [string, CacheImport]>([
    ["host/app:cache", { type: "registry", reference: "host/app:cache", insecure: false }],
    ["type=registry,ref=host/app:cache", { type: "registry", reference: "host/app:cache", insecure: false }],
    ["ref=app,type=registry,registry.insecure=1", { type: "registry", reference: "app", insecure: true }],
    ["type=local,src=a folder", { type: "local", folder: "a folder" }],
    ['type=local,"src=a,b",tag=x', { type: "local", folder: "a,b", tag: "x" }],
    ["type=local,src=c,digest=sha256:00", { type: "local", folder: "c", digest: "sha256:00" }],
  ])("reads %s", (text, expected) => expect(parseCacheFrom(text)).toEqual([expected]));
});

describe("--cache-to", () => {
  it.each<readonly [string, CacheExport]>([
    ["host/app:cache", { type: "registry", reference: "host/app:cache", insecure: false, ...FORM }],
    ["type=registry,ref=a,mode=max", { type: "registry", reference: "a", insecure: false, ...FORM, mode: "max" }],
    ["type=local,dest=d,tag=t", { type: "local", folder: "d", tag: "t", ...FORM }],
    [
      "type=local,dest=d,compression=uncompressed,ignore-error=true",
      { type: "local", folder: "d", mode: "min", compression: "none", ignoreError: true },
    ],
    [
      "type=registry,ref=a,image-manifest=true,oci-mediatypes=true,force-compression=false,compression=zstd",
      { type: "registry", reference: "a", insecure: false, ...FORM, compression: "zstd" },
    ],
  ])("reads %s", (text, expected) => expect(parseCacheTo(text)).toEqual([expected]));
});

describe("what is wrong", () => {
  it.each<readonly [string, string, RegExp, RegExp]>([
    ["type=registri,ref=a", "E_USAGE", /unknown cache type/, /did you mean registry/],
    ["type=registry", "E_USAGE", /ref is required/, /type=registry,ref=/],
    ["type=local,dst=a", "E_USAGE", /unknown option `dst`/, /did you mean dest/],
    ["type=local", "E_USAGE", /dest is required/, /dest=/],
    ["ref=a", "E_USAGE", /type required/, /type=registry/],
    ["type=registry,ref", "E_USAGE", /invalid value ref/, /key=value/],
    ["type=registry,ref=a,mode=all", "E_USAGE", /unknown cache mode `all`/, /min or max/],
    ["type=registry,ref=a,compression=gzp", "E_USAGE", /unknown compression/, /did you mean gzip/],
    ["type=registry,ref=a,ignore-error=maybe", "E_USAGE", /invalid value `maybe`/, /true or false/],
    ["type=registry,ref=a,compression=estargz", "E_UNSUPPORTED", /estargz/, /gzip or zstd/],
    ["type=registry,ref=a,compression-level=9", "E_UNSUPPORTED", /compression-level/, /leave it out/],
    ["type=registry,ref=a,image-manifest=false", "E_UNSUPPORTED", /image-manifest=false/, /leave it out/],
    ["type=inline", "E_UNSUPPORTED", /type=inline/, /IMAGE-cache/],
    ["type=gha", "E_UNSUPPORTED", /type=gha/, /type=local/],
    ["type=s3,bucket=b", "E_UNSUPPORTED", /type=s3/, /type=registry/],
    ["type=azblob", "E_UNSUPPORTED", /type=azblob/, /type=registry/],
  ])("says so of %s", (text, code, message, hint) => {
    const error = errorOf(() => parseCacheTo(text));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  it("is a usage error or a cache, whatever the text", () => {
    const word = fc.constantFrom(
      "type=",
      "registry",
      "local",
      "ref=",
      "dest=",
      "src=",
      ",",
      '"',
      "mode=",
      "max",
      "=",
      "a",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), fc.constantFrom(parseCacheFrom, parseCacheTo), (words, parse) => {
        try {
          for (const { type } of parse(words.join(""))) expect(type).toMatch(/^(?:registry|local)$/);
        } catch (error) {
          expect(error).toMatchObject({ code: "E_USAGE" });
        }
      }),
    );
  });

  it("is told of a source as of a target", () => {
    expect(errorOf(() => parseCacheFrom("type=local,dest=a")).hint).toMatch(/src/);
    expect(errorOf(() => parseCacheFrom("type=registry,ref=a,mod=max")).hint).toMatch(/mode/);
  });

  it("is less than it seems: nothing is none, names are several, and a source may have a target's options", () => {
    expect([parseCacheFrom(""), parseCacheTo("")]).toEqual([[], []]);
    expect(parseCacheFrom("a,host/b:c").map((each) => each.type === "registry" && each.reference)).toEqual([
      "a",
      "host/b:c",
    ]);
    expect(parseCacheFrom("type=registry,ref=a,mode=max,compression=zstd")).toEqual(parseCacheFrom("a"));
  });
});

function errorOf(work: () => unknown): Error & { readonly hint?: string | undefined } {
  try {
    work();
  } catch (error) {
    if (isTareError(error)) return error;
  }
  throw new Error("no error");
}
