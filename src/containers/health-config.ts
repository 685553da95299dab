// SPDX-License-Identifier: Apache-2.0
/* A health check as the image and the flags give it together, in Docker's words, and as it is carried out. */
import { TareError } from "../base/index.ts";
import type { Healthcheck } from "../oci/index.ts";

/** A check to carry out; times in milliseconds. */
export interface HealthCheck {
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  /** For so long after the start failures do not count. */
  readonly startPeriod: number;
  /** Between checks of a container that is not healthy yet, during the start period. */
  readonly startInterval: number;
  readonly retries: number;
}

const NANOSECONDS = 1e6;
const DURATIONS = ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const;
const DEFAULTS = { Interval: 30_000, Timeout: 30_000, StartPeriod: 0, StartInterval: 5000, Retries: 3 } as const;

/**
 * The flags' check, with the image's values where the flags have none, as Docker does. Throws `E_USAGE` for a time
 * below a millisecond.
 */
export function mergeHealthcheck(
  image: Healthcheck | null | undefined,
  own: Healthcheck | undefined,
): Healthcheck | undefined {
  for (const name of DURATIONS) {
    const value = own?.[name] ?? 0;
    if (value !== 0 && value < NANOSECONDS) {
      throw new TareError("E_USAGE", `${name} in Healthcheck cannot be less than 1ms`, { exitCode: 125 });
    }
  }
  if (!own || !image) return own ?? image ?? undefined;
  const given = Object.entries(own).filter(([, value]) => value !== 0 && value !== undefined && !isEmpty(value));
  return { ...image, ...Object.fromEntries(given) };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** What to carry out; undefined for a container without a check, or with `NONE`. `shell`: of the image. */
export function healthCheckOf(config: {
  readonly Healthcheck?: Healthcheck | undefined;
  readonly Shell?: readonly string[] | undefined;
}): HealthCheck | undefined {
  const { Healthcheck: check, Shell: shell } = config;
  const command = commandOf(check?.Test ?? [], shell && shell.length > 0 ? shell : ["/bin/sh", "-c"]);
  if (command === undefined || check === undefined) return undefined;
  const [interval = 0, timeout = 0, startPeriod = 0, startInterval = 0] = DURATIONS.map((name) =>
    check[name] ? Math.max(1, Math.round(check[name] / NANOSECONDS)) : DEFAULTS[name],
  );
  return { command, interval, timeout, startPeriod, startInterval, retries: check.Retries || DEFAULTS.Retries };
}

function commandOf([kind, ...words]: readonly string[], shell: readonly string[]): readonly string[] | undefined {
  if (words.length === 0) return undefined;
  if (kind === "CMD") return words;
  return kind === "CMD-SHELL" ? [...shell, ...words] : undefined;
}
