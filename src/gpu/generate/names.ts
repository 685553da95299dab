// SPDX-License-Identifier: Apache-2.0
import { joinEdits } from "../cdi/join-edits.ts";
import type { CdiDevice, CdiEdits } from "../types.ts";
import type { DeviceNaming, GenerateOptions } from "./options.ts";

/** A device before it is named. */
export interface Nameable {
  readonly names: Readonly<Record<DeviceNaming, string | undefined>>;
  readonly edits: CdiEdits;
}

const USUAL: readonly DeviceNaming[] = ["index", "uuid"];
/** What the standard allows. */
const VALID = /^[A-Za-z0-9](?:[\w.:-]*[A-Za-z0-9])?$/;

/** Devices of a specification, each by every naming that it has a name of, then all of them as `all`. */
export function namedDevices(found: readonly Nameable[], options: GenerateOptions): readonly CdiDevice[] {
  const { names = USUAL, hasAll = true } = options;
  const usable = found.filter(({ edits }) => Object.keys(edits).length > 0);
  const devices = names.flatMap((naming) =>
    usable.flatMap(({ names: own, edits }) => {
      const name = own[naming];
      return name === undefined || !VALID.test(name) ? [] : [{ name, containerEdits: edits }];
    }),
  );
  const unique = devices.filter(({ name }, index) => devices.findIndex((other) => other.name === name) === index);
  if (!hasAll || usable.length === 0) return unique;
  return [...unique, { name: "all", containerEdits: together(usable.map(({ edits }) => edits)) }];
}

function together(edits: readonly CdiEdits[]): CdiEdits {
  const { deviceNodes = [], additionalGids = [], ...rest } = joinEdits(edits);
  const nodes = deviceNodes.filter(
    ({ path }, index) => deviceNodes.findIndex((other) => other.path === path) === index,
  );
  return {
    ...rest,
    ...(nodes.length === 0 ? {} : { deviceNodes: nodes }),
    ...(additionalGids.length === 0 ? {} : { additionalGids: [...new Set(additionalGids)] }),
  };
}
