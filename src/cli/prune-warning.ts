// SPDX-License-Identifier: Apache-2.0
/* What a prune is about to take away, by name, before it asks. */
import { humanSize } from "./text/human.ts";

/** A volume that would go. */
interface Doomed {
  readonly name: string;
  readonly size: number;
}

const MOST = 20;

/** The warning of `volume prune`. */
export function volumeWarning(all: boolean, volumes: readonly Doomed[]): string {
  const kind = all ? "volumes" : "anonymous volumes";
  return `WARNING! This will remove all ${kind} not used by at least one container.${listText(volumes)}`;
}

/** Names with sizes, a line each; the last line says how many more there are. */
export function listText(items: readonly Doomed[]): string {
  if (items.length === 0) return "";
  const lines = items.slice(0, MOST).map(({ name, size }) => `\n  ${name} (${humanSize(size)})`);
  const more = items.length > MOST ? `\n  and ${items.length - MOST} more` : "";
  return `${lines.join("")}${more}`;
}
