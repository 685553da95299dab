// SPDX-License-Identifier: Apache-2.0
// Platform specifiers `os[(version)]/architecture[/variant]` with the normal forms of containerd's platforms package.
import { TareError, suggest } from "../base/index.ts";
import type { Descriptor, Platform } from "./descriptor.ts";
import type { ImageIndex } from "./index-manifest.ts";
import { isIndex, isManifest } from "./media-types.ts";

const COMPONENT = /^[A-Za-z0-9_.-]{1,128}$/;
const OS_COMPONENT = /^([A-Za-z0-9_-]{1,128})(?:\(([A-Za-z0-9_.-]{0,128})((?:\+[A-Za-z0-9_.-]{1,64}){0,16})\))?$/;

const SYSTEMS: ReadonlySet<string> = new Set(
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasi windows zos".split(
    " ",
  ),
);
const ARCHITECTURES: ReadonlySet<string> = new Set(
  (
    "386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 " +
    "ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm"
  ).split(" "),
);
const NODE_ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", mipsel: "mipsle" };

/** The platform that containers on this host have: Linux on the architecture that Node calls `processArch`. */
export function hostPlatform(processArch: string): Platform {
  const architecture = Object.hasOwn(NODE_ARCHITECTURES, processArch) ? NODE_ARCHITECTURES[processArch] : processArch;
  return normalizePlatform({ os: "linux", architecture: architecture ?? processArch });
}

/** The normal form of a platform: aliases resolved, default variants dropped (`arm64/v8`) or written out (`arm/v7`). */
export function normalizePlatform(platform: Platform): Platform {
  const lower = platform.os.toLowerCase();
  const { variant: _variant, ...rest } = platform;
  const [architecture, variant] = normalizeArchitecture(platform.architecture, platform.variant ?? "");
  const normal = { ...rest, os: lower === "macos" ? "darwin" : lower, architecture };
  return variant === "" ? normal : { ...normal, variant };
}

function normalizeArchitecture(architecture: string, variant: string): readonly [string, string] {
  const name = architecture.toLowerCase();
  const form = variant.toLowerCase();
  switch (name) {
    case "i386":
    case "i686":
      return ["386", ""];
    case "x86_64":
    case "x86-64":
    case "amd64":
      return ["amd64", form === "v1" ? "" : form];
    case "aarch64":
    case "arm64":
      return ["arm64", arm64Variant(form)];
    case "armhf":
      return ["arm", "v7"];
    case "armel":
      return ["arm", "v6"];
    case "arm":
      return ["arm", form === "" ? "v7" : /^[5-8]$/.test(form) ? `v${form}` : form];
    default:
      return [name, form];
  }
}

function arm64Variant(variant: string): string {
  if (["8", "v8", "v8.0", "8.0"].includes(variant)) return "";
  return ["9", "9.0", "v9.0"].includes(variant) ? "v9" : variant;
}

/**
 * Parses a platform: `linux/arm64/v8`, `arm64`, `linux`, `local`, `windows(10.0.17763)/amd64` … into its normal form;
 * what is not said is taken from `host`. Throws `E_PLATFORM`.
 */
export function parsePlatform(text: string, host: Platform): Platform {
  if (text === "local") return host;
  const parts = text.slice(0, 1000).split("/");
  const [first = "", second, third] = parts;
  const system = OS_COMPONENT.exec(first);
  if (system === null || parts.length > 3 || !parts.slice(1).every((part) => COMPONENT.test(part))) {
    throw platformError(text, "expected os[/architecture[/variant]]");
  }
  if (second === undefined) return parseSingle(text, system, host);
  const base = { ...systemOf(system), architecture: second };
  return normalizePlatform(third === undefined ? base : { ...base, variant: third });
}

function parseSingle(text: string, system: RegExpExecArray, host: Platform): Platform {
  const os = systemOf(system);
  const name = normalizePlatform({ os: os.os, architecture: os.os });
  if (SYSTEMS.has(name.os)) {
    const { architecture, variant } = host;
    return normalizePlatform({ ...os, architecture, ...(variant === undefined ? {} : { variant }) });
  }
  if (ARCHITECTURES.has(name.architecture)) return { ...name, os: host.os };
  throw platformError(text, "unknown operating system or architecture", suggest(text, [...SYSTEMS, ...ARCHITECTURES]));
}

