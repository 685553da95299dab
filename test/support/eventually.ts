// SPDX-License-Identifier: Apache-2.0
import { expect } from "vitest";

/** What is looked at again and again, for 20 seconds, until it is as the assertion that follows says. */
export function eventually<T>(look: () => T): ReturnType<typeof expect.poll<Awaited<T>>> {
  return expect.poll(look, { timeout: 20_000, interval: 50 });
}
