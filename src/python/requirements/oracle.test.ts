// SPDX-License-Identifier: Apache-2.0
/* Versions, specifiers and markers against Python's own `packaging` library, as testdata/oracle.py recorded it. */
import { describe, expect, it } from "vitest";
import { evaluateMarker } from "./marker-evaluation.ts";
import { formatMarker, parseMarker } from "./markers.ts";
import { matchesSpecifier } from "./specifiers.ts";
import ORACLE from "./testdata/oracle.json" with { type: "json" };
import { compareVersions, normalizeVersion } from "./versions.ts";

/** Rows for which `ours` gives another answer than the oracle. */
function differing<Row>(
  rows: readonly Row[],
  ours: (row: Row) => unknown,
  theirs: (row: Row) => unknown,
): readonly unknown[] {
  return rows.filter((row) => ours(row) !== theirs(row)).map((row) => [row, ours(row)]);
}

describe("packaging agrees", () => {
  it("on the normal form of versions", () => {
    expect(
      differing(
        ORACLE.normal,
        ([text = ""]) => normalizeVersion(text),
        ([, normal]) => normal,
      ),
    ).toEqual([]);
  });

  it("on their order", () => {
    const ours = ([a, b]: readonly unknown[]): number => Math.sign(compareVersions(String(a), String(b)));
    expect(differing(ORACLE.order, ours, ([, , order]) => order)).toEqual([]);
    expect(
      differing(
        ORACLE.order,
        ([a, b]) => -ours([b, a]),
        ([, , order]) => order,
      ),
    ).toEqual([]);
  });

  it("on what specifiers take, with pre-releases and without", () => {
    const ours =
      (prereleases: boolean | undefined) =>
      (row: readonly unknown[]): boolean =>
        matchesSpecifier(String(row[1]), String(row[0]), prereleases === undefined ? {} : { prereleases });
    expect(differing(ORACLE.specifiers, ours(true), (row) => row[2])).toEqual([]);
    expect(differing(ORACLE.specifiers, ours(undefined), (row) => row[3])).toEqual([]);
  });

  it.each([0, 1])("on markers in environment %d", (index) => {
    const environment = ORACLE.environments[index];
    if (!environment) throw new Error("no such environment");
    const ours = (row: readonly unknown[]): boolean => evaluateMarker(parseMarker(String(row[0])), environment);
    expect(differing(ORACLE.markers, ours, (row) => row[index + 1])).toEqual([]);
    const again = (row: readonly unknown[]): boolean =>
      evaluateMarker(parseMarker(formatMarker(parseMarker(String(row[0])))), environment);
    expect(differing(ORACLE.markers, again, (row) => row[index + 1])).toEqual([]);
  });
});
