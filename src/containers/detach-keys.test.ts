// SPDX-License-Identifier: Apache-2.0
import { array, assert, property, stringMatching } from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_DETACH_KEYS, DetachKeys } from "./detach-keys.ts";

const P = "\u0010";
const Q = "\u0011";

function type(keys: readonly number[], ...chunks: readonly string[]): { text: string; isDetached: boolean } {
  const watch = new DetachKeys(keys);
  let text = "";
  for (const chunk of chunks) {
    const { data, isDetached } = watch.feed(Buffer.from(chunk));
    text += data.toString();
    if (isDetached) return { text, isDetached };
  }
  return { text, isDetached: false };
}

describe("detach keys", () => {
  it.each([
    ["nothing of the kind", ["ls\r"], "ls\r", false],
    ["both in one piece", [`ls${P}${Q}more`], "ls", true],
    ["both in two pieces", [`ls${P}`, Q], "ls", true],
    ["the first, and another", [P, "x"], `${P}x`, false],
    ["the first twice, then the second", [P, P, Q], P, true],
    ["the first twice, and another", [`${P}${P}x`], `${P}${P}x`, false],
    ["the second alone", [Q], Q, false],
    ["the first alone waits for the next", [P], "", false],
  ])("%s", (_name, chunks, text, isDetached) => {
    expect(type(DEFAULT_DETACH_KEYS, ...chunks)).toEqual({ text, isDetached });
  });

  it("of one key", () => {
    expect(type([4], "ab\u0004c")).toEqual({ text: "ab", isDetached: true });
  });

  it("that are none pass everything", () => {
    expect(type([], `${P}${Q}`)).toEqual({ text: `${P}${Q}`, isDetached: false });
  });

  it("lose nothing of what was typed, however it comes in pieces", () => {
    assert(
      property(array(stringMatching(/^[\u0010\u0011a]{0,5}$/)), (chunks) => {
        const whole = chunks.join("");
        const at = whole.indexOf(P + Q);
        const { text, isDetached } = type(DEFAULT_DETACH_KEYS, ...chunks);
        expect(isDetached).toBe(at >= 0);
        if (at >= 0) expect(text).toBe(whole.slice(0, at));
        else expect(text + (whole.endsWith(P) ? P : "")).toBe(whole);
      }),
    );
  });
});
