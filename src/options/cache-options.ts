// SPDX-License-Identifier: Apache-2.0
/* `--cache-from` and `--cache-to` in buildx's words: comma-separated `key=value` fields, or a name alone. */
import { TareError, suggest } from "../base/index.ts";
import { parseCsvFields } from "./csv.ts";
import { usage } from "./usage.ts";

/** Where a build cache is read from. */
export type CacheImport =
  | { readonly type: "registry"; readonly reference: string; readonly insecure: boolean }
  | { readonly type: "local"; readonly folder: string; readonly tag?: string; readonly digest?: string };

/** How a build cache is written. */
export interface CacheForm {
  /** `min`: layers of the image; `max`: those of all steps. */
  readonly mode: "min" | "max";
  /** Of layers that were made here. */
  readonly compression: "gzip" | "zstd" | "none";
  /** A cache that can't be written is a warning. */
  readonly ignoreError: boolean;
}

/** Where a build cache is written to. */
export type CacheExport =
  | (CacheForm & { readonly type: "registry"; readonly reference: string; readonly insecure: boolean })
  | (CacheForm & { readonly type: "local"; readonly folder: string; readonly tag?: string });

type Fields = ReadonlyMap<string, string>;

const TYPES = ["registry", "local"];
/** Of buildx, and what does their job here. */
const OTHERS: Readonly<Record<string, string>> = {
  inline: "write it beside the image instead: `--cache-to type=registry,ref=IMAGE-cache`",
  gha: "use `type=registry` with a registry of the project, or `type=local` with a folder that actions/cache keeps",
  s3: "use `type=registry`, or `type=local` with a folder that is copied to the bucket",
  azblob: "use `type=registry`, or `type=local` with a folder that is copied to the container",
};

const FORM = [
  "mode",
  "compression",
  "ignore-error",
  "compression-level",
  "force-compression",
  "oci-mediatypes",
  "image-manifest",
  "oci-artifact",
] as const;
const FROM = {
  registry: ["ref", "registry.insecure", ...FORM],
  local: ["src", "tag", "digest", ...FORM],
} as const;
const TO = {
  registry: ["ref", "registry.insecure", ...FORM],
  local: ["dest", "tag", ...FORM],
} as const;

/**
 * Parses `--cache-from`: one cache, or several names of registries. Options of `--cache-to` are passed over, as buildx does;
 * an empty text is none. Throws `E_USAGE`, and `E_UNSUPPORTED` for a type of buildx that is not one here.
 */
export function parseCacheFrom(text: string): readonly CacheImport[] {
  return entriesOf(text, FROM).map(({ type, fields }): CacheImport => {
    if (type === "registry") return { type, ...registryOf(fields) };
    const [tag, digest] = [fields.get("tag"), fields.get("digest")];
    return {
      type,
      folder: required(fields, "src", type),
      ...(tag === undefined ? {} : { tag }),
      ...(digest === undefined ? {} : { digest }),
    };
  });
}

/** Parses `--cache-to`. Throws as `parseCacheFrom`. */
export function parseCacheTo(text: string): readonly CacheExport[] {
  return entriesOf(text, TO).map(({ type, fields }): CacheExport => {
    const form = formOf(fields);
    if (type === "registry") return { type, ...registryOf(fields), ...form };
    const tag = fields.get("tag");
    return { type, folder: required(fields, "dest", type), ...form, ...(tag === undefined ? {} : { tag }) };
  });
}

interface Entry {
  readonly type: "registry" | "local";
  readonly fields: Fields;
}

function entriesOf(text: string, known: Readonly<Record<"registry" | "local", readonly string[]>>): readonly Entry[] {
  if (text === "") return [];
  const parsed = parseCsvFields(text);
  // Names alone are those of registries.
  if (parsed.every(({ value }) => value === undefined)) {
    return parsed.map(({ text: name }) => ({ type: "registry", fields: new Map([["ref", name]]) }));
  }
  const fields = new Map<string, string>();
  for (const { text: field, key, value } of parsed) {
    if (value === undefined) throw usage(`invalid value ${field}`, "expected key=value");
    fields.set(key.trim().toLowerCase(), value);
  }
  const type = typeOf(fields.get("type"));
  fields.delete("type");
  for (const key of fields.keys()) requireKnown(key, known[type], type);
  return [{ type, fields }];
}

