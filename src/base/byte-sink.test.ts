// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeToPath } from "./byte-sink.ts";

let folder = "";
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-sink-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

describe("writing a file by pieces", () => {
  it("shows the whole or the old content, and leaves nothing beside it", async () => {
    fs.writeFileSync(at("file"), "old");
    const failing = writeToPath(at("file"), async (sink) => {
      await sink.write(Buffer.from("half"));
      expect(fs.readFileSync(at("file"), "utf8")).toBe("old");
      throw new Error("stopped");
    });
    await expect(failing).rejects.toThrow("stopped");
    expect(fs.readFileSync(at("file"), "utf8")).toBe("old");
    await writeToPath(at("file"), async (sink) => {
      await sink.write(Buffer.from("new "));
      await sink.write(Buffer.from("content"));
    });
    expect(fs.readFileSync(at("file"), "utf8")).toBe("new content");
    expect(fs.readdirSync(folder)).toEqual(["file"]);
  });

  it("writes into a pipe or device instead of taking its place", async () => {
    expect(spawnSync("mkfifo", [at("pipe")]).status).toBe(0);
    // Open for both, so that neither side waits.
    const reader = fs.openSync(at("pipe"), fs.constants.O_RDWR);
    await writeToPath(at("pipe"), async (sink) => sink.write(Buffer.from("through")));
    const buffer = Buffer.alloc(20);
    expect(buffer.toString("utf8", 0, fs.readSync(reader, buffer))).toBe("through");
    fs.closeSync(reader);
    expect(fs.statSync(at("pipe")).isFIFO()).toBe(true);
  });

  it("says which file could not be written", async () => {
    const write = writeToPath(at("no/such/folder"), async () => undefined);
    await expect(write).rejects.toMatchObject({ code: "E_IO", message: expect.stringContaining(at("no/such/folder")) });
  });
});
