// SPDX-License-Identifier: Apache-2.0
/* What uv says that it would install, and which files those are. */
import { readLock, selectFromLock } from "../../python/index.ts";
import type { SelectedPackage } from "../../python/index.ts";
import type { DryRun } from "./dry-run.ts";
import type { ReportReading, ReportedWheel } from "./pip-report.ts";

/** Of `uv pip install`: its log has the versions, and the lock made from that their files. */
export function readUvLock(answer: DryRun): ReportReading {
  const { log } = answer;
  if (/^ \+ .* \(from /m.test(log)) return { reason: "it installs from a URL or a folder" };
  if (!/^ \+ /m.test(log)) return { wheels: [] };
  const wheels: ReportedWheel[] = [];
  for (const locked of select(answer)) {
    const wheel = wheelOf(locked);
    if (!wheel) return { reason: `${locked.name} has no wheel here and is built from its sources` };
    wheels.push(wheel);
  }
  return { wheels };
}

/**
 * Of `uv sync`: the wheels of indexes among what its log says. The project itself, and what is built or comes from
 * elsewhere, is left to uv.
 */
export function readUvSync(answer: DryRun): ReportReading {
  const { log } = answer;
  if (/^ ~ /m.test(log)) return { reason: "it installs again what is there" };
  const added = new Set(log.split("\n").flatMap((line) => /^ \+ ([^ ]+==[^ ]+)$/.exec(line)?.[1] ?? []));
  const wheels = select(answer).flatMap((locked) => {
    const isAdded = added.has(`${locked.name}==${locked.version ?? ""}`) && locked.direct === undefined;
    const wheel = isAdded ? wheelOf(locked) : undefined;
    return wheel?.digest === undefined ? [] : [wheel];
  });
  return { wheels };
}

/** Names of what uv takes out first. */
export function replacedByUv(log: string): readonly string[] {
  return log.split("\n").flatMap((line) => /^ [-~] ([^ =]+)/.exec(line)?.[1] ?? []);
}

function select({ text, target }: DryRun): readonly SelectedPackage[] {
  return selectFromLock(readLock(text, "pylock.toml"), target, { extras: [], groups: [] });
}

/** uv notes every distribution as requested. */
function wheelOf({ name, version = "", wheel }: SelectedPackage): ReportedWheel | undefined {
  if (wheel?.url === undefined) return undefined;
  const { fileName, url, digest } = wheel;
  return { name, version, fileName, url, isRequested: true, ...(digest === undefined ? {} : { digest }) };
}
