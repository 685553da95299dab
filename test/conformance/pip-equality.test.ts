// SPDX-License-Identifier: Apache-2.0
/* Tare installs what pip installs. */
import { describe, expect, it } from "vitest";
import { TEST_WHEELS, fetchWheels, whyNoWheels } from "../support/wheels.ts";

const reason = whyNoWheels();
if (reason !== undefined) console.log(`skipped: the same result as pip: ${reason}`);

describe.skipIf(reason !== undefined)("the same result as pip", () => {
  it("has its wheels", async () => {
    expect(await fetchWheels(TEST_WHEELS)).toHaveLength(TEST_WHEELS.length);
  });
});
