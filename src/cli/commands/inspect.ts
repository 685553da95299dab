// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError } from "../../base/index.ts";
import { PLATFORM_OPTION } from "../common-options.ts";
import { printError } from "../error-text.ts";
import { compileTemplate } from "../template/index.ts";
import type { Template } from "../template/index.ts";
import type { CommandBody, OptionSpec } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { Engine, InspectDocument, SecurityReport } from "../../engine/index.ts";
import type { ParsedArguments } from "../parsed.ts";

type Kind = "container" | "image" | "network" | "volume";

/** In the order in which a name is looked for. */
const KINDS: readonly Kind[] = ["container", "image", "network", "volume"];

const FORMAT: OptionSpec = {
  name: "format",
  short: "f",
  type: "string",
  description: "`json`, or a Go template for each document",
};
const JSON_OPTION: OptionSpec = {
  name: "json",
  type: "boolean",
  description: "JSON: what it prints anyway",
  hidden: true,
};
const SECURITY: OptionSpec = {
  name: "security",
  type: "boolean",
  description: "What it may do, in words; with `--json` as JSON",
};
const SIZE: OptionSpec = { name: "size", short: "s", type: "boolean", description: "Sizes of containers too" };

/** `tare inspect`. */
export const command: CommandBody = {
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  count: { min: 1 },
  options: [
    FORMAT,
    JSON_OPTION,
    SIZE,
    SECURITY,
    PLATFORM_OPTION,
    {
      name: "type",
      type: "string",
      choices: KINDS,
      description: "What the names are names of",
    },
  ],
  complete: ["container", "image"],
  examples: [
    { line: "tare inspect -f '{{.State.ExitCode}}' training", text: "one value" },
    { line: "tare inspect -f '{{json .Config.Env}}' hello", text: "a part as JSON" },
    { line: "tare inspect --security training", text: "what a container may do, and what is dangerous about it" },
  ],
  run: (context, parsed) => {
    const type = parsed.string("type");
    const kinds = KINDS.filter((kind) => kind === type);
    return inspect(context, parsed, kinds.length > 0 ? kinds : KINDS);
  },
};

/** `tare container inspect`. */
export const containerInspect: CommandBody = {
  ...command,
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  options: [FORMAT, JSON_OPTION, SIZE, SECURITY],
  complete: ["container"],
  run: (context, parsed) => inspect(context, parsed, ["container"]),
};

/** `tare image inspect`. */
export const imageInspect: CommandBody = {
  ...command,
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  options: [FORMAT, JSON_OPTION, SECURITY, PLATFORM_OPTION],
  complete: ["image"],
  run: (context, parsed) => inspect(context, parsed, ["image"]),
};

/** `tare volume inspect`. */
export const volumeInspect: CommandBody = {
  ...command,
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  options: [FORMAT, JSON_OPTION],
  complete: ["volume"],
  examples: [
    { line: "tare volume inspect models", text: "all there is to know" },
    { line: "tare volume inspect -f '{{.Mountpoint}}' models", text: "the folder on this machine" },
  ],
  run: (context, parsed) => inspect(context, parsed, ["volume"]),
};

const VERBOSE: OptionSpec = {
  name: "verbose",
  short: "v",
  type: "boolean",
  description: "Accepted; there is no Swarm to tell of",
  hidden: true,
};

/** `tare network inspect`. */
export const networkInspect: CommandBody = {
  ...command,
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  options: [FORMAT, VERBOSE, JSON_OPTION],
  complete: ["network"],
  examples: [
    { line: "tare network inspect bridge", text: "the default network and who is in it" },
    { line: "tare network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' team", text: "its addresses" },
  ],
  run: (context, parsed) => inspect(context, parsed, ["network"]),
};

