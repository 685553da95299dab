// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TareError, digestOf, isTareError } from "../base/index.ts";
import { hostPlatform } from "../oci/index.ts";
import { openStore } from "../store/index.ts";
import { writeImage } from "../images/index.ts";
import type { Digest } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { ImagePins, formatPins, openPins, parsePins } from "./image-pins.ts";
import type { PinMode } from "./image-pins.ts";
import type { BuildRequest } from "./request.ts";
import type { ImagePuller } from "./resolver.ts";
import { resolverOf } from "./pinned-resolver.ts";

const NAME = "docker.io/library/base:1";
const [A, B] = [digestOf("a"), digestOf("b")];

describe("tare.lock", () => {
  it("is sorted and comes back", () => {
    const names = fc.constantFrom(NAME, "r.test/a/b:latest", "r.test:5000/x:1.2", "docker.io/library/python:3.11-slim");
    fc.assert(
      fc.property(fc.array(fc.tuple(names, fc.constantFrom(A, B))), (pairs) => {
        const pins = new Map<string, Digest>(pairs);
        expect(parsePins(formatPins(pins), "tare.lock")).toEqual(
          new Map([...pins].toSorted(([a], [b]) => (a < b ? -1 : 1))),
        );
        expect(formatPins(new Map([...pins].toReversed()))).toBe(formatPins(pins));
      }),
    );
  });

  const image = (name: string, digest: string = A): string =>
    `version = 1\n[[image]]\nname = "${name}"\ndigest = "${digest}"\n`;
  it.each([
    ["no TOML", "version = ", /it is no TOML/],
    ["no version", "", /its version is `undefined`/],
    ["another version", "version = 2\n", /its version is `2`, and 1 is known/],
    ["an unknown key", "version = 1\nimages = []\n", /unknown key `images`/],
    ["no list", "version = 1\nimage = 1\n", /no list of tables/],
    ["a row that is none", "version = 1\nimage = [1]\n", /`undefined` is no full name/],
    ["a short name", image("base:1"), /`base:1` is no full name/],
    ["a name without tag", image("docker.io/library/base"), /is no full name/],
    ["a name with digest", image(`${NAME}@${A}`), /is no full name/],
    ["no digest", image(NAME, "sha256:ab"), /the digest of `.*` is none/],
    ["a name twice", `${image(NAME)}[[image]]\nname = "${NAME}"\ndigest = "${B}"\n`, /stands there twice/],
  ])("is refused: %s", (_, text, message) => {
    expect(() => parsePins(text, "/p/tare.lock")).toThrow(expect.objectContaining({ code: "E_IMAGE_LOCK" }) as Error);
    expect(() => parsePins(text, "/p/tare.lock")).toThrow(message);
  });

  it("stands beside the Dockerfile, and is missed by nobody who does not ask for it", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "tare-pins-"));
    const request = (more: object): BuildRequest => ({ cwd: folder, context: ".", ...more }) as BuildRequest;
    expect(openPins(request({}), folder)).toBeUndefined();
    expect(openPins(request({ pins: "write" }), folder)?.path).toBe(join(folder, "tare.lock"));
    expect(openPins(request({ pins: "write", file: "sub/Dockerfile" }), folder)?.path).toBe(
      join(folder, "sub/tare.lock"),
    );
    fs.writeFileSync(join(folder, "tare.lock"), image(NAME));
    expect(openPins(request({}), folder)?.get(NAME)).toBe(A);
    expect(openPins(request({ context: "-" }), folder)?.get(NAME)).toBe(A);
    expect(() => openPins(request({ context: "-", pins: "write" }), folder)).toThrow(/no folder of this machine/);
    fs.rmSync(folder, { recursive: true });
  });

  it("is written only when something changed", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "tare-pins-"));
    const path = join(folder, "tare.lock");
    const pins = new ImagePins(path, "write", new Map([[NAME, A]]));
    pins.set(NAME, A);
    pins.save();
    expect(fs.existsSync(path)).toBe(false);
    pins.set(NAME, B);
    pins.save();
    expect(parsePins(fs.readFileSync(path, "utf8"), path)).toEqual(new Map([[NAME, B]]));
    fs.rmSync(folder, { recursive: true });
  });
});

