// SPDX-License-Identifier: Apache-2.0
// The tables of distribution/reference's own tests, row by row.
import { describe, expect, it } from "vitest";
import type { Digest } from "../../src/base/index.ts";
import {
  familiarName,
  formatReference,
  isDomain,
  isImageIdentifier,
  matchesFamiliar,
  normalizeReference,
  parseAnyReference,
  parseCanonicalName,
  parseImageName,
  parseReference,
  referenceFromName,
  referenceName,
  sortReferences,
  withDigest,
  withTag,
} from "../../src/oci/index.ts";
import type { Reference } from "../../src/oci/index.ts";
import { Score, outcomeOf, readTable, rowsOf, textOf } from "./table-data.ts";
import type { Group, Outcome, Row } from "./table-data.ts";

const KINDS: Readonly<Record<string, string>> = {
  ErrReferenceInvalidFormat: "format",
  ErrNameEmpty: "empty",
  ErrNameContainsUppercase: "uppercase",
  ErrNameTooLong: "too-long",
  ErrNameNotCanonical: "not-canonical",
  "digest.ErrDigestInvalidLength": "digest-length",
  "digest.ErrDigestUnsupported": "digest-unsupported",
};

const groups = readTable("reference.json");

function wantedKind(row: Row): string | undefined {
  const error = row["err"];
  if (typeof error !== "object" || error === null || !("$go" in error)) return undefined;
  return KINDS[String(error.$go)] ?? String(error.$go);
}

const kindOf = (outcome: Outcome): unknown => ("error" in outcome ? outcome.details["kind"] : outcome);
const accepts = (outcome: Outcome): boolean => "value" in outcome;
const anyText = (text: string): string => {
  const parsed = parseAnyReference(text);
  return parsed.kind === "digest" ? parsed.digest : formatReference(parsed.reference);
};

function scoreNames(all: readonly Group[], score: Score): void {
  for (const [func, valid, invalid] of [
    ["TestValidateReferenceName", "validRepoNames", "invalidRepoNames"],
    ["TestValidateRemoteName", "validRepositoryNames", "invalidRepositoryNames"],
  ] as const) {
    for (const [name, wanted] of [
      [valid, true],
      [invalid, false],
    ] as const) {
      for (const row of rowsOf(all, func, name)) {
        const got = outcomeOf(() => normalizeReference(textOf(row, "value")));
        score.equal(`${func}/${name}`, row, wanted, accepts(got));
      }
    }
  }
  for (const row of rowsOf(all, "TestParseRepositoryInfo", "tests")) {
    const texts = [row["AmbiguousName"], row["FamiliarName"], row["FullName"]].filter((text) => text !== "");
    const wanted = [row["Domain"], row["RemoteName"], row["FamiliarName"], row["FullName"]];
    const got = texts.map((text) => {
      const reference = normalizeReference(String(text));
      return [reference.domain, reference.path, familiarName(reference), referenceName(reference)];
    });
    score.equal(
      "TestParseRepositoryInfo",
      row,
      texts.map(() => wanted),
      got,
    );
  }
}

function scoreForms(all: readonly Group[], score: Score): void {
  for (const row of rowsOf(all, "TestParseAnyReference", "tests")) {
    score.equal("TestParseAnyReference", row, row["Equivalent"], anyText(textOf(row, "Reference")));
  }
  for (const row of rowsOf(all, "TestNormalizedSplitHostname", "tests")) {
    const { domain, path } = normalizeReference(textOf(row, "input"));
    score.equal("TestNormalizedSplitHostname", row, [row["domain"], row["path"]], [domain, path]);
  }
  for (const row of rowsOf(all, "TestMatch", "tests")) {
    const got = matchesFamiliar(textOf(row, "pattern"), normalizeReference(textOf(row, "reference")));
    score.equal("TestMatch", row, row["expected"], got);
  }
  for (const row of rowsOf(all, "TestParseDockerRef", "tests")) {
    const got = formatReference(parseImageName(textOf(row, "input")));
    score.equal("TestParseDockerRef", row, row["expected"], got);
  }
  for (const row of rowsOf(all, "TestDomainAndPath", "tests")) {
    const { domain, path } = referenceFromName(textOf(row, "input"));
    score.equal("TestDomainAndPath", row, [row["domain"], row["path"]], [domain, path]);
  }
}

