// SPDX-License-Identifier: Apache-2.0
/* Makes wheels for tests: right ones, and such as no tool would write. */
import { createHash } from "node:crypto";
import { makeZip } from "../../src/archive/zip/fixture.ts";
import type { FixtureEnd, FixtureEntry } from "../../src/archive/zip/fixture.ts";

/** What a wheel is made of; what is not told is right. */
export interface WheelFixture {
  /** Default `demo`, as in the file's name. */
  readonly name?: string;
  readonly version?: string;
  /** Default `py3-none-any`. */
  readonly tag?: string;
  readonly isPure?: boolean;
  /** Contents by path; default one module. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Modes of entries by path. */
  readonly modes?: Readonly<Record<string, number>>;
  readonly entryPoints?: string;
  /** `Requires-Dist` of METADATA. */
  readonly requires?: readonly string[];
  /** In place of the right text; `null` leaves the file out. */
  readonly metadata?: string | null;
  readonly wheel?: string | null;
  /** Changes RECORD; `null` leaves it out. */
  readonly record?: ((text: string) => string) | null;
  /** The .dist-info folder. */
  readonly distInfo?: string;
  /** Lies about entries, by path. */
  readonly lies?: Readonly<Record<string, Partial<FixtureEntry>>>;
  /** Entries as they are, after the others; RECORD names them unless `unrecorded`. */
  readonly entries?: readonly FixtureEntry[];
  readonly unrecorded?: boolean;
  readonly end?: FixtureEnd;
}

/** A wheel's name and bytes. */
export interface MadeWheel {
  readonly fileName: string;
  readonly bytes: Buffer;
}

/** Makes a wheel. */
export function makeWheel(fixture: WheelFixture = {}): MadeWheel {
  const { name = "demo", version = "1.0", tag = "py3-none-any", isPure = true } = fixture;
  const info = fixture.distInfo ?? `${name}-${version}.dist-info`;
  const wheel = `Wheel-Version: 1.0\nGenerator: tare-test\nRoot-Is-Purelib: ${isPure}\nTag: ${tag}\n`;
  const requires = (fixture.requires ?? []).map((one) => `Requires-Dist: ${one}\n`).join("");
  const metadata = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${requires}\nText: of the description\n`;
  const contents = new Map(Object.entries(fixture.files ?? { [`${name}/__init__.py`]: "value = 1\n" }));
  const put = (path: string, text: string | null | undefined): void => {
    if (typeof text === "string") contents.set(`${info}/${path}`, text);
  };
  put("METADATA", fixture.metadata === undefined ? metadata : fixture.metadata);
  put("WHEEL", fixture.wheel === undefined ? wheel : fixture.wheel);
  put("entry_points.txt", fixture.entryPoints);
  const entries = [...contents].map(([path, content]): FixtureEntry => {
    const mode = fixture.modes?.[path];
    return { name: path, content, ...(mode === undefined ? {} : { mode }), ...fixture.lies?.[path] };
  });
  entries.push(...(fixture.entries ?? []));
  if (fixture.record !== null) {
    const rows = entries.slice(0, fixture.unrecorded === true ? contents.size : undefined).map(rowOf);
    const text = `${rows.join("")}${info}/RECORD,,\n`;
    entries.push({ name: `${info}/RECORD`, content: fixture.record?.(text) ?? text, ...fixture.lies?.["RECORD"] });
  }
  return { fileName: `${name}-${version}-${tag}.whl`, bytes: makeZip(entries, fixture.end) };
}

function rowOf({ name, content = "" }: FixtureEntry): string {
  const path = name.toString();
  if (path.endsWith("/")) return "";
  const bytes = Buffer.from(content);
  const shown = /[",\n\r]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
  return `${shown},${recordHash(bytes)},${bytes.length}\n`;
}

/** RECORD's hash field of bytes. */
export function recordHash(bytes: Uint8Array): string {
  return `sha256=${createHash("sha256").update(bytes).digest("base64url")}`;
}
