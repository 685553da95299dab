// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { escapeLine } from "./text/escape.ts";
import { humanSize } from "./text/human.ts";
import type { LockChange, LockResult } from "../engine/index.ts";

/** What locking did: what changed, then one line of facts. */
export function lockText(result: LockResult): string {
  const { file, isWritten, changes, warnings } = result;
  const notes = warnings.map((text) => `warning: ${escapeLine(text)}\n`).join("");
  const verb = isWritten ? (changes.length === 0 ? "written again, nothing changed" : "written") : "up to date";
  return `${notes}${changes.map((each) => `${escapeLine(changeText(each))}\n`).join("")}${escapeLine(file)}: ${verb}: ${factsText(result)}\n`;
}

/** Why a lock is not up to date, and what would change; the first line tells it all. */
export function staleError({ file, inputs, problems, changes }: LockResult): TareError {
  const would = changes.length === 0 ? [] : ["`tare lock` would change:", ...changes.map(changeText)];
  const heading = `checking ${file}: it does not satisfy ${inputs.join(", ")} any more`;
  return new TareError("E_LOCK_STALE", [heading, ...problems, ...would].join("\n"), { hint: "run `tare lock`" });
}

function factsText({ packages, size, python, pythonReason, platform, isUniversal, accelerator }: LockResult): string {
  const sources = packages.filter(({ isWheel }) => !isWheel).length;
  const count = `${packages.length} package${packages.length === 1 ? "" : "s"}`;
  const built = sources === 0 ? "" : `, ${sources} to be built`;
  const target = isUniversal
    ? `every platform, Python ${python} or newer`
    : `Python ${python} (${pythonReason}) on ${platform}`;
  const builds = accelerator === undefined ? "" : `, ${accelerator}`;
  return `${count}, ${humanSize(size, 3)}${built}; for ${target}${builds}`;
}

/** `+ name version`, `- name version`, `~ name version -> version`. */
function changeText({ name, from, to }: LockChange): string {
  if (from === undefined) return `+ ${name} ${to ?? ""}`;
  return to === undefined ? `- ${name} ${from}` : `~ ${name} ${from} -> ${to}`;
}