function scoreParse(all: readonly Group[], score: Score): void {
  for (const row of rowsOf(all, "TestReferenceParse", "tests")) {
    const got = outcomeOf(() => {
      const reference = parseReference(textOf(row, "input"));
      const { domain, tag = "", digest = "" } = reference;
      return [referenceName(reference), domain, tag, digest];
    });
    const wanted = [row["repository"], row["domain"] ?? "", row["tag"] ?? "", row["digest"] ?? ""];
    score.equal("TestReferenceParse", row, wantedKind(row) ?? { value: wanted }, kindOf(got));
  }
  for (const row of rowsOf(all, "TestWithNameFailure", "tests")) {
    const got = outcomeOf(() => referenceFromName(textOf(row, "input")));
    score.equal("TestWithNameFailure", row, wantedKind(row), kindOf(got));
  }
  for (const row of rowsOf(all, "TestParseNamed", "tests")) {
    const got = outcomeOf(() => {
      const { domain, path } = parseCanonicalName(textOf(row, "input"));
      return [domain, path];
    });
    score.equal("TestParseNamed", row, wantedKind(row) ?? { value: [row["domain"], row["path"]] }, kindOf(got));
  }
  for (const row of rowsOf(all, "TestSerialization", "tests")) {
    const got = outcomeOf(() => formatReference(parseReference(textOf(row, "input"))));
    score.equal("TestSerialization", row, wantedKind(row) ?? { value: row["input"] }, kindOf(got));
  }
}

function scoreBuilding(all: readonly Group[], score: Score): void {
  for (const func of ["TestWithTag", "TestWithDigest"]) {
    for (const row of rowsOf(all, func, "tests")) {
      let reference: Reference = referenceFromName(textOf(row, "name"));
      if (typeof row["tag"] === "string") reference = withTag(reference, row["tag"]);
      // The rows' digests are shorter than a sha256 digest; only the joining is scored here.
      if (typeof row["digest"] === "string") reference = withDigest(reference, row["digest"] as Digest);
      score.equal(func, row, row["combined"], formatReference(reference));
    }
  }
}

function scoreGrammar(all: readonly Group[], score: Score): void {
  for (const row of rowsOf(all, "TestDomainRegexp", "tests")) {
    score.equal("TestDomainRegexp", row, row["match"], isDomain(textOf(row, "input")));
  }
  for (const row of rowsOf(all, "TestIdentifierRegexp", "tests")) {
    score.equal("TestIdentifierRegexp", row, row["match"], isImageIdentifier(textOf(row, "input")));
  }
  for (const func of ["TestFullNameRegexp", "BenchmarkParse"]) {
    for (const row of rowsOf(all, func, "tests")) {
      const got = outcomeOf(() => referenceFromName(textOf(row, "input")));
      const parts = "value" in got ? [(got.value as Reference).domain, (got.value as Reference).path] : undefined;
      score.equal(func, row, [row["match"], row["subs"] ?? parts], [accepts(got), parts]);
    }
  }
  for (const row of rowsOf(all, "TestReferenceRegexp", "tests")) {
    const got = outcomeOf(() => {
      const reference = parseReference(textOf(row, "input"));
      return [referenceName(reference), reference.tag ?? "", reference.digest ?? ""];
    });
    const wanted = row["match"] === true ? row["subs"] : false;
    score.equal("TestReferenceRegexp", row, wanted, "value" in got ? got.value : false);
  }
}

/** The rows name references by constructors such as `r1("name", "tag", 1)`; the number stands for a digest. */
function sortText(value: unknown): string {
  if (typeof value === "string") return value;
  const code = String((value as Row)["$go"]);
  const [, kind = "", list = ""] = /^(\w+)\((.*)\)$/.exec(code) ?? [];
  const words = list.split(",").map((word) => word.trim().replaceAll('"', ""));
  const digest = `sha256:${(words.at(-1) ?? "").padStart(64, "0")}`;
  const name = `docker.io/library/${words[0] ?? ""}`;
  if (kind === "digested") return digest;
  if (kind === "r1") return `${name}:${words[1] ?? ""}@${digest}`;
  return kind === "r2" ? `${name}:${words[1] ?? ""}` : `${name}@${digest}`;
}

function scoreSorting(all: readonly Group[], score: Score): void {
  for (const row of rowsOf(all, "TestReferenceSorting", "range")) {
    const [unsorted, expected] = [row["unsorted"], row["expected"]].map((list) => (list as unknown[]).map(sortText));
    score.equal("TestReferenceSorting", row, expected, sortReferences(unsorted ?? []));
  }
}

describe.skipIf(groups === undefined)("reference tables", () => {
  it("every row gives what distribution/reference gives", () => {
    const score = new Score();
    const all = groups ?? [];
    for (const part of [scoreNames, scoreForms, scoreParse, scoreBuilding, scoreGrammar, scoreSorting])
      part(all, score);
    expect(score.report("references")).toBe(1);
  });
});
