// SPDX-License-Identifier: Apache-2.0
/* Machines that are only described: `driver=535,sm=70,brand=tesla,name=V100`. */
import { TareError, suggest } from "../../base/index.ts";
import { isDottedVersion } from "../versions.ts";
import type { GpuTarget, GpuVendor } from "../types.ts";

type Gpu = GpuTarget["gpus"][number];

const KEYS: readonly string[] = ["driver", "sm", "gfx", "cuda", "brand", "name", "vendor"];

/** True for a description, false for the name of one. */
export function isTargetText(text: string): boolean {
  return text.includes("=");
}

/**
 * Reads a description; `sm` and `gfx` may stand several times, for machines with different GPUs. `label` is what the
 * target is called. Throws `E_USAGE`.
 */
export function parseGpuTarget(text: string, label: string = text): GpuTarget {
  const values = valuesOf(text);
  const one = (key: string): string | undefined => values.get(key)?.[0];
  const versions = ["driver", "cuda"].map((key) => [key, one(key)] as const);
  const wrong = versions.find(([, value]) => value !== undefined && !isDottedVersion(value));
  if (wrong)
    throw bad(text, `\`${wrong[0]}=${wrong[1] ?? ""}\` is no version`, "as `driver=535` or `driver=535.104.05`");
  const driver = one("driver");
  const cuda = one("cuda");
  return {
    name: label,
    vendor: vendorOf(text, values),
    gpus: gpusOf(text, values),
    ...(driver === undefined ? {} : { driver }),
    ...(cuda === undefined ? {} : { cuda }),
  };
}

function valuesOf(text: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, readonly string[]>();
  for (const field of text.split(",").map((each) => each.trim())) {
    const [key = "", ...rest] = field.split("=");
    const value = rest.join("=").trim();
    if (!KEYS.includes(key)) {
      const near = suggest(key, KEYS);
      throw bad(
        text,
        `unknown key \`${key}\``,
        near === undefined ? `keys: ${KEYS.join(", ")}` : `did you mean \`${near}\``,
      );
    }
    if (value === "") throw bad(text, `\`${key}\` has no value`, "as `driver=535,sm=70`");
    const known = values.get(key) ?? [];
    if (known.length > 0 && key !== "sm" && key !== "gfx") throw bad(text, `\`${key}\` stands twice`, "leave out one");
    values.set(key, [...known, value]);
  }
  return values;
}

function vendorOf(text: string, values: ReadonlyMap<string, readonly string[]>): GpuVendor {
  const named = values.get("vendor")?.[0];
  if (named === "nvidia" || named === "amd" || named === "intel") return named;
  if (named !== undefined) throw bad(text, `unknown vendor \`${named}\``, "one of nvidia, amd, intel");
  return values.has("gfx") ? "amd" : "nvidia";
}

function gpusOf(text: string, values: ReadonlyMap<string, readonly string[]>): readonly Gpu[] {
  const architectures = [
    ...(values.get("sm") ?? []).map((each) => capabilityOf(text, each)),
    ...(values.get("gfx") ?? []).map(gfxOf),
  ];
  const brand = values.get("brand")?.[0]?.toLowerCase();
  const name = values.get("name")?.[0];
  const about = { ...(brand === undefined ? {} : { brand }), ...(name === undefined ? {} : { name }) };
  if (architectures.length > 0) return architectures.map((architecture) => ({ architecture, ...about }));
  return Object.keys(about).length === 0 ? [] : [about];
}

/** `70`, `7.0`, `sm_70`: 7.0. */
function capabilityOf(text: string, value: string): string {
  const [, plain, major, minor] = /^(?:sm_?)?(?:(\d{2,3})|(\d{1,2})\.(\d))$/.exec(value) ?? [];
  if (plain !== undefined) return `${plain.slice(0, -1)}.${plain.slice(-1)}`;
  if (major !== undefined && minor !== undefined) return `${major}.${minor}`;
  throw bad(
    text,
    `\`sm=${value}\` is no compute capability`,
    "as `sm=70` or `sm=7.0`; `tare gpu ls` shows that of a GPU",
  );
}

function gfxOf(value: string): string {
  return value.startsWith("gfx") ? value : `gfx${value}`;
}

function bad(text: string, why: string, hint: string): TareError {
  return new TareError("E_USAGE", `reading the GPU target \`${text.slice(0, 80)}\`: ${why}`, { hint });
}
