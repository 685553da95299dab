// SPDX-License-Identifier: Apache-2.0
/* Mutated archives must mean to us what they mean to Python's tarfile, or be refused: two views hide content. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import { TarWriter, byteName, readTar } from "./index.ts";
import type { TarFields } from "./index.ts";

const ROUNDS = 400;
const SCRIPT = `
import io, json, struct, sys, tarfile
names = {b"5": "directory", b"1": "hardlink", b"2": "symlink", b"3": "char", b"4": "block", b"6": "fifo"}
data, answers = sys.stdin.buffer.read(), []
size = struct.unpack("<I", data[:4])[0]
for at in range(4, len(data), size):
    try:
        with tarfile.open(fileobj=io.BytesIO(data[at:at + size]), encoding="utf-8", errors="surrogateescape") as tar:
            answers.append([[m.name.encode("utf-8", "surrogateescape").decode("latin1"), names.get(m.type, "file"),
                             m.size if m.isreg() else 0] for m in tar])
    except Exception as error:
        answers.append(str(error))
json.dump(answers, sys.stdout)
`;

const hasPython = ((): boolean => {
  try {
    execFileSync("python3", ["-c", "import tarfile"]);
    return true;
  } catch {
    console.log("skipped: no python3 to compare with");
    return false;
  }
})();

async function sample(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const writer = new TarWriter({ write: (chunk) => void chunks.push(Buffer.from(chunk)) });
  const add = async (fields: Partial<TarFields> & { name: string }, body = ""): Promise<void> => {
    await writer.entry({ type: "file", mode: 0o644, mtime: 5, size: body.length, ...fields });
    await writer.write(Buffer.from(body));
  };
  await add({ type: "directory", name: "d" });
  await add({ name: "d/f" }, "x".repeat(700));
  await add({ name: "é".repeat(60), xattrs: new Map([["user.a", Buffer.from("b")]]) }, "y".repeat(20));
  await add({ type: "symlink", name: "s", linkName: "z".repeat(120) });
  await add({ type: "hardlink", name: "h", linkName: "d/f" });
  await add({ name: "last" }, "inner");
  await writer.finish();
  return Buffer.concat(chunks).subarray(0, writer.size);
}

/** Changes some bytes and makes the checksums fit again. */
function mutate(data: Buffer, random: (below: number) => number): Buffer {
  const mutated = Buffer.from(data);
  for (let count = random(3); count >= 0; count -= 1) {
    mutated[random(mutated.length)] = random(2) === 0 ? 48 + random(8) : random(256);
  }
  for (let at = 0; at < mutated.length; at += 512) {
    if (mutated.toString("latin1", at + 257, at + 262) !== "ustar") continue;
    let sum = 256;
    for (let index = 0; index < 512; index += 1) if (index < 148 || index > 155) sum += mutated[at + index] ?? 0;
    mutated.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
  }
  return mutated;
}

async function list(data: Buffer): Promise<unknown> {
  async function* once(): AsyncGenerator<Uint8Array> {
    yield data;
  }
  const entries: unknown[] = [];
  try {
    for await (const entry of readTar(once())) {
      entries.push([byteName(entry.name, entry.rawName).replace(/\/+$/, ""), entry.type, entry.size]);
    }
    return entries;
  } catch (error) {
    if (isTareError(error)) return error.code;
    throw error;
  }
}

describe.runIf(hasPython)("differential", () => {
  it("agrees with Python's tarfile on mutated archives, or refuses them", async () => {
    let seed = 11;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    const data = await sample();
    const archives = Array.from({ length: ROUNDS }, () => mutate(data, random));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(data.length);
    const input = Buffer.concat([size, ...archives]);
    const answers: unknown[] = JSON.parse(execFileSync("python3", ["-c", SCRIPT], { input, encoding: "utf8" }));
    let compared = 0;
    for (const [index, archive] of archives.entries()) {
      const ours = await list(archive);
      if (typeof ours === "string") continue;
      expect(ours).toEqual(answers[index]);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(ROUNDS / 2);
  });
});
