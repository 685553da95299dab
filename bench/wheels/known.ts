// SPDX-License-Identifier: Apache-2.0
/**
 * A machine that has nothing (no base, no wheel, no layer) builds and pushes a project whose layers of distributions the
 * repository has from another machine; the code is new.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { median, timed } from "../measure.ts";
import type { Contender } from "./contenders.ts";
import type { ShipPlace } from "./ship.ts";
import { emptyStore } from "./tare-contenders.ts";

/** Medians of what the second machine needs. */
export interface Known {
  readonly seconds: number;
  readonly bytes: number;
  /** Wheels that it fetched from the index, of all rounds. */
  readonly wheels: number;
}

/** What is asked besides what rounds need. */
export interface KnownPlace extends ShipPlace {
  readonly tareRoot: string;
  /** Requests for wheels since the last call. */
  readonly wheelRequests: () => Promise<number>;
}

/** Builds and pushes on one machine, then, timed, on another one. */
export async function measureKnown(place: KnownPlace, tare: Contender, rounds: number): Promise<Known> {
  const { registry, materials } = place;
  const folder = join(place.folder, "projects/known");
  const seconds: number[] = [];
  const bytes: number[] = [];
  let wheels = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const repository = `bench/known-${tare.id}-${round}`;
    const start = registry.mark();
    const write = (revision: number): void => {
      rmSync(folder, { recursive: true, force: true });
      tare.write(materials, folder, { pins: materials.set.pins, salt: `known ${round}`, revision });
    };
    write(0);
    tare.begin();
    timed(tare.build(folder, `${registry.host}/${repository}:1`));
    if (tare.push) timed(tare.push(`${registry.host}/${repository}:1`));
    write(1);
    emptyStore(place.tareRoot);
    await place.wheelRequests();
    const mark = registry.mark();
    seconds.push(timed(tare.build(folder, `${registry.host}/${repository}:2`, { push: true })));
    bytes.push(registry.uploaded(mark));
    wheels += await place.wheelRequests();
    place.note(
      `known, .pyc: ${tare.bytecode}: ${seconds.at(-1)?.toFixed(2)} s, ${bytes.at(-1)} bytes, ${wheels} wheels`,
    );
    tare.end();
    registry.forget(repository, start);
  }
  return { seconds: median(seconds), bytes: median(bytes), wheels };
}
