// SPDX-License-Identifier: Apache-2.0
import { suggest } from "../base/index.ts";
import { parsePlatform } from "../oci/index.ts";
import type { Platform } from "../oci/index.ts";
import { parseCsvFields, parseCsvRecord } from "./csv.ts";
import { cut, quoted, usage } from "./usage.ts";

/** Where a build secret's bytes come from; `env-or-file` is `--secret id=NAME` alone: the variable, else the file. */
export type SecretSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "env-or-file"; readonly name: string };

/** A `--secret` of `build`. */
export interface BuildSecret {
  readonly id: string;
  readonly source: SecretSource;
}

/** An `--ssh` of `build`: agent sockets or key files; none means the agent of `SSH_AUTH_SOCK`. */
export interface BuildSsh {
  readonly id: string;
  readonly paths: readonly string[];
}

/** The kinds of build result. */
export type OutputType = "image" | "oci" | "docker" | "local" | "tar" | "registry" | "cacheonly";

/** An `--output` of `build`. `destination` "-" is the standard output. */
export interface BuildOutput {
  readonly type: OutputType;
  readonly destination?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const OUTPUT_TYPES: readonly string[] = ["image", "oci", "docker", "local", "tar", "registry", "cacheonly"];

/** Parses `--secret id=…[,src=FILE][,env=NAME][,type=file|env]`. Throws `E_USAGE`. */
export function parseBuildSecret(text: string): BuildSecret {
  const found = new Map<string, string>();
  for (const { key, value, text: field } of parseCsvFields(text)) {
    if (value === undefined) throw usage(`invalid field '${field}' must be a key=value pair`);
    const name = key.toLowerCase() === "source" ? "src" : key.toLowerCase();
    if (!["id", "src", "env", "type"].includes(name)) throw usage(`unexpected key '${key}' in '${field}'`);
    found.set(name, value);
  }
  const id = found.get("id");
  if (id === undefined || id === "") throw usage(`parsing secret \`${text}\`: the id is missing`, "add id=NAME");
  return { id, source: secretSource(id, found) };
}

function secretSource(id: string, found: ReadonlyMap<string, string>): SecretSource {
  const type = found.get("type");
  const src = found.get("src");
  const env = found.get("env");
  if (type !== undefined && type !== "file" && type !== "env") throw usage(`unsupported secret type ${quoted(type)}`);
  if (src !== undefined && env !== undefined) throw usage(`parsing secret \`${id}\`: both src and env are given`);
  if (type === "env") return { kind: "env", name: env ?? src ?? id };
  if (env !== undefined) return { kind: "env", name: env };
  if (src !== undefined) return { kind: "file", path: src };
  return type === "file" ? { kind: "file", path: id } : { kind: "env-or-file", name: id };
}

/** Parses `--ssh default|ID[=SOCKET|KEY[,KEY]]`. Throws `E_USAGE`. */
export function parseBuildSsh(text: string): BuildSsh {
  const { key: id, value } = cut(text, "=");
  if (id === "") throw usage(`parsing ssh option \`${text}\`: the id is missing`, "for example default");
  return { id, paths: value === undefined || value === "" ? [] : value.split(",") };
}

/** Parses `--output TYPE-and-attributes`, or a bare path (`-` for a tar on the standard output). Throws `E_USAGE`. */
export function parseOutput(text: string): BuildOutput {
  const fields = parseCsvRecord(text);
  if (fields.length === 1 && fields[0] === text && !text.startsWith("type=")) {
    return { type: text === "-" ? "tar" : "local", destination: text, attributes: {} };
  }
  const attributes = new Map(fields.map(outputField));
  const type = attributes.get("type");
  if (type === undefined) throw usage("type is required for output", "for example type=local,dest=out");
  const destination = attributes.get("dest");
  attributes.delete("type");
  attributes.delete("dest");
  const rest = { type: outputType(type), attributes: Object.fromEntries(attributes) };
  return destination === undefined ? rest : { ...rest, destination };
}

function outputField(field: string): [string, string] {
  const { key, value } = cut(field, "=");
  if (value === undefined) throw usage(`invalid value ${field}`, "expected key=value");
  const name = key.trim().toLowerCase();
  return [name === "destination" ? "dest" : name, value];
}

function outputType(text: string): OutputType {
  if (OUTPUT_TYPES.includes(text)) return text as OutputType;
  const guess = suggest(text, OUTPUT_TYPES);
  throw usage(
    `unknown output type \`${text}\``,
    guess === undefined ? `one of ${OUTPUT_TYPES.join(", ")}` : `did you mean ${guess}?`,
  );
}

/** Parses `--build-context name=value`. Throws `E_USAGE` with buildx's text. */
export function parseBuildContext(text: string): readonly [name: string, value: string] {
  const { key, value } = cut(text, "=");
  if (value === undefined || key === "" || value === "") {
    throw usage(`invalid context value: ${text}, expected key=value`);
  }
  return [key, value];
}

/** Parses `--build-arg NAME[=value]`; a bare name takes its value from the environment or is left out. */
export function parseBuildArg(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): readonly [name: string, value: string] | undefined {
  const { key, value } = cut(text, "=");
  if (key === "") throw usage(`invalid build argument \`${text}\``, "expected NAME=value");
  const found = value ?? (Object.hasOwn(environment, key) ? environment[key] : undefined);
  return found === undefined ? undefined : [key, found];
}

/** Parses `--platform` values, each a comma-separated list, without repeats. Throws `E_PLATFORM`. */
export function parsePlatforms(texts: readonly string[], host: Platform): readonly Platform[] {
  const parsed = texts.flatMap((text) => text.split(",")).map((text) => parsePlatform(text.trim(), host));
  return [...new Map(parsed.map((platform) => [JSON.stringify(platform), platform])).values()];
}
