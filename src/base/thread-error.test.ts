// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { TareError, isTareError } from "./errors.ts";
import { fromErrorMessage, toErrorMessage } from "./thread-error.ts";

/** As a message between threads. */
function sent(error: unknown): Error {
  return fromErrorMessage(structuredClone(toErrorMessage(error)));
}

const KNOWN: readonly (readonly [string, TareError])[] = [
  ["alone", new TareError("E_DIGEST", "checking")],
  ["with a hint", new TareError("E_DIGEST", "checking", { hint: "look" })],
  ["with details", new TareError("E_DIGEST", "checking", { details: { file: "a", line: 3 } })],
  ["with both", new TareError("E_DIGEST", "checking", { hint: "look", details: { file: "a" } })],
];

it.each(KNOWN)("a TareError %s is the same on the other thread", (_, error) => {
  const arrived = sent(error);
  if (!isTareError(arrived)) throw new Error("it lost its class");
  const facts = ({ code, message, hint, details }: TareError): unknown => ({ code, message, hint, details });
  expect(facts(arrived)).toEqual(facts(error));
});

it.each([
  ["an error of Node", Object.assign(new RangeError("too much"), { code: "ERR_OUT_OF_RANGE" }), "too much"],
  ["what is no error", "odd", "odd"],
])("%s arrives as an error without a code", (_, error, message) => {
  const arrived = sent(error);
  expect(isTareError(arrived)).toBe(false);
  expect(arrived.message).toBe(message);
});
