// SPDX-License-Identifier: Apache-2.0
import { parseDuration } from "../options/index.ts";
import { oneValue } from "./flag-value.ts";
import { flag, text } from "./option-specs.ts";
import { usageError } from "./usage-error.ts";
import type { CreateRequest } from "../engine/index.ts";
import type { OptionSpec } from "./command.ts";
import type { ParsedArguments } from "./parsed.ts";

const duration = (name: string, description: string): OptionSpec => text(name, description, { valueName: "duration" });

/** The options about health checks. */
export const HEALTH_OPTIONS: readonly OptionSpec[] = [
  text("health-cmd", "Command that says by its exit code whether the container is well"),
  duration("health-interval", "Time between checks (default 30s)"),
  duration("health-timeout", "A check that takes longer has failed (default 30s)"),
  text("health-retries", "So many failures in a row (default 3)", { valueName: "int" }),
  duration("health-start-period", "Failures so soon after the start do not count"),
  duration("health-start-interval", "Time between checks in the start period (default 5s)"),
  flag("no-healthcheck", "Ignore the image's HEALTHCHECK"),
];

/** Fields of the request that are numbers, and their flags. */
const NUMBERS = [
  ["Interval", "health-interval"],
  ["Timeout", "health-timeout"],
  ["StartPeriod", "health-start-period"],
  ["StartInterval", "health-start-interval"],
  ["Retries", "health-retries"],
] as const;

/** What these options ask for. Throws `E_USAGE` with Docker's texts. */
export function healthRequest(parsed: ParsedArguments): Pick<CreateRequest, "healthcheck" | "noHealthcheck"> {
  const noHealthcheck = parsed.boolean("no-healthcheck");
  const healthcheck = checkOf(parsed);
  if (Object.keys(healthcheck).length === 0) return { noHealthcheck };
  if (noHealthcheck) throw usageError("--no-healthcheck conflicts with --health-* options");
  for (const [field, name] of NUMBERS) {
    if ((healthcheck[field] ?? 0) < 0) throw usageError(`--${name} cannot be negative`);
  }
  return { noHealthcheck, healthcheck };
}

/** Without what is not given: a zero is the image's or the default. */
function checkOf(parsed: ParsedArguments): NonNullable<CreateRequest["healthcheck"]> {
  const command = parsed.string("health-cmd") ?? "";
  const time = (name: string): number => oneValue(parsed, name, parseDuration) ?? 0;
  return withoutZeros({
    ...(command === "" ? {} : { Test: ["CMD-SHELL", command] }),
    Interval: time("health-interval"),
    Timeout: time("health-timeout"),
    StartPeriod: time("health-start-period"),
    StartInterval: time("health-start-interval"),
    Retries: parsed.integer("health-retries") ?? 0,
  });
}

function withoutZeros<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0)) as Partial<T>;
}
