// SPDX-License-Identifier: Apache-2.0
import type { NamespaceLimits, OciSpec } from "../../runtime/index.ts";
import { applyEdits } from "./apply-edits.ts";
import { checkHostFiles } from "./check-host.ts";
import type { CdiHost } from "./host-node.ts";
import type { CdiResolution } from "./registry.ts";

/** The host, and the namespace of an ordinary user (`namespaceLimits()`). */
export interface GiveOptions {
  readonly host?: CdiHost;
  readonly namespace?: NamespaceLimits | undefined;
}

/** A container's configuration with devices, just before its start. Throws `E_CDI_DEVICE` for what this host lacks. */
export function giveDevices(spec: OciSpec, resolution: CdiResolution, options: GiveOptions = {}): OciSpec {
  checkHostFiles(resolution, { ...options, isOrdinary: options.namespace !== undefined });
  const given = applyEdits(spec, resolution.edits, options);
  const { resources } = given.linux;
  // `permissions: none` becomes a rule that allows nothing, which runc refuses to read; without it nothing is allowed too.
  const devices = resources.devices?.filter(({ access }) => access !== "");
  return devices === undefined ? given : { ...given, linux: { ...given.linux, resources: { ...resources, devices } } };
}