function typeOf(text: string | undefined): "registry" | "local" {
  if (text === undefined) throw usage("type required form", "for example type=registry,ref=registry/app:cache");
  if (text === "registry" || text === "local") return text;
  const why = Object.hasOwn(OTHERS, text) ? OTHERS[text] : undefined;
  if (why !== undefined) {
    throw new TareError("E_UNSUPPORTED", `a build cache of type=${text}: not supported`, { hint: why });
  }
  const guess = suggest(text, TYPES);
  throw usage(
    `unknown cache type \`${text}\``,
    guess === undefined ? `one of ${TYPES.join(", ")}` : `did you mean ${guess}?`,
  );
}

function requireKnown(key: string, known: readonly string[], type: string): void {
  if (known.includes(key)) return;
  const guess = suggest(key, known);
  throw usage(
    `unknown option \`${key}\` of a cache of type=${type}`,
    guess === undefined ? `it has ${known.join(", ")}` : `did you mean ${guess}?`,
  );
}

function required(fields: Fields, key: string, type: string): string {
  const value = fields.get(key);
  if (value !== undefined && value !== "") return value;
  throw usage(
    `${key} is required for a cache of type=${type}`,
    `for example type=${type},${key}=${EXAMPLES[key] ?? ""}`,
  );
}

const EXAMPLES: Readonly<Record<string, string>> = { ref: "registry/app:cache", src: "cache", dest: "cache" };

function registryOf(fields: Fields): { readonly reference: string; readonly insecure: boolean } {
  return { reference: required(fields, "ref", "registry"), insecure: truth(fields, "registry.insecure") ?? false };
}

function formOf(fields: Fields): CacheForm {
  refuseForms(fields);
  const mode = fields.get("mode") ?? "min";
  if (mode !== "min" && mode !== "max") throw usage(`unknown cache mode \`${mode}\``, "min or max");
  return {
    mode,
    compression: compressionOf(fields.get("compression")),
    ignoreError: truth(fields, "ignore-error") ?? false,
  };
}

function compressionOf(text: string = "gzip"): CacheForm["compression"] {
  if (text === "gzip" || text === "zstd") return text;
  if (text === "uncompressed" || text === "none") return "none";
  if (text === "estargz") {
    throw new TareError("E_UNSUPPORTED", "a build cache with compression=estargz: not supported", {
      hint: "use gzip or zstd: layers of a cache are fetched whole, and when something needs them",
    });
  }
  const guess = suggest(text, ["gzip", "zstd", "uncompressed"]);
  throw usage(
    `unknown compression \`${text}\``,
    guess === undefined ? "gzip, zstd or uncompressed" : `did you mean ${guess}?`,
  );
}

/** What buildx can choose and this does in one way. */
function refuseForms(fields: Fields): void {
  if (fields.has("compression-level"))
    throw fixed("compression-level", "leave it out: the level is fixed, so that equal layers have equal digests");
  if (truth(fields, "force-compression") === true)
    throw fixed("force-compression", "leave it out: layers from outside stay as they came");
  for (const key of ["oci-mediatypes", "image-manifest"]) {
    if (truth(fields, key) === false) throw fixed(`${key}=false`, "leave it out: a cache is an OCI image manifest");
  }
  truth(fields, "oci-artifact");
}

function fixed(what: string, hint: string): TareError {
  return new TareError("E_UNSUPPORTED", `a build cache with ${what}: not supported`, { hint });
}

/** Go's `strconv.ParseBool`. */
function truth(fields: Fields, key: string): boolean | undefined {
  const text = fields.get(key);
  if (text === undefined) return undefined;
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw usage(`invalid value \`${text}\` of ${key}`, "true or false");
}
