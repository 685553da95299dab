// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../base/index.ts";
import { planLayers } from "./layers.ts";
import type { WheelRef } from "../types.ts";

function wheel(name: string, size: number, version = "1"): WheelRef {
  const fileName = `${name}-${version}-py3-none-any.whl`;
  return { name, version, fileName, digest: digestOf(fileName), size, isRequested: false };
}

const LIGHT = (1 << 20) - 1;
const wheels = (most: number): fc.Arbitrary<WheelRef[]> =>
  fc.uniqueArray(
    fc
      .record({ name: fc.stringMatching(/^[a-z]{1,8}$/), size: fc.integer({ min: 1, max: most }) })
      .map(({ name, size }) => wheel(name, size)),
    { selector: ({ name }) => name, maxLength: 120 },
  );
const textOf = (groups: readonly (readonly WheelRef[])[]): string[] =>
  groups.map((group) => group.map(({ fileName, size }) => `${fileName} ${size}`).join(" "));

describe("planLayers", () => {
  it("has each wheel once, within the budget, whatever the order", () => {
    fc.assert(
      fc.property(wheels(5 << 20), fc.integer({ min: 1, max: 60 }), fc.nat(), (list, layers, turn) => {
        const groups = planLayers(list, { layers });
        expect(groups.length).toBeLessThanOrEqual(layers);
        expect(groups.every((group) => group.length > 0)).toBe(true);
        expect(groups.flat().map(({ name }) => name).sort()).toEqual(list.map(({ name }) => name).sort()); // prettier-ignore
        const turned = [...list.slice(turn % (list.length + 1)), ...list.slice(0, turn % (list.length + 1))];
        expect(textOf(planLayers(turned, { layers }))).toEqual(textOf(groups));
      }),
    );
  });

  it("gives heavy ones a layer of their own, heaviest lowest", () => {
    const groups = planLayers([wheel("small", 10), wheel("large", 2 << 20), wheel("huge", 9 << 20)]);
    expect(groups.map((group) => group.map(({ name }) => name))).toEqual([["huge"], ["large"], ["small"]]);
    fc.assert(
      fc.property(wheels(5 << 20), (list) => {
        const alone = planLayers(list).filter(([first]) => (first?.size ?? 0) > LIGHT);
        fc.pre(list.filter(({ size }) => size > LIGHT).length <= 40);
        expect(alone.every((group) => group.length === 1)).toBe(true);
        const sizes = alone.map(([first]) => first?.size ?? 0);
        expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
      }),
    );
  });

  it("changes one layer for another version of one wheel", () => {
    fc.assert(
      fc.property(wheels(LIGHT), fc.nat(), (list, which) => {
        fc.pre(list.length > 0);
        const at = which % list.length;
        const changed = list.map((each, index) => (index === at ? wheel(each.name, each.size, "2") : each));
        expect(newGroups(list, changed)).toBe(1);
      }),
    );
  });

  it("changes one layer for one heavy wheel that becomes another heavy one", () => {
    fc.assert(
      fc.property(wheels(LIGHT), fc.integer({ min: 1 << 20, max: 9 << 20 }), (list, size) => {
        const before = [...list, wheel("heavy-one", 3 << 20)];
        expect(newGroups(before, [...list, wheel("heavy-one", size, "2")])).toBe(1);
      }),
    );
  });

  it("moves no other wheel when one is added or removed", () => {
    fc.assert(
      fc.property(wheels(LIGHT), fc.integer({ min: 1, max: 3 << 20 }), (list, size) => {
        const more = [...list, wheel("added-one", size)];
        expect(newGroups(list, more)).toBe(1);
        expect(newGroups(more, list)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

/** Layers of `after` that `before` has not. */
function newGroups(before: readonly WheelRef[], after: readonly WheelRef[]): number {
  const known = new Set(textOf(planLayers(before)));
  return textOf(planLayers(after)).filter((text) => !known.has(text)).length;
}
