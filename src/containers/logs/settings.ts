// SPDX-License-Identifier: Apache-2.0
import { expandTag, logLimits } from "../../options/index.ts";
import type { LogConfig, LogLimits, TagFields } from "../../options/index.ts";
import type { ContainerRecord } from "../types.ts";

const FILES: LogConfig = { driver: "json-file", options: {} };

/** How a container's output is kept. */
export function logConfigOf({ host }: Pick<ContainerRecord, "host">): LogConfig {
  return host.log ?? FILES;
}

/** How large its log may become; undefined when its log is not of files. */
export function logLimitsOf(record: Pick<ContainerRecord, "host">): LogLimits | undefined {
  const config = logConfigOf(record);
  return config.driver === "journald" || config.driver === "none" ? undefined : logLimits(config);
}

/** The `tag` of its log; undefined without one. */
export function logTagOf(record: ContainerRecord): string | undefined {
  const { tag } = logConfigOf(record).options;
  return tag === undefined || tag === "" ? undefined : expandTag(tag, tagFields(record));
}

function tagFields({ id, name, imageId, image }: ContainerRecord): TagFields {
  const digest = imageId.replace(/^sha256:/, "");
  return {
    ID: id.slice(0, 12),
    FullID: id,
    Name: name,
    ImageID: digest.slice(0, 12),
    ImageFullID: imageId,
    ImageName: image,
  };
}

/**
 * What `logs --details` prints before every line: the labels and variables that `--log-opt` names, and the tag, as
 * Docker writes them (`a=1,b=2`, escaped as in a query, in the order of their names).
 */
export function logDetails(record: ContainerRecord): string {
  const { options } = logConfigOf(record);
  const { Labels, Env } = record.config;
  const variables = Object.fromEntries(Env.map((word) => [word.split("=", 1)[0] ?? "", word.replace(/^[^=]*=/, "")]));
  const tag = logTagOf(record);
  const attributes = {
    ...chosen(Labels, options["labels"], options["labels-regex"]),
    ...chosen(variables, options["env"], options["env-regex"]),
    ...(tag === undefined ? {} : { tag }),
  };
  return Object.entries(attributes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .join(",");
}

function chosen(
  values: Readonly<Record<string, string>>,
  names: string | undefined,
  pattern: string | undefined,
): Readonly<Record<string, string>> {
  const wanted = new Set((names ?? "").split(","));
  const matches = pattern === undefined || pattern === "" ? undefined : new RegExp(pattern);
  return Object.fromEntries(Object.entries(values).filter(([name]) => wanted.has(name) || matches?.test(name)));
}

/** As Go's `url.QueryEscape`. */
function escaped(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
