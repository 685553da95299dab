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

const DURATIONS = ["health-interval", "health-timeout", "health-start-period", "health-start-interval"] as const;

/** What these options ask for. Throws `E_USAGE` with Docker's texts. */
export function healthRequest(parsed: ParsedArguments): Pick<CreateRequest, "healthcheck" | "noHealthcheck"> {
  const noHealthcheck = parsed.boolean("no-healthcheck");
  const [interval = 0, timeout = 0, startPeriod = 0, startInterval = 0] = DURATIONS.map(
    (name) => oneValue(parsed, name, parseDuration) ?? 0,
  );
  const retries = parsed.integer("health-retries") ?? 0;
  const command = parsed.string("health-cmd") ?? "";
  const isAsked =
    command !== "" || [interval, timeout, startPeriod, startInterval, retries].some((value) => value !== 0);
  if (!isAsked) return { noHealthcheck };
  if (noHealthcheck) throw usageError("--no-healthcheck conflicts with --health-* options");
  for (const [index, value] of [interval, timeout, startPeriod, startInterval].entries()) {
    if (value < 0) throw usageError(`--${DURATIONS[index]} cannot be negative`);
  }
  if (retries < 0) throw usageError("--health-retries cannot be negative");
  const healthcheck = {
    ...(command === "" ? {} : { Test: ["CMD-SHELL", command] }),
    Interval: interval,
    Timeout: timeout,
    StartPeriod: startPeriod,
    StartInterval: startInterval,
    Retries: retries,
  };
  return { noHealthcheck, healthcheck: withoutZeros(healthcheck) };
}

function withoutZeros<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0)) as Partial<T>;
}