/** Prints what was found, then the errors; exit code 1 when something is missing, as Docker does. */
async function inspect(context: CommandContext, parsed: ParsedArguments, kinds: readonly Kind[]): Promise<number> {
  const format = parsed.string("format");
  const template = format === undefined || format === "json" ? undefined : compileTemplate(format);
  if (parsed.has("security") && parsed.boolean("security")) return await inspectSecurity(context, parsed, kinds);
  const engine = await context.engine();
  const documents: InspectDocument[] = [];
  const errors: unknown[] = [];
  for (const name of parsed.positionals) {
    const found = await lookUp({ engine, parsed, kinds }, name).catch((error: unknown) => void errors.push(error));
    if (found) documents.push(found);
  }
  if (template) for (const document of documents) context.stdout.write(`${filled(template, document)}\n`);
  else if (format === "json") for (const document of documents) context.stdout.write(`${JSON.stringify(document)}\n`);
  else context.stdout.write(`${JSON.stringify(documents, undefined, 4)}\n`);
  for (const error of errors) printError(context, error);
  return errors.length > 0 ? 1 : 0;
}

async function inspectSecurity(
  context: CommandContext,
  parsed: ParsedArguments,
  kinds: readonly Kind[],
): Promise<number> {
  const { securityText } = await import("../security-text.ts");
  const { containers } = await context.engine();
  const reports: SecurityReport[] = [];
  for (const name of parsed.positionals) reports.push(await securityOf(containers, name, kinds));
  if (parsed.boolean("json")) context.stdout.write(`${JSON.stringify(reports, undefined, 2)}\n`);
  else context.stdout.write(reports.map((report) => securityText(report, context.stdout.color)).join("\n"));
  return 0;
}

/** Of the container of that name, or else of the image. */
async function securityOf(
  containers: Engine["containers"],
  name: string,
  kinds: readonly Kind[],
): Promise<SecurityReport> {
  if (kinds[0] === "image") return await containers.security(name, "image");
  try {
    return await containers.security(name, "container");
  } catch (error) {
    if (!kinds.includes("image") || !isTareError(error, "E_CONTAINER_NOTFOUND")) throw error;
    return await containers.security(name, "image");
  }
}

/** What JSON leaves out when it is empty; templates see it, as in Docker's typed documents. */
const LEFT_OUT = { StopSignal: "", StopTimeout: null, Healthcheck: null, ExposedPorts: null };

function filled(template: Template, document: InspectDocument): string {
  try {
    return template(document);
  } catch (error) {
    const { Config: config } = document;
    if (!isTareError(error, "E_USAGE") || typeof config !== "object" || config === null) throw error;
    return template({ ...document, Config: { ...LEFT_OUT, ...config } });
  }
}

interface LookUp {
  readonly engine: Engine;
  readonly parsed: ParsedArguments;
  readonly kinds: readonly Kind[];
}

/** The first kind that knows the name. */
async function lookUp({ engine, parsed, kinds }: LookUp, name: string): Promise<InspectDocument> {
  for (const kind of kinds) {
    try {
      return await documentOf(kind, { engine, parsed, name });
    } catch (error) {
      if (!isTareError(error) || !isNotFound(error) || kinds.length === 1) throw error;
    }
  }
  throw new TareError("E_IMAGE_NOTFOUND", `inspecting \`${name}\`: no such container, image, network or volume`, {
    hint: "`tare ps -a`, `tare images`, `tare network ls` and `tare volume ls` list what there is",
  });
}

function documentOf(
  kind: Kind,
  { engine, parsed, name }: { readonly engine: Engine; readonly parsed: ParsedArguments; readonly name: string },
): Promise<InspectDocument> {
  switch (kind) {
    case "container":
      return containerOf(engine, parsed, name);
    case "image":
      return imageOf(engine, parsed, name);
    case "network":
      return engine.networks.inspect(name);
    case "volume":
      return engine.volumes.inspect(name);
  }
}

function containerOf(engine: Engine, parsed: ParsedArguments, name: string): Promise<InspectDocument> {
  return engine.containers.inspect(name, { size: parsed.boolean("size") });
}

function imageOf(engine: Engine, parsed: ParsedArguments, name: string): Promise<InspectDocument> {
  const platform = parsed.string("platform");
  return engine.images.inspect(name, platform === undefined ? {} : { platform });
}

const NOT_FOUND: readonly string[] = [
  "E_IMAGE_NOTFOUND",
  "E_CONTAINER_NOTFOUND",
  "E_NETWORK_NOTFOUND",
  "E_VOLUME_NOTFOUND",
  "E_REF",
];

function isNotFound(error: TareError): boolean {
  return NOT_FOUND.includes(error.code);
}
