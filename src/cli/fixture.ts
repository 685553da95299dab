// SPDX-License-Identifier: Apache-2.0
// For tests: the command line with captured output and an engine that only has what a test gives.
import { Readable } from "node:stream";
import { main } from "./main.ts";
import type { Engine } from "../engine/index.ts";
import type { Output } from "./output.ts";

/** What a command line printed and answered. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Groups of the engine with only some methods. */
export type PartialEngine = {
  readonly [K in keyof Engine]?: Engine[K] extends object ? Partial<Engine[K]> : Engine[K];
};

/** Settings of `tare`. */
export interface FixtureOptions {
  readonly engine?: PartialEngine;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly stdinIsTerminal?: boolean;
  readonly columns?: number;
}

/** The time that commands see. */
export const NOW: number = Date.parse("2026-01-02T03:04:05Z");

/** Runs one command line. */
export async function tare(words: readonly string[], options: FixtureOptions = {}): Promise<Outcome> {
  const printed = { stdout: "", stderr: "" };
  const output = (stream: "stdout" | "stderr"): Output => ({
    write: (text) => void (printed[stream] += typeof text === "string" ? text : Buffer.from(text).toString()),
    isTerminal: false,
    color: false,
    size: () => ({ columns: options.columns ?? 80, rows: 24 }),
  });
  const code = await main({
    words,
    env: options.env ?? {},
    cwd: "/work",
    parts: {
      stdout: output("stdout"),
      stderr: output("stderr"),
      now: () => NOW,
      stdinIsTerminal: options.stdinIsTerminal ?? false,
      stdin: () => Readable.from([Buffer.from(options.input ?? "")]),
      openEngine: () => ({ close: () => undefined, ...options.engine }) as unknown as Engine,
    },
  });
  return { code, ...printed };
}
