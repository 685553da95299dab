// SPDX-License-Identifier: Apache-2.0
/*
 * Generated traversal archives: every type of entry by every trick, in one layer and across two. Each is extracted
 * into a root between canaries; the error may differ, but nothing outside may change and no run may crash.
 */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isTareError, linux } from "../base/index.ts";
import { TarWriter, extractLayer, readTar } from "./index.ts";
import type { ExtractResult, TarFields, TarType, Xattrs } from "./index.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("not root: device nodes and owners are not tried");

let base = "";
const outside = (): string => join(base, "outside");
const root = (): string => join(base, "root");

beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), "tare-hostile-"));
  fs.mkdirSync(join(outside(), "folder"), { recursive: true });
  fs.writeFileSync(join(outside(), "canary"), "untouched", { mode: 0o600 });
  fs.writeFileSync(join(outside(), "folder/inner"), "untouched");
  fs.mkdirSync(join(base, "rootevil"));
});
afterAll(() => fs.rmSync(base, { recursive: true, force: true }));

type Fields = Partial<TarFields> & { name: string; body?: string };

async function archive(...entries: readonly Fields[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const writer = new TarWriter({ write: (chunk) => void chunks.push(Buffer.from(chunk)) });
  for (const { body = "", ...fields } of entries) {
    await writer.entry({ type: "file", mode: 0o644, mtime: 1, size: body.length, ...fields });
    if (fields.type === undefined || fields.type === "file") await writer.write(Buffer.from(body));
  }
  await writer.finish();
  return Buffer.concat(chunks);
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}

const extract = (data: Uint8Array, mode: "overlay" | "plain" = "overlay"): Promise<ExtractResult> =>
  extractLayer(once(data), root(), { mode });

const fresh = (): void => {
  fs.rmSync(root(), { recursive: true, force: true });
  fs.mkdirSync(root());
};

/** Everything about the surroundings that an escape could change. */
function surroundings(): string {
  const lines: string[] = [];
  const walk = (path: string): void => {
    const stat = fs.lstatSync(path, { bigint: true });
    const content = stat.isFile() ? fs.readFileSync(path, "utf8") : "";
    const facts = [stat.mode, stat.uid, stat.gid, stat.nlink, stat.ino, stat.mtimeNs, stat.ctimeNs];
    lines.push([path, ...facts, content, ...linux.llistxattr(path)].join(" "));
    if (stat.isDirectory()) for (const name of fs.readdirSync(path).sort()) walk(join(path, name));
  };
  walk(outside());
  walk(join(base, "rootevil"));
  lines.push(
    fs
      .readdirSync(base)
      .filter((name) => name !== "root")
      .sort()
      .join(" "),
  );
  return lines.join("\n");
}

const codeOf = async (action: Promise<unknown>): Promise<string> => {
  try {
    await action;
    return "done";
  } catch (error) {
    if (isTareError(error)) return error.code;
    throw error;
  }
};

const TYPES: readonly TarType[] = ["file", "directory", "symlink", "hardlink", "fifo", "char"];

/** The entry that tries to get out: its link target too, where it has one. */
const attack = (type: TarType, name: string, target: string): Fields => ({
  type,
  name,
  body: type === "file" ? "escaped" : "",
  mode: 0o777,
  uid: 4242,
  ...(type === "symlink" || type === "hardlink" ? { linkName: target } : {}),
  ...(type === "char" ? { deviceMajor: 1, deviceMinor: 3 } : {}),
});

/** Entries that come first, and the name that the attack then uses. */
interface Trick {
  readonly plant: (out: string) => readonly Fields[];
  readonly name: (out: string) => string;
}

const link = (name: string, linkName: string): Fields => ({ type: "symlink", name, linkName });
const folder = (name: string): Fields => ({ type: "directory", name, mode: 0o755 });
const nothing = (): Fields[] => [];
const up = "../".repeat(12);

const TRICKS: Readonly<Record<string, Trick>> = {
  "dot dot": { plant: nothing, name: () => "../outside/canary" },
  "many dot dots": { plant: nothing, name: (out) => `${up}${out}/canary` },
  "dot dot inside": { plant: () => [folder("a")], name: () => "a/../../outside/canary" },
  absolute: { plant: nothing, name: (out) => `${out}/canary` },
  "double slash": { plant: nothing, name: (out) => `//${out}//canary` },
  "absolute link": { plant: (out) => [link("l", out)], name: () => "l/canary" },
  "relative link": { plant: () => [link("l", "../outside")], name: () => "l/canary" },
  "link onto itself": { plant: (out) => [link("l", `${out}/canary`)], name: () => "l" },
  "link with slash": { plant: (out) => [link("l", `${out}/folder`)], name: () => "l/" },
  "link chain": {
    plant: () => [
      folder("a"),
      folder("a/b"),
      folder("a/b/c"),
      link("a/b/c/up", "../.."),
      link("a/b/escape", "c/up/../.."),
    ],
    name: () => "a/b/escape/outside/canary",
  },
  "two links": { plant: (out) => [link("x", "y"), link("y", out)], name: () => "x/canary" },
  "link loop": { plant: () => [link("x", "y"), link("y", "x")], name: () => "x/canary" },
  "link to dot dot": { plant: () => [link("p", "..")], name: () => "p/outside/canary" },
  "link to proc": { plant: () => [link("p", "/proc/self/cwd")], name: () => "p/canary" },
  "hard-linked link": {
    plant: (out) => [link("l", out), { type: "hardlink", name: "h", linkName: "l" }],
    name: () => "h/canary",
  },
  "replaced folder": { plant: (out) => [folder("d"), folder("d/e"), link("d", out)], name: () => "d/folder/inner" },
  "replaced deep folder": {
    plant: (out) => [
      folder("d"),
      { name: "d/f", body: "1" },
      { type: "hardlink", name: "d", linkName: "d/f" },
      link("d", out),
    ],
    name: () => "d/canary",
  },
  "root by dot": { plant: nothing, name: () => "." },
  "root by slash": { plant: nothing, name: () => "/" },
  "root by two": { plant: nothing, name: () => ".//./" },
  "own name": { plant: nothing, name: () => "../root" },
  "sibling prefix": { plant: () => [link("s", "../rootevil")], name: () => "s/x" },
  newline: { plant: () => [link("a\nb", "../outside")], name: () => "a\nb/canary" },
  "not UTF-8": { plant: () => [link("\xff\xfe", "../outside")], name: () => "\xff\xfe/canary" },
  "255 bytes": { plant: () => [link("n".repeat(255), "../outside")], name: () => `${"n".repeat(255)}/canary` },
  "256 bytes": { plant: nothing, name: () => `${"n".repeat(256)}/../../../outside/canary` },
  "4096 bytes": { plant: nothing, name: (out) => `${"./".repeat(2020)}../..${out}/canary` },
  "long by PAX": { plant: (out) => [link("l", out)], name: () => `${"./".repeat(120)}l/canary` },
};

describe("traversal", () => {
  for (const [trick, { plant, name }] of Object.entries(TRICKS)) {
    for (const type of TYPES) {
      it(`${type} by ${trick} stays inside`, async () => {
        const before = surroundings();
        for (const mode of ["overlay", "plain"] as const) {
          const bad = attack(type, name(outside()), `${up}${outside()}/canary`);
          fresh();
          await codeOf(extract(await archive(...plant(outside()), bad), mode));
          fresh();
          await codeOf(extract(await archive(...plant(outside())), mode));
          await codeOf(extract(await archive(bad), mode));
        }
        expect(surroundings()).toBe(before);
      });
    }
  }

  it("has hard links outside refused by name", async () => {
    for (const target of ["../outside/canary", `${outside()}/canary`, "l", "x/canary"]) {
      fresh();
      const planted = target === "l" ? [link("x", outside())] : [link("x", "../outside")];
      const data = await archive(...planted, { type: "hardlink", name: "h", linkName: target });
      expect(["E_TAR_ESCAPE", "E_TAR_LINK"]).toContain(await codeOf(extract(data)));
    }
  });

  it("refuses a root that is no directory", async () => {
    for (const name of [".", "/", "./", "//"]) {
      for (const type of TYPES.filter((one) => one !== "directory")) {
        fresh();
        expect(await codeOf(extract(await archive(attack(type, name, "x"))))).toBe("E_TAR_ROOT");
      }
    }
  });
});

const xattr = (name: string): Xattrs => new Map([[name, Buffer.from("y")]]);

const WHITEOUTS: readonly (readonly [string, Fields[], string])[] = [
  ["empty name", [{ name: ".wh." }], "E_WHITEOUT"],
  ["dot", [{ name: ".wh.." }], "E_WHITEOUT"],
  ["dot dot", [{ name: "a/.wh..." }], "E_WHITEOUT"],
  ["of a whiteout", [{ name: ".wh..wh.x" }], "E_WHITEOUT"],
  ["with a child", [{ name: ".wh.a/b" }], "E_WHITEOUT"],
  ["as a directory", [folder(".wh.a")], "E_WHITEOUT"],
  ["as a link", [link(".wh.a", "/etc")], "E_WHITEOUT"],
  ["opaque as a directory", [folder("a/.wh..wh..opq")], "E_WHITEOUT"],
  ["opaque on a file", [{ name: "a", body: "1" }, { name: "a/.wh..wh..opq" }], "E_TAR_NOTDIR"],
  ["below a file", [{ name: "a", body: "1" }, { name: "a/.wh.b" }], "E_TAR_NOTDIR"],
  ["0:0 device", [{ type: "char", name: "a" }], "E_TAR_FORGED"],
  ["trusted.overlay.opaque", [{ ...folder("a"), xattrs: xattr("trusted.overlay.opaque") }], "E_TAR_FORGED"],
  ["trusted.overlay.redirect", [{ ...folder("a"), xattrs: xattr("trusted.overlay.redirect") }], "E_TAR_FORGED"],
  ["user.overlay.metacopy", [{ name: "a", xattrs: xattr("user.overlay.metacopy") }], "E_TAR_FORGED"],
  ["hard link to a whiteout", [{ name: ".wh.a" }, { type: "hardlink", name: "b", linkName: "a" }], "E_TAR_LINK"],
  ["old aufs files", [{ name: ".wh..wh.aufs" }, { name: ".wh..wh.plnk/1.2", body: "x" }], "done"],
];

describe("whiteouts", () => {
  for (const [name, entries, code] of WHITEOUTS) {
    it(`${name}: ${code}`, async () => {
      fresh();
      expect(await codeOf(extract(await archive(...entries)))).toBe(code);
    });
  }

  const kinds = (): string[] => {
    const mark = isRoot ? "trusted.overlay.opaque" : "user.overlay.opaque";
    const found: string[] = [];
    const walk = (path: string, name: string): void => {
      const stat = fs.lstatSync(path);
      if (stat.isCharacterDevice()) found.push(`${name} deleted`);
      else if (!stat.isDirectory()) found.push(name);
      else {
        found.push(`${name}/${linux.lgetxattr(path, mark) === undefined ? "" : " opaque"}`);
        for (const child of fs.readdirSync(path).sort())
          walk(join(path, child), name === "" ? child : `${name}/${child}`);
      }
    };
    walk(root(), "");
    return found;
  };

  it("hide lower content only, whatever the order in the layer", async () => {
    const parts: Fields[] = [folder("d"), { name: "d/kept", body: "1" }, { name: ".wh.d" }, { name: "d/.wh.gone" }];
    const expected = ["/", "d/ opaque", "d/gone deleted", "d/kept"];
    for (const order of [
      [0, 1, 2, 3],
      [2, 0, 1, 3],
      [2, 0, 3, 1],
    ]) {
      fresh();
      const result = await extract(await archive(...order.map((index) => parts[index] ?? folder("x"))));
      expect(kinds()).toEqual(expected);
      expect(result).toMatchObject({ opaque: ["d"], whiteouts: 1 });
    }
  });

  it("keep a file of the same layer, and make missing parents", async () => {
    fresh();
    const data = await archive(
      { name: "f", body: "1" },
      { name: ".wh.f" },
      { name: "a/b/.wh.c" },
      { name: "a/.wh..wh..opq" },
    );
    const result = await extract(data);
    expect(kinds()).toEqual(["/", "a/ opaque", "a/b/", "a/b/c deleted", "f"]);
    expect(result).toMatchObject({ implied: ["a", "a/b"], whiteouts: 1, opaque: ["a"] });
  });

  it("turn into an opaque directory when something is put below them", async () => {
    fresh();
    await extract(await archive({ name: ".wh.d" }, { name: "d/new", body: "1" }));
    expect(kinds()).toEqual(["/", "d/ opaque", "d/new"]);
  });

  it("mean nothing in a plain archive", async () => {
    fresh();
    await extract(await archive({ name: ".wh.x", body: "1" }), "plain");
    expect(kinds()).toEqual(["/", ".wh.x"]);
  });
});

describe("lies and bombs", () => {
  const patched = async (change: (data: Buffer) => void): Promise<Buffer> => {
    const data = await archive({ name: "a", body: "x".repeat(600) }, { name: "b", body: "y" });
    change(data);
    let sum = 256;
    for (let at = 0; at < 512; at += 1) if (at < 148 || at > 155) sum += data[at] ?? 0;
    data.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    return data;
  };
  const cases: readonly (readonly [string, (data: Buffer) => void, string])[] = [
    ["a size beyond the end", (data) => void data.write("00000777777\0", 124), "E_TAR_TRUNC"],
    ["a size that is too small", (data) => void data.write("00000000001\0", 124), "E_TAR_HEADER"],
    ["a negative size", (data) => void data.fill(255, 124, 136), "E_TAR_HEADER"],
    ["a size above 2^53", (data) => void data.fill(127, 125, 136).fill(128, 124, 125), "E_TAR_HEADER"],
    ["a size that is no number", (data) => void data.write("12x", 124), "E_TAR_HEADER"],
    ["an owner of 2^32-1", (data) => void Buffer.from("80000000ffffffff", "hex").copy(data, 108), "E_TAR_HEADER"],
    ["a time of 2^63", (data) => void Buffer.from("80000000800000000000ffff", "hex").copy(data, 136), "E_TAR_HEADER"],
    ["an unknown type", (data) => void data.write("Z", 156), "E_TAR_HEADER"],
    ["a multi-volume part", (data) => void data.write("M", 156), "E_TAR_HEADER"],
    ["no name", (data) => void data.fill(0, 0, 100), "E_TAR_HEADER"],
    ["a PAX header with rubbish", (data) => void data.write("x", 156), "E_TAR_PAX"],
    ["a long name that is too long", (data) => void data.write("L", 156), "E_TAR_LIMIT"],
  ];
  for (const [name, change, code] of cases) {
    it(`${name}: ${code}`, async () => {
      fresh();
      expect(await codeOf(extract(await patched(change)))).toBe(code);
    });
  }

  it("an archive cut anywhere is noticed, or ends between two entries", async () => {
    const data = await archive({ name: "a", body: "x".repeat(600) }, { name: "b".repeat(120), body: "y" });
    for (let length = 1; length < data.length - 512; length += 97) {
      fresh();
      const code = await codeOf(extract(data.subarray(0, length)));
      expect(["E_TAR_TRUNC", "E_TAR_MAGIC", ...(length % 512 === 0 ? ["done"] : [])]).toContain(code);
    }
    const strict = extractLayer(once(data.subarray(0, 1536)), root(), { mode: "plain", limits: { requireEnd: true } });
    expect(await codeOf(strict)).toBe("E_TAR_TRUNC");
  });

  it("other files are no tar", async () => {
    for (const start of ["PK\x03\x04", "\x1f\x8b\x08", "hello", "<html>"]) {
      const data = Buffer.alloc(2048, 65);
      data.write(start, 0, "latin1");
      const answer = await extract(data).catch((error: unknown) => error);
      expect(answer).toMatchObject({ code: "E_TAR_MAGIC" });
      if (start.startsWith("PK")) expect(String(answer)).toContain("it looks like a zip");
      expect(await codeOf(extract(Buffer.from(start)))).toBe("E_TAR_MAGIC");
    }
  });

  it("limits count, depth, lengths, PAX size and content", async () => {
    const deep = `${"d/".repeat(1100)}f`;
    const big: Xattrs = new Map([["user.big", Buffer.alloc(1 << 20)]]);
    const run = async (data: Buffer, options: object): Promise<string> => {
      fresh();
      return codeOf(extractLayer(once(data), root(), { mode: "plain", ...options }));
    };
    expect(await run(await archive({ name: deep }), {})).toBe("E_TAR_LIMIT");
    expect(await run(await archive({ name: "n".repeat(256) }), {})).toBe("E_TAR_LIMIT");
    expect(await run(await archive({ name: "n/".repeat(2500) }), {})).toBe("E_TAR_LIMIT");
    expect(await run(await archive({ name: "a", xattrs: big }), {})).toBe("E_TAR_PAX");
    expect(await run(await archive({ name: "a" }, { name: "b" }), { limits: { entries: 1 } })).toBe("E_TAR_LIMIT");
    expect(await run(await archive({ name: "a", body: "12345" }), { maxContent: 4 })).toBe("E_TAR_LIMIT");
  });

  it("swaps of type and duplicates: the last entry wins", async () => {
    const kindsOf: Fields[] = [
      { name: "n", body: "file" },
      folder("n"),
      link("n", "nowhere"),
      { type: "fifo", name: "n" },
      { type: "hardlink", name: "n", linkName: "target" },
    ];
    for (const first of kindsOf) {
      for (const second of kindsOf) {
        fresh();
        const below = first.type === "directory" ? [{ name: "n/below", body: "1" }] : [];
        await extract(await archive({ name: "target", body: "t" }, first, ...below, second));
        const stat = fs.lstatSync(join(root(), "n"));
        const types = {
          directory: stat.isDirectory(),
          symlink: stat.isSymbolicLink(),
          fifo: stat.isFIFO(),
          hardlink: stat.nlink === 2,
        };
        expect(types[(second.type ?? "none") as "fifo"] ?? stat.isFile()).toBe(true);
      }
    }
  });

  it("no mutation of bytes crashes the reader or leaves the root", async () => {
    const data = await archive(
      link("l", "../outside"),
      { name: "l/canary", body: "x" },
      { name: "é".repeat(80), body: "y" },
    );
    const before = surroundings();
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    for (let round = 0; round < 3000; round += 1) {
      const mutated = Buffer.from(data);
      for (let count = random(4); count >= 0; count -= 1) mutated[random(mutated.length)] = random(256);
      const header = random(Math.floor(mutated.length / 512)) * 512;
      let sum = 256;
      for (let at = 0; at < 512; at += 1) if (at < 148 || at > 155) sum += mutated[header + at] ?? 0;
      mutated.write(`${sum.toString(8).padStart(6, "0")}\0 `, header + 148, "latin1");
      if (round % 10 === 0) {
        fresh();
        await codeOf(extract(mutated));
      } else await codeOf(drain(mutated));
    }
    expect(surroundings()).toBe(before);
  });
});

async function drain(data: Buffer): Promise<void> {
  for await (const entry of readTar(once(data))) for await (const piece of entry.body()) void piece;
}
