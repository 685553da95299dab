// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import {
  familiarReference,
  formatReference,
  imageIdPrefix,
  matchesFamiliar,
  normalizeReference,
  parseAnyReference,
  parseImageName,
  parseReference,
} from "./index.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;

const errorOf = (run: () => unknown): { kind: unknown; hint: string | undefined } => {
  try {
    run();
  } catch (error) {
    if (isTareError(error, "E_REF")) return { kind: error.details["kind"], hint: error.hint };
    throw error;
  }
  throw new Error("no error");
};

describe("normalizeReference", () => {
  it.each([
    ["busybox", "docker.io/library/busybox", "busybox"],
    ["ai_example:v1", "docker.io/library/ai_example:v1", "ai_example:v1"],
    ["index.docker.io/user/app", "docker.io/user/app", "user/app"],
    ["localhost/app", "localhost/app", "localhost/app"],
    ["Host/app:T", "Host/app:T", "Host/app:T"],
    ["r.example:5000/a/b", "r.example:5000/a/b", "r.example:5000/a/b"],
    [`a:t@${DIGEST}`, `docker.io/library/a:t@${DIGEST}`, `a:t@${DIGEST}`],
  ])("completes %s", (text, full, familiar) => {
    expect(formatReference(normalizeReference(text))).toBe(full);
    expect(familiarReference(normalizeReference(text))).toBe(familiar);
  });

  it.each([
    ["", "empty"],
    ["Ai_Example", "uppercase"],
    ["a..b", "format"],
    ["https://r.example/a", "format"],
    ["a b", "format"],
    ["a:", "format"],
    ["a@sha256:abc", "format"],
    [`a@sha256:${"a".repeat(40)}`, "digest-length"],
    [`a@sha512:${"a".repeat(128)}`, "digest-unsupported"],
    ["a".repeat(256), "too-long"],
    ["f".repeat(64), "identifier"],
    ["a\n", "format"],
    ["a:t\n", "format"],
  ])("refuses %j", (text, kind) => {
    expect(errorOf(() => normalizeReference(text)).kind).toBe(kind);
  });

  it("suggests lower case", () => {
    expect(errorOf(() => normalizeReference("Ai_Example:V1")).hint).toContain("ai_example");
  });
});

describe("reference properties", () => {
  const component = fc.stringMatching(/^[a-z0-9]{1,6}([._-][a-z0-9]{1,4})?$/);
  const domain = fc.constantFrom("", "docker.io", "localhost", "r.example:5000", "[::1]:80");
  it("format and parse are inverse", () => {
    fc.assert(
      fc.property(domain, fc.array(component, { minLength: 1, maxLength: 4 }), fc.boolean(), (host, path, tagged) => {
        const text = [...(host === "" ? [] : [host]), ...path].join("/") + (tagged ? ":T.1-x_" : "");
        const full = normalizeReference(text);
        expect(normalizeReference(formatReference(full))).toEqual(full);
        expect(normalizeReference(familiarReference(full))).toEqual(full);
        expect(formatReference(parseReference(text))).toBe(text);
      }),
    );
  });

  it("any text gives a reference or an E_REF", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        try {
          parseAnyReference(text);
        } catch (error) {
          expect(isTareError(error, "E_REF")).toBe(true);
        }
      }),
    );
  });

  it.each([
    ["dashes", `${"-".repeat(100_000)}`],
    ["letters", `${"a".repeat(100_000)}!`],
    ["components", `${"a/".repeat(50_000)}!`],
    ["dots", `${"a.".repeat(50_000)}/b!`],
    ["underscores", `${"a_".repeat(50_000)}!`],
    ["dash runs", `a${"-".repeat(99_990)}_/x`],
    ["colons", ":".repeat(100_000)],
    ["at signs", "@".repeat(100_000)],
    ["digest parts", `a@${"a+".repeat(50_000)}`],
  ])("refuses 100 kB of %s quickly", (_name, text) => {
    const start = performance.now();
    expect(() => normalizeReference(text)).toThrow();
    // Going back over all of it for each character would take many seconds.
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe("other forms", () => {
  it("tells IDs from names", () => {
    expect(parseAnyReference("ab".repeat(32))).toEqual({ kind: "digest", digest: DIGEST });
    expect(parseAnyReference(DIGEST)).toEqual({ kind: "digest", digest: DIGEST });
    expect(imageIdPrefix("sha256:ab12")).toBe("ab12");
    expect(imageIdPrefix("ab12")).toBe("ab12");
    expect(imageIdPrefix("xyz")).toBeUndefined();
  });

  it("adds latest and drops a tag beside a digest", () => {
    expect(formatReference(parseImageName("busybox"))).toBe("docker.io/library/busybox:latest");
    expect(formatReference(parseImageName(`busybox:1@${DIGEST}`))).toBe(`docker.io/library/busybox@${DIGEST}`);
  });

  it("matches shell patterns", () => {
    const reference = normalizeReference("user/app:v1");
    expect(matchesFamiliar("user/*", reference)).toBe(true);
    expect(matchesFamiliar("*", reference)).toBe(false);
    expect(matchesFamiliar("user/a[^x]p:v?", reference)).toBe(true);
    expect(() => matchesFamiliar("[", reference)).toThrow("syntax error");
  });
});
