// SPDX-License-Identifier: Apache-2.0
/* `--slim`: what a project's image does without, and what was left out of it. */
import { chooseSlim, sumLeftOut, wheelLayer } from "../python/index.ts";
import { TreeView } from "../store/index.ts";
import type { Digest } from "../base/index.ts";
import type { LeftOut, SlimChoice } from "../python/index.ts";
import type { Store } from "../store/index.ts";
import type { ProjectBuild } from "./project-build.ts";
import { bringBase } from "./remote-build.ts";
import type { ChosenWheels } from "./project-wheels.ts";
import type { ResolvedImage } from "./types.ts";

/** The rules that apply: what compilers read stays where the base or a distribution has one. Throws `E_USAGE`. */
export async function slimOf(
  { place, request, project }: Pick<ProjectBuild, "place" | "request" | "project">,
  base: ResolvedImage,
  { wheels }: Pick<ChosenWheels, "wheels">,
): Promise<SlimChoice> {
  const asked = request.python?.slim ?? project.config.slim ?? [];
  if (asked.length === 0) return { rules: [], heldBack: [] };
  await bringBase(place, base);
  return chooseSlim(asked, {
    programs: programsOf(new TreeView(place.store.layers.getAll(base.config.rootfs.diff_ids)), base),
    distributions: wheels.map(({ name }) => name),
    packages: project.config.packages,
  });
}

const USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function programsOf(tree: TreeView, base: ResolvedImage): readonly string[] {
  const path = base.config.config?.Env?.find((entry) => entry.startsWith("PATH="))?.slice(5) ?? "";
  const folders = new Set([...path.split(":"), ...USUAL_PATH.split(":")].map((folder) => folder.replace(/^\/+/, "")));
  return [...folders].flatMap((folder) => tree.list(folder)).map((entry) => entry.path.split("/").at(-1) ?? "");
}

/** What `--slim` left out of layers. */
export function leftOutOfLayers(store: Store, layers: readonly Digest[]): readonly LeftOut[] {
  return sumLeftOut([...new Set(layers)].flatMap((layer) => wheelLayer(store, layer)?.leftOut ?? []));
}
