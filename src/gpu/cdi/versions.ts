// SPDX-License-Identifier: Apache-2.0
import type { CdiEdits, CdiSpec } from "../types.ts";
import { splitKind } from "./names.ts";

const OLDEST = "0.3.0";

/** Versions that there are, newest first, with what of a specification each brought. */
const VERSIONS: readonly (readonly [version: string, needs: (spec: CdiSpec) => boolean])[] = [
  ["1.1.0", (spec) => someEdits(spec, needsNetworkOrMonitoring)],
  ["1.0.0", () => false],
  ["0.8.0", () => false],
  ["0.7.0", (spec) => someEdits(spec, (edits) => edits.intelRdt !== undefined || hasAny(edits.additionalGids))],
  ["0.6.0", needsAnnotationsOrDots],
  ["0.5.0", needsHostPathOrDigits],
  ["0.4.0", (spec) => someEdits(spec, ({ mounts }) => (mounts ?? []).some(({ type }) => (type ?? "") !== ""))],
  [OLDEST, () => true],
  ["0.2.0", () => false],
  ["0.1.0", () => false],
];

/** The lowest version that has all that a specification uses. */
export function minimumVersion(spec: CdiSpec): string {
  return VERSIONS.find(([, needs]) => needs(spec))?.[0] ?? OLDEST;
}

/** What a specification's version is wrong with, or undefined. */
export function versionFault(spec: CdiSpec): string | undefined {
  const known = VERSIONS.map(([version]) => version);
  const at = known.indexOf(spec.cdiVersion.replace(/^v/, ""));
  if (at < 0) return `invalid version "${spec.cdiVersion.slice(0, 100)}": there are ${OLDEST} to ${known[0] ?? ""}`;
  const minimum = minimumVersion(spec);
  if (at <= known.indexOf(minimum)) return undefined;
  return `the spec version must be at least v${minimum} for what it uses, and is ${spec.cdiVersion}`;
}

/** True for a version that is at least 1.1.0, which dropped two fields. */
export function isSince110({ cdiVersion }: CdiSpec): boolean {
  return cdiVersion.replace(/^v/, "") === "1.1.0";
}

function someEdits(spec: CdiSpec, test: (edits: CdiEdits) => boolean): boolean {
  return [spec.containerEdits ?? {}, ...spec.devices.map(({ containerEdits }) => containerEdits)].some(test);
}

function needsNetworkOrMonitoring({ intelRdt, netDevices }: CdiEdits): boolean {
  return hasAny(netDevices) || intelRdt?.schemata !== undefined || intelRdt?.enableMonitoring === true;
}

function needsAnnotationsOrDots({ annotations, devices, kind }: CdiSpec): boolean {
  const annotated = [annotations, ...devices.map((device) => device.annotations)];
  return annotated.some((one) => Object.keys(one ?? {}).length > 0) || splitKind(kind).class.includes(".");
}

function needsHostPathOrDigits(spec: CdiSpec): boolean {
  if (spec.devices.some(({ name }) => /^[0-9]/.test(name))) return true;
  return someEdits(spec, ({ deviceNodes }) => (deviceNodes ?? []).some(({ hostPath }) => (hostPath ?? "") !== ""));
}

function hasAny(list: readonly unknown[] | undefined): boolean {
  return list !== undefined && list.length > 0;
}
