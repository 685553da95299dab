// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packConfined, packTree } from "./index.ts";

const nowhere = { write: () => undefined };
let folder = "";

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-turns-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** Fires when a timer does: never while the work gives nobody a turn. */
function soon(): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 50);
  return controller.signal;
}

describe("an interrupt is heard while one file of many GB is written to where writing takes no time", () => {
  beforeEach(() => {
    fs.writeFileSync(join(folder, "large"), "");
    fs.truncateSync(join(folder, "large"), 16 * 2 ** 30);
  });

  it("by packTree", async () => {
    await expect(packTree(folder, nowhere, { signal: soon() })).rejects.toMatchObject({ code: "E_ABORTED" });
  });

  it("by packConfined", async () => {
    const directory = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      const packed = packConfined({ directory, base: "." }, nowhere, { signal: soon() });
      await expect(packed).rejects.toMatchObject({ code: "E_ABORTED" });
    } finally {
      fs.closeSync(directory);
    }
  });
});
