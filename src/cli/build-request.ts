// SPDX-License-Identifier: Apache-2.0
import {
  parseBuildArg,
  parseBuildContext,
  parseBuildSecret,
  parseBuildSsh,
  parseBytes,
  parseCacheFrom,
  parseCacheTo,
  parseLabels,
  parseOutput,
  parseUlimits,
} from "../options/index.ts";
import { attestationsOf } from "./attest-options.ts";
import { byteSource } from "./byte-io.ts";
import { allValues, defined, flagValue, oneValue } from "./flag-value.ts";
import { usageError } from "./usage-error.ts";
import type { BuildRequest, OutputSpec, SecretSource } from "../engine/index.ts";
import type { CommandContext } from "./context.ts";
import type { ParsedArguments } from "./parsed.ts";

/** What the words of `tare build` ask for. Throws `E_USAGE`, `E_UNSUPPORTED`. */
export function buildRequest(context: CommandContext, parsed: ParsedArguments): BuildRequest {
  return {
    ...planRequest(context, parsed),
    tags: parsed.list("tag"),
    outputs: [...allValues(parsed, "output", outputOf), ...(parsed.boolean("push") ? [PUSHED] : [])],
    load: parsed.boolean("load"),
    cacheFrom: allValues(parsed, "cache-from", parseCacheFrom).flat(),
    cacheTo: allValues(parsed, "cache-to", parseCacheTo).flat(),
    ...attestationsOf(context, parsed),
    ...pinsOf(parsed),
  };
}

/** The same without where the result goes: what the words of `tare plan` ask for. Throws `E_USAGE`. */
export function planRequest(context: CommandContext, parsed: ParsedArguments): BuildRequest {
  const file = parsed.string("file");
  const needsInput = parsed.word(0) === "-" || file === "-";
  if (parsed.word(0) === "-" && file === "-") throw usageError("the context and the Dockerfile cannot both be stdin");
  return {
    cwd: context.cwd,
    context: parsed.word(0) || ".",
    tags: [],
    buildArgs: buildArguments(context, parsed),
    buildContexts: Object.fromEntries(allValues(parsed, "build-context", parseBuildContext)),
    labels: parseLabels(parsed.list("label")),
    annotations: parsed.pairs("annotation"),
    secrets: allValues(parsed, "secret", (text) => secretOf(text, context.env)),
    ssh: Object.fromEntries(allValues(parsed, "ssh", parseBuildSsh).map(({ id, paths }) => [id, paths])),
    platforms: parsed.list("platform").flatMap((value) => value.split(",")),
    noCache: parsed.boolean("no-cache"),
    noCacheFilter: parsed.list("no-cache-filter").flatMap((value) => value.split(",")),
    pull: parsed.boolean("pull"),
    addHosts: parsed.list("add-host"),
    ulimits: flagValue(parsed, "ulimit", parsed.list("ulimit").join(" "), () => parseUlimits(parsed.list("ulimit"))),
    allow: parsed.list("allow").flatMap((value) => (value.startsWith("device=") ? [value] : value.split(","))),
    outputs: [],
    load: false,
    ...(parsed.boolean("locked") ? { pins: "require" } : {}),
    accelerate: !parsed.boolean("no-accelerate"),
    lockFacts: parsed.boolean("lock-facts"),
    python: pythonOptions(parsed),
    signal: context.signal,
    ...(needsInput ? { stdin: streamOf(context) } : {}),
    ...settings(context, parsed, file),
  };
}

function pinsOf(parsed: ParsedArguments): Pick<BuildRequest, "pins"> {
  if (!parsed.boolean("lock")) return {};
  if (parsed.boolean("locked")) throw usageError("`--lock` writes tare.lock, `--locked` holds to it", "leave out one");
  return { pins: "write" };
}

function settings(context: CommandContext, parsed: ParsedArguments, file: string | undefined): Partial<BuildRequest> {
  const network = parsed.string("network");
  return defined({
    file,
    target: parsed.string("target"),
    network: network === "none" || network === "host" ? network : undefined,
    shmSize: oneValue(parsed, "shm-size", parseBytes),
    cgroupParent: parsed.string("cgroup-parent"),
    jobs: parsed.integer("jobs", { min: 1, max: 1024 }),
    runtime: parsed.string("runtime"),
    sourceDateEpoch: sourceDateEpoch(context, parsed),
  } as const);
}

function pythonOptions(parsed: ParsedArguments): NonNullable<BuildRequest["python"]> {
  const bytecode = parsed.string("bytecode");
  return defined({
    version: parsed.string("python"),
    accelerator: parsed.string("accelerator"),
    layers: parsed.integer("layers", { min: 1, max: 100 }),
    bytecode: bytecode === "imported" || bytecode === "all" || bytecode === "none" ? bytecode : undefined,
    slim: parsed.boolean("slim") ? ["all"] : undefined,
  });
}

function streamOf(context: CommandContext): AsyncIterable<Uint8Array> {
  const source = byteSource(context, "-");
  if (typeof source === "string") throw new Error("the standard input is a stream");
  return source;
}

function buildArguments(context: CommandContext, parsed: ParsedArguments): Readonly<Record<string, string>> {
  const found = allValues(parsed, "build-arg", (text) => parseBuildArg(text, context.env));
  return Object.fromEntries(found.filter((pair) => pair !== undefined));
}

/** `--secret id=NAME` alone is the variable of that name, or else the file. */
function secretOf(text: string, env: CommandContext["env"]): SecretSource {
  const { id, source } = parseBuildSecret(text);
  switch (source.kind) {
    case "file":
      return { id, file: source.path };
    case "env":
      return { id, env: source.name };
    case "env-or-file":
      return env[source.name] === undefined ? { id, file: source.name } : { id, env: source.name };
  }
}

/** An image in the store that is pushed too: what `--push` and `type=registry` mean. */
const PUSHED: OutputSpec = { type: "image", attributes: { push: "true" } };

function outputOf(text: string): OutputSpec {
  const { type, attributes, destination } = parseOutput(text);
  if (type === "registry") return { ...PUSHED, attributes: { ...attributes, ...PUSHED.attributes } };
  return { type, attributes, ...defined({ destination }) };
}

/** The variable, or the build argument of the name, which wins as with BuildKit. */
function sourceDateEpoch(context: CommandContext, parsed: ParsedArguments): number | undefined {
  const argument = buildArguments(context, parsed)["SOURCE_DATE_EPOCH"];
  const text = argument ?? context.env["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw usageError(`invalid SOURCE_DATE_EPOCH \`${text}\`: expected seconds since 1970`);
}
