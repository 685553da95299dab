// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { DEFAULT_EPOCH, digestOfValue, isDigest } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import { formatReference, hostPlatform, parseImageName, parseManifestOrIndex } from "../oci/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import { finishLayer } from "../solver/index.ts";
import type { BuildListener } from "../solver/index.ts";
import { writeImage } from "../images/index.ts";
import { downloadPackages, missingBytes, prepareApt, resolvePackages, updateLists, withAptLock } from "./apt.ts";
import type { AptFolder, ResolvedPackage } from "./apt.ts";
import { COUNT_ANNOTATION, RECIPE_ANNOTATION, baseConfig, packageAnnotations } from "./base-config.ts";
import { bootstrap, systemPackages } from "./bootstrap.ts";
import { cleanTree } from "./clean-tree.ts";
import { requireHost } from "./host.ts";
import { Progress } from "./progress.ts";
import { pythonExtras } from "./python-setup.ts";
import { parseRecipe } from "./recipe.ts";
import type { Recipe } from "./recipe.ts";
import { debianArchitecture } from "./suites.ts";
import { chooseMirrors, defaultMirrors, formatSources, readHostSources, requireKeyring } from "./sources.ts";
import type { Mirrors } from "./sources.ts";

/** What `tare base` is asked for. */
export interface AssembleRequest {
  /** `debian:bookworm-slim`, `ubuntu:24.04`, `python:3.11-slim` … */
  readonly recipe: string;
  readonly suite?: string;
  /** Packages besides the recipe's, `name` or `name=version`. */
  readonly packages: readonly string[];
  readonly mirror?: string;
  /** Names of the result; default: the recipe's. */
  readonly tags: readonly string[];
  /** Debian's or OCI's name; default: this machine's. */
  readonly architecture?: string;
  /** Look for newer packages although the name exists. */
  readonly force: boolean;
  /** The caller's environment, for its proxy variables. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly listener?: BuildListener;
  readonly signal?: AbortSignal;
}

/** An assembled base image. */
export interface AssembledBase {
  /** Config digest: Docker's image ID. */
  readonly id: Digest;
  readonly digest: Digest;
  /** Full names. */
  readonly names: readonly string[];
  readonly packages: number;
  /** Bytes of file content. */
  readonly size: number;
  /** True when the store had it already and nothing was assembled. */
  readonly existed: boolean;
}

/** Part of the key of finished bases: raise it whenever the same packages give another tree than before. */
const METHOD = 2;

interface Plan {
  readonly recipe: Recipe;
  readonly architecture: string;
  readonly sources: string;
  /** What apt in the image reads. */
  readonly imageSources: string;
  readonly names: readonly string[];
  readonly progress: Progress;
  readonly proxies: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * Makes a base image from signed Debian or Ubuntu packages and names it. The same packages give the same digest. When
 * all names exist and were assembled by the same recipe, nothing is done unless `force`; when the packages are those of a
 * base made before, its layer is taken. Needs root and mmdebstrap. Throws `E_BASE_*`, `E_PERMISSION`, `E_PROGRAM_MISSING`, `E_UNSUPPORTED`, `E_REF`.
 */
export async function assembleBase(store: Store, request: AssembleRequest): Promise<AssembledBase> {
  const recipe = parseRecipe(request.recipe, request);
  const names = (request.tags.length > 0 ? request.tags : [recipe.name]).map((tag) =>
    formatReference(parseImageName(tag)),
  );
  const known = request.force ? undefined : knownImage(store, names, recipeDigest(recipe, request.architecture));
  if (known) return resultOf(store, known, names, true);
  const progress = new Progress(request.listener);
  const plan = makePlan(recipe, names, progress, request);
  const { suite } = recipe;
  const folder = join(store.root, "cache", "apt", `${suite.name}-${plan.architecture}`);
  store.requireSpace(1 << 30, `assembling \`${recipe.name}\``);
  return withAptLock(folder, plan.signal, () => assemble(store, plan, folder));
}

/**
 * The image that has all these names already. One that was assembled from another recipe (other packages, say) does
 * not count; one that came from elsewhere does: a pulled image is replaced by `force` only.
 */
function knownImage(store: Store, names: readonly string[], recipe: Digest): ImageRecord | undefined {
  const records = names.map((name) => store.images.find(name));
  const first = records[0];
  if (first === undefined || store.contentOf(first).missing.length > 0) return undefined;
  if (!records.every((record) => record?.target === first.target)) return undefined;
  const made = annotation(store, first, RECIPE_ANNOTATION);
  return made === undefined || made === recipe ? first : undefined;
}

/** What tells one request for a base from another, names aside. */
function recipeDigest(recipe: Recipe, architecture: string | undefined): Digest {
  const own = hostPlatform(process.arch).architecture;
  return digestOfValue({ ...recipe, name: "", architecture: debianArchitecture(architecture ?? own) ?? architecture });
}

function annotation(store: Store, record: ImageRecord, name: string): string | undefined {
  const document = parseManifestOrIndex(store.blobs.read(record.target).toString("utf8"), { allowNoLayers: true });
  return (document.kind === "manifest" ? document.manifest : document.index).annotations?.[name];
}

function makePlan(recipe: Recipe, names: readonly string[], progress: Progress, request: AssembleRequest): Plan {
  const architecture = requireHost(recipe.name, request.architecture);
  const keyring = requireKeyring(recipe.suite.distribution);
  const defaults = recipe.suite.distribution === "debian" ? defaultMirrors() : undefined;
  const mirrors = chooseMirrors(recipe.suite, { host: readHostSources(), mirror: request.mirror, defaults });
  const sources = formatSources(recipe.suite, mirrors, keyring);
  const imageSources = sourcesInImage(recipe, request.mirror === undefined ? (defaults ?? mirrors) : mirrors);
  const signal = request.signal ?? new AbortController().signal;
  return { recipe, architecture, sources, imageSources, names, progress, proxies: request.env ?? {}, signal };
}

/**
 * What apt in the image reads: the distribution's own mirror, as in official images, unless one was asked for. The
 * host's mirror only brings the packages, so that every host makes the same image of them.
 */
function sourcesInImage(recipe: Recipe, mirrors: Mirrors): string {
  const { distribution } = recipe.suite;
  return formatSources(recipe.suite, mirrors, `/usr/share/keyrings/${distribution}-archive-keyring.gpg`);
}

async function assemble(store: Store, plan: Plan, folder: string): Promise<AssembledBase> {
  const apt = prepareApt(folder, plan);
  const packages = await choosePackages(plan, apt);
  const key = digestOfValue({
    method: METHOD,
    recipe: { ...plan.recipe, name: "" },
    architecture: plan.architecture,
    sources: plan.imageSources,
    packages,
  });
  const made = madeBefore(store, key) ?? (await makeLayer(store, plan, apt, packages));
  store.cache.put(key, { diffId: made }, [made]);
  const image = writeImage(store, {
    config: baseConfig(plan.recipe, plan.architecture, packages),
    layers: [made],
    annotations: {
      ...packageAnnotations(plan.recipe, packages),
      [RECIPE_ANNOTATION]: recipeDigest(plan.recipe, plan.architecture),
    },
  });
  const record = store.images.put({ target: image.manifest, mediaType: image.mediaType, id: image.config }, plan.names);
  return { ...resultOf(store, record, plan.names, false), packages: packages.length };
}

async function choosePackages(plan: Plan, apt: AptFolder): Promise<readonly ResolvedPackage[]> {
  const { recipe, progress, signal } = plan;
  await progress.step(`package lists of ${recipe.suite.name}`, () => updateLists(apt, signal));
  const extras = recipe.python === undefined ? [] : pythonExtras(recipe.python);
  const wanted = [...systemPackages(recipe), ...recipe.packages, ...extras];
  const packages = await resolvePackages(apt, wanted, signal);
  const bytes = await missingBytes(apt, packages, signal);
  const label = `packages: ${packages.length}, ${(bytes / 1e6).toFixed(1)} MB to download`;
  await progress.step(label, () => downloadPackages(apt, packages, signal));
  return packages;
}

function madeBefore(store: Store, key: Digest): DiffId | undefined {
  const value = store.cache.get(key);
  if (typeof value !== "object" || value === null || !("diffId" in value)) return undefined;
  const { diffId } = value;
  return typeof diffId === "string" && isDigest(diffId) ? store.layers.get(diffId)?.diffId : undefined;
}

async function makeLayer(
  store: Store,
  plan: Plan,
  apt: AptFolder,
  packages: readonly ResolvedPackage[],
): Promise<DiffId> {
  const { recipe, progress, signal, architecture } = plan;
  const staging = store.layers.stage();
  const lease = store.lease();
  try {
    await progress.step(`install ${packages.length} packages`, (onOutput) =>
      bootstrap({ recipe, architecture, apt, packages, tree: staging.tree, temporary: lease.folder, signal, onOutput }),
    );
    return await progress.step("make the layer", async () => {
      cleanTree(staging.tree, recipe, plan.imageSources);
      fs.chmodSync(staging.tree, 0o755);
      const clamp = { after: DEFAULT_EPOCH, to: DEFAULT_EPOCH };
      return finishLayer(staging, { clamp, signal });
    });
  } catch (error) {
    staging.discard();
    throw error;
  } finally {
    lease.release();
  }
}

function resultOf(store: Store, record: ImageRecord, names: readonly string[], existed: boolean): AssembledBase {
  const layers = store.contentOf(record).diffIds.flatMap((diffId) => store.layers.get(diffId) ?? []);
  const size = layers.reduce((sum, layer) => sum + layer.contentSize, 0);
  return { id: record.id, digest: record.target, names, packages: packageCount(store, record), size, existed };
}

function packageCount(store: Store, record: ImageRecord): number {
  return Number(annotation(store, record, COUNT_ANNOTATION) ?? 0);
}