describe("names of images with pins", () => {
  let root = "";
  let store: Store;
  const platform = hostPlatform(process.arch);
  /** Images by a word: `old` is what is pinned, `new` what the name stands for now. */
  const images = new Map<string, { readonly target: Digest; readonly mediaType: string; readonly id: Digest }>();

  beforeAll(() => {
    root = fs.mkdtempSync(join(tmpdir(), "tare-pinned-"));
    store = openStore({ root, sync: "none" });
    for (const word of ["old", "new"]) {
      const config = { architecture: platform.architecture, os: platform.os, config: { Cmd: [word] }, history: [] };
      const written = writeImage(store, { config, layers: [] });
      images.set(word, { target: written.manifest, mediaType: written.mediaType, id: written.config });
    }
  });
  afterAll(() => {
    store.close();
    fs.rmSync(root, { recursive: true });
  });
  beforeEach(() => {
    store.images.untag(NAME);
    for (const { target } of images.values()) store.images.remove(target);
  });
  const of = (word: string): { readonly target: Digest; readonly mediaType: string; readonly id: Digest } => {
    const found = images.get(word);
    if (!found) throw new Error(word);
    return found;
  };

  interface Case {
    readonly mode?: PinMode;
    readonly pinned?: boolean;
    /** What the store has under the name. */
    readonly here?: "old" | "new";
    /** What the registry has under the name; it has both by digest unless it is `gone`. */
    readonly registry?: "old" | "new" | "gone";
    readonly pull?: boolean;
    /** What the build starts from, or the error. */
    readonly gives: string | RegExp;
    readonly asked?: readonly string[];
    readonly warns?: RegExp;
    /** What is pinned afterwards. */
    readonly pins?: "old" | "new";
  }
  const byDigest = (): string => `base@${of("old").target}`;
  const cases: Readonly<Record<string, Case>> = {
    "not pinned": { here: "new", gives: "new" },
    "not pinned, with --lock": { mode: "write", here: "new", gives: "new", pins: "new" },
    "not pinned and not here, with --lock": {
      mode: "write",
      registry: "new",
      gives: "new",
      pins: "new",
      asked: ["base:1"],
    },
    "not pinned, with --locked": { mode: "require", here: "new", gives: /`base:1` is not pinned in/ },
    "as pinned": { pinned: true, here: "old", gives: "old", pins: "old" },
    "as pinned, with --locked": { mode: "require", pinned: true, here: "old", gives: "old", pins: "old" },
    "pinned and not here": { pinned: true, registry: "new", gives: "old", asked: ["DIGEST"], pins: "old" },
    "pinned and nowhere": {
      pinned: true,
      registry: "gone",
      gives: /is pinned in .*, and nobody has it/,
      asked: ["DIGEST"],
    },
    "moved here": {
      pinned: true,
      here: "new",
      registry: "new",
      gives: "old",
      asked: ["DIGEST"],
      warns: /here, pinned in/,
    },
    "moved here, with --locked": {
      mode: "require",
      pinned: true,
      here: "new",
      gives: /--locked: `base:1` is .* here, pinned/,
    },
    "moved here, with --lock": {
      mode: "write",
      pinned: true,
      here: "new",
      registry: "new",
      gives: "old",
      asked: ["DIGEST"],
      pins: "old",
      warns: /pinned/,
    },
    "moved at the registry, with --pull": {
      pinned: true,
      here: "old",
      registry: "new",
      pull: true,
      gives: "old",
      asked: ["base:1", "DIGEST"],
      warns: /at the registry/,
    },
    "moved at the registry, with --lock --pull": {
      mode: "write",
      pinned: true,
      here: "old",
      registry: "new",
      pull: true,
      gives: "new",
      asked: ["base:1"],
      pins: "new",
    },
    "moved at the registry, with --locked --pull": {
      mode: "require",
      pinned: true,
      registry: "new",
      pull: true,
      gives: /--locked: `base:1` is .* at the registry/,
      asked: ["base:1"],
    },
    "as pinned at the registry, with --locked --pull": {
      mode: "require",
      pinned: true,
      registry: "old",
      pull: true,
      gives: "old",
      asked: ["base:1"],
    },
  };

  it.each(Object.entries(cases))("%s", async (_, test) => {
    if (test.here) store.images.put(of(test.here), [NAME]);
    const asked: string[] = [];
    const pull: ImagePuller["pull"] = async (reference) => {
      asked.push(reference.includes("@") ? "DIGEST" : reference);
      if (test.registry === undefined || test.registry === "gone") throw new TareError("E_IMAGE_NOTFOUND", "none");
      if (reference === byDigest()) return store.images.put(of("old"), []);
      return store.images.put(of(test.registry), [NAME]);
    };
    const pins = new ImagePins(
      "/p/tare.lock",
      test.mode ?? "use",
      new Map(test.pinned ? [[NAME, of("old").target]] : []),
    );
    const warnings: string[] = [];
    const request = {
      listener: (event: { readonly kind: string; readonly message?: string }) =>
        void warnings.push(event.message ?? ""),
    };
    const resolver = resolverOf(
      { store, pins, puller: { isForced: test.pull ?? false, pull } },
      request as never,
      new Map(),
    );
    const found = resolver.image("base:1", platform).then(({ config }) => config.config?.Cmd?.[0]);
    if (typeof test.gives === "string") expect(await found).toBe(test.gives);
    else await expect(found).rejects.toThrow(test.gives);
    await found.catch((error: unknown) => expect(isTareError(error, "E_IMAGE_LOCK")).toBe(true));
    expect(asked).toEqual(test.asked ?? []);
    expect(warnings).toEqual(test.warns ? [expect.stringMatching(test.warns)] : []);
    if (test.pins) expect(pins.get(NAME)).toBe(of(test.pins).target);
  });

  it("with a digest and ids are not pinned", async () => {
    store.images.put(of("old"), [NAME]);
    const pins = new ImagePins("/p/tare.lock", "require", new Map());
    const resolver = resolverOf({ store, pins }, {}, new Map());
    for (const text of [byDigest(), of("old").id.slice("sha256:".length)]) {
      expect((await resolver.image(text, platform)).target).toBe(of("old").target);
    }
  });
});
