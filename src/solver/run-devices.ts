// SPDX-License-Identifier: Apache-2.0
/*
 * `RUN --device`. Which devices a request means is looked up when the step's key is made, so that a step is run again
 * when a device has appeared or gone; a request without `required` for what is not here asks for nothing.
 */
import { TareError } from "../base/index.ts";
import type { CdiRegistry, CdiResolution } from "../gpu/index.ts";
import type { RunOp } from "../graph/index.ts";
import type { StepContext } from "./types.ts";

const PRIVILEGE = "device";

/** Qualified names of the devices that a step gets, each once, in the order asked for. Throws `E_CDI_DEVICE`, `E_ENTITLEMENT`. */
export async function deviceNames(step: StepContext, op: RunOp): Promise<readonly string[]> {
  return [...new Set((await lookedUp(step, op)).flatMap(({ names }) => names))];
}

/** What the devices of a step change in its container; undefined without any. Throws as `deviceNames`. */
export async function stepDevices(step: StepContext, op: RunOp): Promise<CdiResolution | undefined> {
  const found = await lookedUp(step, op);
  for (const { wanted } of found.filter(({ names }) => names.length === 0)) {
    step.log(2, Buffer.from(`the device ${wanted} is not on this host: the step runs without it\n`));
  }
  const names = found.flatMap((device) => device.names);
  const registry = names.length === 0 ? undefined : await step.resources.devices?.();
  return registry?.resolve(names);
}

interface FoundDevices {
  readonly wanted: string;
  readonly names: readonly string[];
}

async function lookedUp({ resources }: StepContext, op: RunOp): Promise<readonly FoundDevices[]> {
  if (op.devices.length === 0) return [];
  const registry = await resources.devices?.();
  const found = op.devices.map(async ({ name, required }) => {
    const names = registry === undefined ? [] : await allowedDevices(registry, name, resources.allow);
    if (names.length === 0 && required) throw notHere(name, registry);
    return { wanted: name, names };
  });
  return await Promise.all(found);
}

async function allowedDevices(
  registry: CdiRegistry,
  name: string,
  allow: ReadonlySet<string>,
): Promise<readonly string[]> {
  const { devicesForBuild, isAutoAllowed } = await import("../gpu/index.ts");
  const { wanted, isGranted } = aliased(name, allow);
  const found = devicesForBuild(registry, wanted);
  const granted = new Set(
    grants(allow).flatMap((grant) => devicesForBuild(registry, grant.device).map((device) => device.name)),
  );
  const forbidden = found.filter((device) => !isGranted && !granted.has(device.name) && !isAutoAllowed(device));
  if (forbidden.length > 0) throw notAllowed(forbidden.map((device) => device.name));
  return found.map((device) => device.name);
}

/** `--allow device`, or `--allow device=name[,alias=word]`. */
interface Grant {
  readonly device: string;
  readonly alias?: string;
}

function grants(allow: ReadonlySet<string>): readonly Grant[] {
  return [...allow]
    .filter((entry) => entry.startsWith(`${PRIVILEGE}=`))
    .map((entry) => {
      const [device = "", ...rest] = entry.slice(PRIVILEGE.length + 1).split(",");
      const alias = rest.find((field) => field.startsWith("alias="))?.slice("alias=".length);
      return { device, ...(alias === undefined ? {} : { alias }) };
    });
}

function aliased(name: string, allow: ReadonlySet<string>): { readonly wanted: string; readonly isGranted: boolean } {
  const alias = grants(allow).find((grant) => grant.alias === name);
  return { wanted: alias?.device ?? name, isGranted: alias !== undefined || allow.has(PRIVILEGE) };
}

function notAllowed(names: readonly string[]): TareError {
  const [first = ""] = names;
  const what = names.length === 1 ? `device ${first} is` : `devices ${names.join(", ")} are`;
  return new TareError("E_ENTITLEMENT", `${what} requested by the build but not allowed`, {
    hint: `build with \`--allow device\`, or \`--allow device=${first}\` for this one, if you trust this Dockerfile`,
  });
}

function notHere(name: string, registry: CdiRegistry | undefined): TareError {
  const there = (registry?.devices() ?? []).map((device) => device.name);
  const problems = (registry?.problems ?? []).map(({ files, message }) => [...files, message].join(": "));
  const known = there.length === 0 ? "this host has no CDI device" : `there are ${there.slice(0, 8).join(", ")}`;
  return new TareError("E_CDI_DEVICE", `required device "${name}" is not registered`, {
    hint: [`${known}; drop \`,required\` to build without it`, ...problems].join("; "),
  });
}
