// SPDX-License-Identifier: Apache-2.0
import { joinKernels } from "../elf/kernels.ts";
import { cudaOfDistribution, cudaOfLocal, cudaOfPins, parseMetadata } from "./metadata.ts";
import type { Metadata } from "./metadata.ts";
import { hasGpuSign, isForGpus, isNamedForGpus, isOfToolkit } from "./signs.ts";
import type { GpuKernels, GpuPackage } from "../types.ts";
import type { ObjectKernels } from "../elf/kernels.ts";
import type { DistributionFiles, NeedsOptions, SharedObject } from "./types.ts";

/** What a distribution needs of GPUs; undefined for one that uses none. */
export async function needsOfDistribution(
  files: DistributionFiles,
  options: NeedsOptions,
): Promise<GpuPackage | undefined> {
  const metadata = parseMetadata(files.metadata);
  if (metadata === undefined) return undefined;
  const paths = files.objects.map(({ path }) => path);
  if (!hasGpuSign(metadata, paths)) return undefined;
  const objects = isOfToolkit(metadata.name) ? undefined : await readObjects(metadata, files.objects, options);
  const hasCode = objects?.kernels !== undefined && !isEmpty(objects.kernels);
  const found = packageOf(metadata, objects);
  return hasCode || found.cuda !== undefined || found.requires || isNamedForGpus(metadata.name) ? found : undefined;
}

function packageOf(metadata: Metadata, objects: ObjectsFacts | undefined): GpuPackage {
  const { name, version, pins } = metadata;
  const cuda = cudaOfDistribution(name, version) ?? cudaOfPins(pins) ?? cudaOfLocal(version) ?? objects?.toolkit;
  const kernels = objects?.kernels;
  return {
    name,
    version,
    ...(cuda === undefined ? {} : { cuda }),
    ...(Object.keys(pins).length === 0 ? {} : { requires: pins }),
    source: cuda === undefined && kernels === undefined ? "unknown" : "wheel",
    ...(kernels === undefined ? {} : { kernels }),
  };
}

/** A distribution of which only the name is known: nobody has its files. */
export function packageByName(name: string, version: string): GpuPackage | undefined {
  const cuda = cudaOfDistribution(name, version) ?? cudaOfLocal(version);
  if (cuda === undefined && !isNamedForGpus(name)) return undefined;
  return { name, version, ...(cuda === undefined ? {} : { cuda }), source: cuda === undefined ? "unknown" : "wheel" };
}

interface ObjectsFacts {
  readonly kernels?: GpuKernels;
  readonly toolkit?: string;
}

/** All shared objects together; one that can't be read makes the kernels unknown. */
async function readObjects(
  { name, version }: Metadata,
  objects: readonly SharedObject[],
  { signal, onFile }: NeedsOptions,
): Promise<ObjectsFacts> {
  const facts: (ObjectKernels | undefined)[] = [];
  for (const object of objects.filter(({ path }) => isForGpus(path))) {
    signal?.throwIfAborted();
    onFile?.({ of: `${name} ${version}`, path: object.path, size: object.size });
    facts.push(await object.read(signal));
  }
  const known = facts.filter((one) => one !== undefined);
  const [toolkit, ...others] = new Set(known.flatMap((one) => one.toolkit ?? []));
  return {
    ...(known.length < facts.length ? {} : { kernels: joinKernels(known) }),
    // Objects for several toolkits (bitsandbytes has one for each) say nothing of which one is used.
    ...(toolkit === undefined || others.length > 0 ? {} : { toolkit }),
  };
}

function isEmpty({ cubins, ptx, partial = [], gfx = [] }: GpuKernels): boolean {
  return cubins.length + ptx.length + partial.length + gfx.length === 0;
}