function systemOf(match: RegExpExecArray): Omit<Platform, "architecture"> {
  const [, os = "", version = "", features = ""] = match;
  return {
    os,
    ...(version === "" ? {} : { "os.version": version }),
    ...(features === "" ? {} : { "os.features": features.slice(1).split("+") }),
  };
}

function platformError(text: string, why: string, guess?: string): TareError {
  const hint = guess === undefined ? "for example linux/amd64 or linux/arm64" : `did you mean ${guess}?`;
  return new TareError("E_PLATFORM", `parsing platform \`${text.slice(0, 100)}\`: ${why}`, { hint });
}

/** `os/architecture[/variant]` of a platform, without the OS version. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return [os, architecture, ...(variant === undefined || variant === "" ? [] : [variant])].join("/");
}

/** True when two platforms have one normal form (OS versions aside). */
export function equalPlatforms(a: Platform, b: Platform): boolean {
  return formatPlatform(normalizePlatform(a)) === formatPlatform(normalizePlatform(b));
}

/** True when a machine of platform `host` runs programs of `candidate`. */
export function matchesPlatform(host: Platform, candidate: Platform): boolean {
  return rankOf(candidate, compatiblePlatforms(host)) >= 0;
}

/** What a machine of this platform runs, best first: its own variant, lower variants, then its 32-bit relatives. */
export function compatiblePlatforms(platform: Platform): readonly Platform[] {
  const own = normalizePlatform(platform);
  const at = (architecture: string, variant: string): Platform =>
    normalizePlatform({ os: own.os, architecture, variant });
  const arm = (highest: number): Platform[] =>
    [8, 7, 6, 5].filter((level) => level <= highest).map((level) => at("arm", `v${level}`));
  const level = Number(/^v(\d+)/.exec(own.variant ?? "")?.[1] ?? "0");
  if (own.architecture === "amd64") {
    const lower = [4, 3, 2, 1].filter((each) => each < level).map((each) => at("amd64", `v${each}`));
    return [own, ...lower, at("386", "")];
  }
  if (own.architecture === "arm64") return [own, ...(level > 8 ? [at("arm64", "")] : []), ...arm(8)];
  return own.architecture === "arm" ? [own, ...arm(level - 1)] : [own];
}

function rankOf(candidate: Platform, wanted: readonly Platform[]): number {
  return wanted.findIndex((platform) => equalPlatforms(platform, candidate) && versionFits(platform, candidate));
}

/** A Windows image needs a host of its own build: `10.0.17763` fits `10.0.17763.1999`. */
function versionFits(wanted: Platform, candidate: Platform): boolean {
  const version = wanted["os.version"];
  const other = candidate["os.version"];
  if (version === undefined || other === undefined) return true;
  return other === version || other.startsWith(`${version}.`);
}

/**
 * The entry of an index that suits a platform best: the first of the best rank. Attestations and entries that are no
 * image are passed over; a sole image without platform is taken. Throws `E_PLATFORM` with the platforms there are.
 */
export function selectManifest(index: ImageIndex, platform: Platform): Descriptor {
  const images = index.manifests.filter(isImage);
  const wanted = compatiblePlatforms(platform);
  const ranked = images.flatMap((entry) => {
    const rank = entry.platform === undefined ? -1 : rankOf(entry.platform, wanted);
    return rank < 0 ? [] : [{ entry, rank }];
  });
  const [best] = ranked.sort((a, b) => a.rank - b.rank);
  if (best !== undefined) return best.entry;
  const [only] = images;
  if (only !== undefined && images.length === 1 && only.platform === undefined) return only;
  throw notAvailable(images, platform);
}

function isImage(entry: Descriptor): boolean {
  if (!isManifest(entry.mediaType) && !isIndex(entry.mediaType)) return false;
  if (entry.annotations?.["vnd.docker.reference.type"] === "attestation-manifest") return false;
  return entry.platform?.os !== "unknown";
}

function notAvailable(images: readonly Descriptor[], platform: Platform): TareError {
  const names = [
    ...new Set(images.flatMap(({ platform: each }) => (each === undefined ? [] : [formatPlatform(each)]))),
  ];
  const available = names.length === 0 ? "it names no platforms" : `available: ${names.join(", ")}`;
  return new TareError(
    "E_PLATFORM",
    `selecting the image for ${formatPlatform(platform)}: the index has none; ${available}`,
    { hint: "choose one of them with --platform", details: { available: names } },
  );
}
