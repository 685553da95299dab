// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { digestOf, isTareError } from "../../base/index.ts";
import { provenanceOf } from "./provenance.ts";
import type { BuildFacts } from "./provenance.ts";
import { formatStatement, isAbout, parseStatement, predicateTypeOf } from "./statement.ts";

const FACTS: BuildFacts = {
  frontend: "dockerfile",
  dockerfile: { name: "Dockerfile", digest: digestOf("FROM a"), text: "FROM a" },
  target: "app",
  platform: "linux/amd64",
  buildArgs: { B: "https://ann:pw@x.test/", A: "1", MY_TOKEN: "hunter2", HTTP_PROXY: "http://p", AUTHOR: "Ann" },
  labels: { l: "v" },
  secrets: ["pip", "netrc"],
  ssh: ["default"],
  locals: [{ name: "context", digest: digestOf("context") }],
  images: [{ name: "docker.io/library/python:3.11", manifest: digestOf("python"), platform: "linux/amd64" }],
  downloads: [{ url: "https://u:p@x.test/f", checksum: `sha256:${"a".repeat(64)}` }, { url: "https://x.test/g" }],
  repositories: [{ url: "https://x.test/r.git", ref: "v1", checksum: "c".repeat(40) }],
  wheels: [
    { name: "n", version: "1", fileName: "n-1-py3-none-any.whl", digest: digestOf("n"), url: "https://i.test/n.whl" },
    { name: "m", version: "2", fileName: "m-2-py3-none-any.whl", digest: digestOf("m") },
  ],
};
const tool = { name: "tare", version: "0.1.0" };

interface Predicate {
  readonly buildDefinition: {
    readonly externalParameters: { readonly request: Readonly<Record<string, unknown>> };
    readonly resolvedDependencies: readonly { readonly uri: string; readonly digest?: unknown }[];
  };
  readonly runDetails: { readonly builder: { readonly id: string }; readonly metadata?: unknown };
}

const read = (mode: "min" | "max", facts = FACTS): Predicate =>
  provenanceOf(facts, { mode, tool }) as unknown as Predicate;

describe("provenance", () => {
  it("of `min` has no values of build arguments, no names of secrets, no text", () => {
    const { buildDefinition, runDetails } = read("min");
    expect(buildDefinition.externalParameters.request).toEqual({
      frontend: "dockerfile",
      args: { target: "app" },
      locals: [{ name: "context" }],
    });
    expect(runDetails).toEqual({ builder: { id: "urn:tare", version: { tare: "0.1.0" } } });
  });

  it("of `max` has them, without what looks like a secret, logins and proxies", () => {
    expect(read("max").buildDefinition.externalParameters.request).toEqual({
      frontend: "dockerfile",
      args: {
        "build-arg:A": "1",
        "build-arg:AUTHOR": "Ann",
        "build-arg:B": "https://****@x.test/",
        "build-arg:MY_TOKEN": "<left out>",
        "label:l": "v",
        target: "app",
      },
      secrets: [{ id: "netrc" }, { id: "pip" }],
      ssh: [{ id: "default" }],
      locals: [{ name: "context" }],
    });
  });

  it.each(["pw", "u:p", "hunter2"])("never holds `%s`", (secret) => {
    for (const mode of ["min", "max"] as const) expect(JSON.stringify(read(mode))).not.toContain(secret);
  });

  it("names all that went in, with digests", () => {
    const hex = (text: string): object => ({ sha256: digestOf(text).slice(7) });
    const { resolvedDependencies } = read("min").buildDefinition;
    expect(resolvedDependencies).toHaveLength(7);
    for (const each of [
      {
        uri: `pkg:docker/docker.io/library/python@3.11?digest=${digestOf("python")}&platform=linux/amd64`,
        digest: hex("python"),
      },
      { uri: "urn:tare:context:context", digest: hex("context"), name: "context" },
      { uri: "https://****@x.test/f", digest: { sha256: "a".repeat(64) } },
      { uri: "https://x.test/g" },
      { uri: "https://x.test/r.git#v1", digest: { gitCommit: "c".repeat(40) } },
      { uri: "https://i.test/n.whl", digest: hex("n"), name: "n-1-py3-none-any.whl" },
      { uri: "pkg:pypi/m@2?file_name=m-2-py3-none-any.whl", digest: hex("m"), name: "m-2-py3-none-any.whl" },
    ])
      expect(resolvedDependencies).toContainEqual(each);
  });

  it("does not depend on the order of what went in", () => {
    const other = { ...FACTS, wheels: FACTS.wheels.toReversed(), downloads: FACTS.downloads.toReversed() };
    expect(JSON.stringify(read("max", other))).toBe(JSON.stringify(read("max")));
  });
});

describe("statements", () => {
  const digest = digestOf("manifest");
  it("come back as they were written", () => {
    const bytes = formatStatement({ name: "app", digest }, { predicateType: "https://x.test/p", predicate: { a: 1 } });
    const read = parseStatement(bytes.toString());
    expect(read).toEqual({
      subjects: [{ name: "app", sha256: digest.slice(7) }],
      predicateType: "https://x.test/p",
      predicate: { a: 1 },
    });
    expect([isAbout(read, digest), isAbout(read, digestOf("other"))]).toEqual([true, false]);
  });

  const good = { _type: "https://in-toto.io/Statement/v1", subject: [{ digest: {} }], predicateType: "p" };
  it.each([
    ["no JSON", "x", "E_MANIFEST"],
    ["a list", "[]", "E_SIGNATURE"],
    ["another type", JSON.stringify({ ...good, _type: "x" }), "E_SIGNATURE"],
    ["a type with a toString of its own", JSON.stringify({ ...good, _type: { toString: 1 } }), "E_SIGNATURE"],
    ["no subject", JSON.stringify({ ...good, subject: [] }), "E_SIGNATURE"],
    ["no predicate type", JSON.stringify({ ...good, predicateType: 1 }), "E_SIGNATURE"],
    ["a key twice", '{"_type":1,"_type":2}', "E_MANIFEST"],
  ])("are refused: %s", (_, text, code) => {
    expect(() => parseStatement(text)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it("have types by name or URI", () => {
    expect(predicateTypeOf("spdx")).toBe("https://spdx.dev/Document");
    expect(predicateTypeOf("https://x.test/p")).toBe("https://x.test/p");
    try {
      predicateTypeOf("nothing");
      expect.unreachable();
    } catch (error) {
      expect(isTareError(error, "E_USAGE")).toBe(true);
    }
  });
});
