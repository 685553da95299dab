// SPDX-License-Identifier: Apache-2.0
/* The check before a container with GPUs starts; what nothing has changed for is known from the last time. */
import { join } from "node:path";
import { TareError, digestOfValue } from "../base/index.ts";
import { checkImage, currentGpuData, gpuDataMark, targetsOfHost } from "../gpu/index.ts";
import { describedHost } from "./gpu-host.ts";
import { keepFindings, knownFindings, programMark } from "./gpu-memo.ts";
import { readNeeds } from "./gpu-needs.ts";
import type { ContainerImage } from "../containers/index.ts";
import type { FoundDevices, GpuFinding, GpuTarget, HostGpu } from "../gpu/index.ts";
import type { CreateRequest } from "./facade-containers.ts";
import type { Rooms } from "./rooms.ts";

/** An image, and the devices that its container would get. */
interface WantedGpus {
  readonly image: ContainerImage;
  readonly devices: Pick<FoundDevices, "gpus">;
}

/**
 * Refuses an image that can't run on the GPUs that it would get; warnings are told. Throws `E_GPU_CHECK`, or tells errors
 * as warnings too with `gpuCheck` `warn`.
 */
export async function requireGpusSuit(rooms: Rooms, request: CreateRequest, wanted: WantedGpus): Promise<void> {
  const { gpuCheck = "error", onWarning } = request;
  const { image, devices } = wanted;
  const host = await describedHost(rooms, request.signal);
  const isGiven = ({ vendor, index }: HostGpu): boolean =>
    devices.gpus.some((gpu) => gpu.vendor === vendor && gpu.index === index);
  const targets = targetsOfHost({ ...host, gpus: host.gpus.filter(isGiven) });
  const findings = await findingsFor(rooms, request, { image, targets });
  const errors = findings.filter(({ level }) => level === "error");
  if (gpuCheck === "error" && errors.length > 0) throw refusal(image.reference, errors);
  const told = findings.filter(({ level }) => level === "error" || level === "warning");
  for (const { message, fix } of told) onWarning?.(fix === undefined ? message : `${message}; to change: ${fix}`);
}

interface Question {
  readonly image: ContainerImage;
  readonly targets: readonly GpuTarget[];
}

async function findingsFor(rooms: Rooms, request: CreateRequest, question: Question): Promise<readonly GpuFinding[]> {
  const { image, targets } = question;
  if (targets.length === 0) return [];
  const env = [...(image.defaults.Env ?? []), ...request.env];
  const file = join(rooms.settings.runRoot, "gpu-checks.json");
  const program = programMark();
  const data = gpuDataMark(rooms.writer());
  const key = digestOfValue({
    program: program ?? "",
    data,
    id: image.id,
    image: image.reference,
    targets,
    env: env.filter(isAsked),
  });
  const known = program === undefined ? undefined : knownFindings(file, key);
  if (known) return known;
  const findings = await compare(rooms, request, { ...question, env });
  if (program !== undefined) keepFindings(file, key, findings);
  return findings;
}

/** The variables that change what is found. */
function isAsked(entry: string): boolean {
  return /^(?:NVIDIA_|NV_|CUDA_|LD_LIBRARY_PATH=|AMD_|ROCR_|HIP_)/.test(entry);
}

async function compare(
  rooms: Rooms,
  { listener, signal }: CreateRequest,
  { image, targets, env }: Question & { readonly env: readonly string[] },
): Promise<readonly GpuFinding[]> {
  const store = rooms.writer();
  const { data } = await currentGpuData(store);
  const subject = { image: image.reference, env, diffIds: image.diffIds };
  const call = { ...(listener === undefined ? {} : { listener }), ...(signal === undefined ? {} : { signal }) };
  const needs = await readNeeds(store, subject, call);
  return targets.flatMap((target) => checkImage(target, needs, data));
}

function refusal(image: string, errors: readonly GpuFinding[]): TareError {
  const [first, ...others] = errors;
  const more = others.length === 0 ? "" : ` (and ${others.length} more: \`tare gpu check ${image}\`)`;
  const fix = first?.fix === undefined ? "" : `${first.fix}; `;
  return new TareError("E_GPU_CHECK", `starting \`${image}\` with GPUs: ${first?.message ?? ""}${more}`, {
    hint: `${fix}\`--gpu-check=warn\` starts it all the same`,
    exitCode: 125,
  });
}
