// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError } from "../base/index.ts";
import { assembleBase, parseRecipe, recipeNames } from "../bases/index.ts";
import { matchesSpecifier } from "../python/index.ts";
import { resolverOf } from "./pinned-resolver.ts";
import type { Platform } from "../oci/index.ts";
import type { BuildListener } from "../solver/index.ts";
import type { ProjectBuild } from "./project-build.ts";
import type { ImagePuller } from "./resolver.ts";
import type { ResolvedImage } from "./types.ts";
import type { Decision, Project } from "../project/index.ts";

/** What is taken when nothing says: its base is small, and nearly every wheel is built for it. */
const USUAL = "3.11";

/** The base of a project: its own choice, or the slim image of the Python that it wants. */
export function chooseBase(project: Project, asked?: string): Decision<string> {
  const { config, python, requiresPython } = project;
  if (config.base !== undefined) return { value: config.base, reason: "from [tool.tare]" };
  const version = asked === undefined ? (python ?? fitting(requiresPython)) : { value: asked, reason: "from --python" };
  return { value: `python:${version.value}-slim`, reason: version.reason };
}

/** The usual version when it satisfies `requires-python`, else the newest that can be assembled and does. */
function fitting(requiresPython: string | undefined): Decision<string> {
  if (requiresPython === undefined) return { value: USUAL, reason: "nothing asks for another" };
  const versions = recipeNames().flatMap(({ name }) => /^python:(3\.\d+)-slim$/.exec(name)?.[1] ?? []);
  const order = [USUAL, ...versions.toSorted((a, b) => Number(b.slice(2)) - Number(a.slice(2)))];
  const found = order.find(
    (version) => matchesSpecifier(`${version}.99`, requiresPython) || matchesSpecifier(`${version}.0`, requiresPython),
  );
  if (found !== undefined) return { value: found, reason: `fits requires-python ${requiresPython}` };
  throw new TareError(
    "E_PYTHON_NOTFOUND",
    `choosing a Python: none of ${versions.join(", ")} satisfies requires-python \`${requiresPython}\``,
    {
      hint: "name a base that has it: `base` in [tool.tare]",
    },
  );
}

/** The image: of the store, of a registry, or assembled where its name is a recipe and this user may. */
export async function resolveBase(
  { place, request }: ProjectBuild,
  reference: string,
  platform: Platform,
): Promise<ResolvedImage> {
  const canAssemble = process.platform === "linux" && process.getuid?.() === 0 && isRecipe(reference);
  const puller = place.puller && canAssemble ? softened(place.puller, request.listener) : place.puller;
  const { puller: _own, ...others } = place;
  const resolver = resolverOf({ ...others, ...(puller === undefined ? {} : { puller }) }, request, new Map());
  try {
    return await resolver.image(reference, platform);
  } catch (error) {
    if (!isTareError(error, "E_IMAGE_NOTFOUND") || !canAssemble) throw error;
    const { listener, signal } = request;
    await assembleBase(place.store, {
      recipe: reference,
      packages: [],
      tags: [],
      architecture: platform.architecture,
      force: false,
      env: place.env,
      ...(listener === undefined ? {} : { listener }),
      ...(signal === undefined ? {} : { signal }),
    });
    const { remote: _remote, puller: _puller, ...here } = place;
    return resolverOf(here, request, new Map()).image(reference, platform);
  }
}

function isRecipe(reference: string): boolean {
  try {
    parseRecipe(reference);
    return true;
  } catch (error) {
    if (isTareError(error)) return false;
    throw error;
  }
}

/** A registry that does not answer is no failure when there is another way: it is said in the step's output. */
function softened(puller: ImagePuller, listener: BuildListener | undefined): ImagePuller {
  if (!listener || puller.isForced) return puller;
  const own: BuildListener = (event) => {
    if (event.kind !== "failed") return listener(event);
    const { id, at, message } = event;
    const text = `no registry gives it (${message}): it is assembled from signed Debian packages\n`;
    listener({ kind: "log", id, stream: 1, data: Buffer.from(text), at });
    listener({ kind: "completed", id, at });
  };
  return { ...puller, isForced: false, pull: (reference, platform) => puller.pull(reference, platform, own) };
}
