// SPDX-License-Identifier: Apache-2.0
/** Who is compared: each way of building and shipping a project, with its commands. */
import type { Command } from "../measure.ts";
import type { ProjectWriter } from "./projects.ts";

/** The two that ratios are given to: (a) what a default Dockerfile does, (b) the strongest. */
export type Baseline = "a" | "b";

/** How a build differs from the usual one. */
export interface BuildOptions {
  readonly noCache?: boolean;
  /** Tare: pushes in the same command. */
  readonly push?: boolean;
}

/** A way of building and shipping. */
export interface Contender {
  /** Short, for options and repositories. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly isTare: boolean;
  readonly baseline?: Baseline;
  /** Takes a minute a build: fewer rounds. */
  readonly isSlow: boolean;
  /** Which `.pyc` files its images have. */
  readonly bytecode: "none" | "imported" | "all";
  readonly write: ProjectWriter;
  /** The state of a cold build: base and wheels are there, nothing made of them. */
  begin(): void;
  build(folder: string, image: string, options?: BuildOptions): Command;
  /** Absent where building pushes. */
  push?(image: string): Command;
  /** What makes an image startable that was only pushed. */
  local?(folder: string, image: string): Command;
  /** Absent for engines that only build. */
  run?(image: string, words: readonly string[]): Command;
  /** Makes room; what fails is left. */
  forget(images: readonly string[]): readonly Command[];
  /** After the last round. */
  end(): void;
}
