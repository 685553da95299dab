// SPDX-License-Identifier: Apache-2.0

/** A shell script that is run with Docker's client as `docker`, and with Tare as `docker`. */
export interface CompatibilityCase {
  /** Short and unique: it begins the names of the case's containers, volumes and networks (`$n`). */
  readonly name: string;
  /** What it proves: `run --memory`, `volume ls`, `volume ls --filter`. */
  readonly rows: readonly string[];
  readonly script: string;
  /** What Tare says instead, where a row is different. Without it both say the same. */
  readonly tare?: string;
  /** Docker's version that first knows these flags: an older one is not asked, and `expected` stands for its answer. */
  readonly since?: number;
  readonly expected?: string;
}
