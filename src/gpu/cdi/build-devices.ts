// SPDX-License-Identifier: Apache-2.0
// The names of `RUN --device` mean more than one device, and a specification says who may use it (BuildKit, docs/cdi.md).
import type { CdiRegistry, RegisteredDevice } from "./registry.ts";

const CLASS = "org.mobyproject.buildkit.device.class";
const AUTO_ALLOW = "org.mobyproject.buildkit.device.autoallow";
/** What Go's ParseBool takes for true. */
const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);

/**
 * The devices that a build's request names: `vendor/class=name` itself, `vendor/class=*` all of a kind, `vendor/class` the
 * first of a kind, and any other word, or one that fits none, those whose annotation gives them that class.
 */
export function devicesForBuild(registry: CdiRegistry, name: string): readonly RegisteredDevice[] {
  const all = registry.devices();
  const [kind = "", device] = cutFirst(name, "=");
  const ofKind = kind.includes("/") ? all.filter((one) => one.kind === kind) : [];
  const named = device === undefined ? ofKind.slice(0, 1) : ofKind.filter((one) => one.device.name === device);
  const found = device === "*" ? ofKind : named;
  return found.length > 0 ? found : all.filter((one) => annotation(one, CLASS) === name);
}

/** True for a device whose specification lets every build use it. */
export function isAutoAllowed(device: RegisteredDevice): boolean {
  return TRUE.has(annotation(device, AUTO_ALLOW) ?? "");
}

function annotation({ spec, device }: RegisteredDevice, name: string): string | undefined {
  return device.annotations?.[name] ?? spec.annotations?.[name];
}

function cutFirst(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}
