// SPDX-License-Identifier: Apache-2.0
/*
 * Machines and images of public bug reports: the check has to say of each what its users found out. `thread` is where
 * they did, `assumed` what the report does not tell.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shippedGpuData } from "../data/load.ts";
import { checkImage } from "./check-image.ts";
import type { GpuFinding, GpuTarget, ImageNeeds } from "../types.ts";

interface FleetCase {
  readonly name: string;
  readonly thread: string;
  readonly outcome: string;
  readonly target: Omit<GpuTarget, "name">;
  readonly needs: Partial<ImageNeeds>;
  readonly verdict: GpuFinding["level"];
  readonly rule: string;
  readonly says: string;
  readonly fix?: string;
}

const FLEET = JSON.parse(readFileSync(new URL("testdata/fleet.json", import.meta.url), "utf8")) as readonly FleetCase[];

const data = await shippedGpuData();

function findingsOf({ target, needs, name }: FleetCase): readonly GpuFinding[] {
  return checkImage({ name, ...target }, { image: "example", env: {}, packages: [], ...needs }, data);
}

/** The worst that was found; what is unknown does not count. */
function verdictOf(findings: readonly GpuFinding[]): string {
  const levels = findings.map(({ level }) => level);
  return levels.includes("error") ? "error" : levels.includes("warning") ? "warning" : "ok";
}

describe("the fleet of reported machines", () => {
  it("has thirty cases or more, each with its thread", () => {
    expect(FLEET.length).toBeGreaterThanOrEqual(30);
    for (const each of FLEET)
      expect(each.thread).toMatch(/^https:\/\/github\.com\/[^/]+\/[^/]+\/(?:issues|pull)\/\d+$/);
    expect(new Set(FLEET.map(({ name }) => name)).size).toBe(FLEET.length);
  });

  it.each(FLEET)("$name: $outcome", (each) => {
    const findings = findingsOf(each);
    const text = findings
      .map(({ level, rule, message, fix }) => `${level} ${rule}: ${message} -> ${fix ?? ""}`)
      .join("\n");
    expect(verdictOf(findings), text).toBe(each.verdict);
    const found = findings.filter(({ rule, level }) => rule === each.rule && level === each.verdict);
    expect(found.length, text).toBeGreaterThan(0);
    expect(found.map(({ message }) => message).join("\n")).toMatch(new RegExp(each.says));
    if (each.fix !== undefined) expect(found.map(({ fix }) => fix).join("\n")).toMatch(new RegExp(each.fix));
    if (each.verdict !== "ok")
      expect(
        found.every(({ fix }) => fix !== undefined),
        text,
      ).toBe(true);
  });
});
