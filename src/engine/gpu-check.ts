// SPDX-License-Identifier: Apache-2.0
/* `gpu check`: this host, or machines that were described, against an image or alone. */
import { TareError, isRootless, suggest } from "../base/index.ts";
import {
  checkGpuHost,
  checkImage,
  checkTarget,
  currentGpuData,
  describeTarget,
  isTargetText,
  parseGpuTarget,
  readHostState,
  targetsOfHost,
} from "../gpu/index.ts";
import { cdiRegistry } from "./devices.ts";
import { describedHost } from "./gpu-host.ts";
import { gpuNeedsOfImage } from "./gpu-needs.ts";
import type { GpuData, GpuTarget } from "../gpu/index.ts";
import type { GpuCheckRequest, GpuTargetReport } from "./facade-gpu.ts";
import type { Rooms } from "./rooms.ts";

/** Compares; see `GpusApi.check`. */
export async function checkGpus(rooms: Rooms, request: GpuCheckRequest): Promise<readonly GpuTargetReport[]> {
  const { data } = await currentGpuData(rooms.reader());
  const targets = await targetsOf(request);
  if (request.image === undefined && targets.length === 0) return [await hostReport(rooms, data, request.signal)];
  const { image } = request;
  const needs = image === undefined ? undefined : await gpuNeedsOfImage(rooms, { ...request, image });
  const machines = targets.length > 0 ? targets : targetsOfHost(await describedHost(rooms, request.signal));
  if (machines.length === 0) return [await hostReport(rooms, data, request.signal)];
  return machines.map((target) => ({
    target: target.name,
    about: describeTarget(target, data),
    findings: needs === undefined ? checkTarget(target, data) : checkImage(target, needs, data),
  }));
}

function placeOf({ settings }: Rooms): { readonly driverRoot: string } {
  return { driverRoot: settings.driverRoot };
}

async function hostReport(rooms: Rooms, data: GpuData, signal: AbortSignal | undefined): Promise<GpuTargetReport> {
  const host = await describedHost(rooms, signal);
  const cdi = await cdiRegistry(rooms.settings);
  const state = readHostState({ host, cdi, isOrdinary: isRootless(), place: placeOf(rooms) });
  const about = targetsOfHost(host).map((target) => describeTarget(target, data));
  return { target: "this host", about: about.join("; ") || "no GPU", findings: checkGpuHost(state, data) };
}

/** Descriptions as they are, names from the project's settings. */
async function targetsOf({ targets, folder }: GpuCheckRequest): Promise<readonly GpuTarget[]> {
  if (targets.every(isTargetText)) return targets.map((text) => parseGpuTarget(text));
  const { projectIn } = await import("../build/index.ts");
  const named = projectIn(folder)?.config.gpu?.targets ?? {};
  return targets.map((text) => {
    if (isTargetText(text)) return parseGpuTarget(text);
    const found = named[text];
    if (found !== undefined) return parseGpuTarget(found, text);
    throw unknownTarget(text, Object.keys(named));
  });
}

function unknownTarget(name: string, known: readonly string[]): TareError {
  const near = suggest(name, known);
  const others = known.length === 0 ? "none has a name here" : `known: ${known.join(", ")}`;
  return new TareError("E_USAGE", `there is no GPU target \`${name.slice(0, 40)}\``, {
    hint:
      near === undefined
        ? `${others}; describe one as \`driver=535,sm=70\`, or name it below [gpu.targets] of tare.toml`
        : `did you mean \`${near}\``,
  });
}
