// SPDX-License-Identifier: Apache-2.0
/* The resolver: uv, of one version known by digest, as a wheel from the user's index, its program kept in the store. */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { TareError, digestFromHex, ensureDirectory } from "../../base/index.ts";
import { openZip } from "../../archive/index.ts";
import { openIndexClient } from "../index-client/client.ts";
import { readIndexConfig } from "../index-client/config.ts";
import { indexFiles } from "../index-client/index-files.ts";
import type { Store } from "../../store/index.ts";
import type { StoredFile, WheelStore } from "../types.ts";

/** The version of uv that resolves. Another one may resolve otherwise, so it counts in the keys of results. */
export const UV_VERSION = "0.13.9";

/** Platform of Node (`linux-x64-musl`) to the wheel's platform tag and sha256. */
const WHEELS: Readonly<Record<string, readonly [tag: string, sha256: string]>> = {
  "linux-x64": [
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
  ],
  "linux-x64-musl": ["musllinux_1_1_x86_64", "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25"],
  "linux-arm64": [
    "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
  ],
  "darwin-x64": ["macosx_10_12_x86_64", "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5"],
  "darwin-arm64": ["macosx_11_0_arm64", "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63"],
};

/** What finding uv needs. */
export interface UvPlace {
  readonly store: Store;
  readonly wheels: () => Promise<WheelStore>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/**
 * Path of uv's program: that of `TARE_UV`, or the pinned one, fetched once. Throws `E_UV` where there is none for this
 * machine, and what fetching throws.
 */
export async function ensureUv(place: UvPlace, platform: string = hostPlatform()): Promise<string> {
  const own = place.env["TARE_UV"];
  if (own !== undefined && own !== "") return own;
  const [tag, sha256] = WHEELS[platform] ?? [];
  if (tag === undefined || sha256 === undefined) {
    throw new TareError("E_UV", `fetching uv: there is no pinned wheel of it for ${platform}`, {
      hint: `install uv ${UV_VERSION} and name its program in TARE_UV`,
    });
  }
  const program = join(place.store.root, "cache", "tools", `uv-${UV_VERSION}-${sha256.slice(0, 12)}`, "uv");
  if (fs.existsSync(program)) return program;
  const wheel = await fetchWheel(place, { fileName: `uv-${UV_VERSION}-py3-none-${tag}.whl`, sha256 });
  await unpackProgram(wheel, program);
  return program;
}

async function fetchWheel(
  place: UvPlace,
  wanted: { readonly fileName: string; readonly sha256: string },
): Promise<StoredFile> {
  const digest = digestFromHex(wanted.sha256);
  const { fileName } = wanted;
  const wheels = await place.wheels();
  const known = wheels.find(digest);
  if (known) return known;
  const { env, signal } = place;
  const { client, credentials } = openIndexClient(env);
  try {
    const { indexUrl } = readIndexConfig(env);
    const files = await indexFiles(
      { client, credentials, ...(signal === undefined ? {} : { signal }) },
      indexUrl,
      "uv",
    );
    const file = files.find((each) => each.fileName === fileName);
    if (!file) {
      throw new TareError("E_UV", `fetching uv ${UV_VERSION}: the index has no \`${fileName}\``, {
        hint: "name the program of an installed uv in TARE_UV",
      });
    }
    const [stored] = await wheels.fetch([{ ...file, digest }], signal === undefined ? {} : { signal });
    if (!stored) throw new Error("fetch gives a file for each");
    return stored;
  } finally {
    client.close();
  }
}

async function unpackProgram(wheel: StoredFile, program: string): Promise<void> {
  const zip = openZip(wheel.path);
  const partial = `${program}.${process.pid}.partial`;
  try {
    const entry = zip.entries.find(({ name }) => name.endsWith(".data/scripts/uv"));
    if (!entry)
      throw new TareError("E_UV", `unpacking \`${wheel.fileName}\`: it has no program`, { hint: "set TARE_UV" });
    ensureDirectory(dirname(program));
    const descriptor = fs.openSync(partial, "w", 0o755);
    try {
      await zip.extractEntry(entry, descriptor);
      fs.fchmodSync(descriptor, 0o755);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(partial, program);
  } finally {
    fs.rmSync(partial, { force: true });
    zip.close();
  }
}

function hostPlatform(): string {
  const name = `${process.platform}-${process.arch}`;
  const isMusl = name === "linux-x64" && !fs.existsSync("/lib64/ld-linux-x86-64.so.2");
  return isMusl ? `${name}-musl` : name;
}
