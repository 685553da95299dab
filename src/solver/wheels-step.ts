// SPDX-License-Identifier: Apache-2.0
/* Python distributions become a layer, without pip and without unpacking them: its files are made when they are needed. */
import { TareError } from "../base/index.ts";
import { cacheKey } from "../graph/index.ts";
import {
  leftOutOf,
  makeWheelLayer,
  measureWheelLayer,
  noteWheelLayer,
  proveLayer,
  spliceWheelLayer,
} from "../python/index.ts";
import { bytecodeFor, bytecodePacks } from "./bytecode.ts";
import type { WheelsOp } from "../graph/index.ts";
import type { InstallSettings, Installed, StoredFile, WheelLayer, WheelToInstall } from "../python/index.ts";
import type { BlobWriter, KnownBlobWriter, StepContext, StepWorker } from "./types.ts";

/**
 * Installs wheels. The key is the operation alone: which wheels, where to, for which Python. The layer of a version
 * that can't be compiled for here is another one, so the key says what is really made.
 */
export const wheelsWorker: StepWorker = {
  base: () => [],
  key: async (step) => {
    const op = wheelsOp(step);
    const { policy, compiler } = await bytecodeFor(step, op);
    const extra = compiler === "" || compiler === "image" ? {} : { compiler };
    return cacheKey({ ...step.vertex, op: { ...op, bytecode: policy } }, [], extra);
  },
  run: async (step) => {
    const { files, recipe } = await prepareLayer(step, wheelsOp(step));
    const measured = await measureWheelLayer(files, recipe.settings, step.signal);
    await publish(step, recipe, measured);
    return [measured.diffId];
  },
};

/** The layer as it travels, from the wheels alone. Throws as the step itself. */
export async function writeWheelsBlob(
  step: StepContext,
  ...[path, onBlob]: Parameters<BlobWriter>
): ReturnType<BlobWriter> {
  const { files, recipe } = await prepareLayer(step, wheelsOp(step));
  const measured = await makeWheelLayer(files, recipe.settings, { path, onBlob, signal: step.signal });
  await publish(step, recipe, measured);
  return { diffId: measured.diffId, size: measured.size };
}

/** The blob alone: what is in it is known from elsewhere. Throws as the step itself, but for damage in large contents. */
export async function writeKnownBlob(step: StepContext, path: string): ReturnType<KnownBlobWriter> {
  const { files, recipe } = await prepareLayer(step, wheelsOp(step));
  return spliceWheelLayer(files, recipe.settings, { path, signal: step.signal });
}

/** Publishes the layer without its files, with what it is made of. Throws `E_LAYER_CLAIM`. */
async function publish(
  step: StepContext,
  recipe: WheelLayer,
  { replaced, ...facts }: Awaited<ReturnType<typeof measureWheelLayer>>,
): Promise<void> {
  warnReplaced(step, replaced);
  const { store } = step.resources;
  const key = await wheelsWorker.key(step);
  noteWheelLayer(store, facts.diffId, { ...recipe, ...(key === undefined ? {} : { key }) });
  if (key) proveLayer(store, key, facts);
  store.layers.defer({ ...facts, opaque: [], whiteouts: 0, hasXattrs: false });
}

/** All that a layer is made of, here on this machine. */
interface PreparedLayer {
  readonly files: readonly WheelToInstall[];
  readonly recipe: WheelLayer;
}

/** Fetches wheels and compiles what was not compiled before. */
async function prepareLayer(step: StepContext, op: WheelsOp): Promise<PreparedLayer> {
  const { policy } = await bytecodeFor(step, op);
  const settings = settingsOf(op);
  const stored = await fetchAll(step, op);
  const wheels = op.wheels.map(({ digest, fileName, isRequested, direct }, index) => {
    const file = stored[index]?.path ?? "";
    return { digest, file, fileName, isRequested, ...(direct === undefined ? {} : { direct }) };
  });
  const packs = policy === "none" ? [] : await bytecodePacks(step, op, { wheels, settings });
  const { store } = step.resources;
  return {
    files: wheels.map((wheel, index) => withPack(wheel, packs[index] && store.blobs.path(packs[index].digest))),
    recipe: {
      wheels: op.wheels.map((wheel, index) => withPack(wheel, packs[index]?.digest)),
      settings,
      bytecode: policy,
      ...(settings.slim.length === 0 ? {} : { leftOut: leftOutOf(wheels, settings) }),
    },
  };
}

function withPack<Wheel extends object, Pack>(
  wheel: Wheel,
  bytecode: Pack | undefined,
): Wheel & { readonly bytecode?: Pack } {
  return { ...wheel, ...(bytecode === undefined ? {} : { bytecode }) };
}

function settingsOf({ scheme, executable, python, slim = [], installer }: WheelsOp): InstallSettings {
  return { scheme, executable, python, slim, ...(installer === undefined ? {} : { installer }) };
}

function warnReplaced(step: StepContext, replaced: Installed["replaced"]): void {
  const [first] = replaced;
  if (first === undefined) return;
  const more = replaced.length > 1 ? ` and ${replaced.length - 1} more files` : "";
  const message = `${first.by} replaces \`/${first.path}\`${more} of another distribution, as pip would`;
  step.resources.listener?.({ kind: "warning", rule: "WheelsOverlap", message, at: Date.now() });
}

async function fetchAll(step: StepContext, op: WheelsOp): Promise<readonly StoredFile[]> {
  const store = await step.resources.python.wheels();
  const { signal } = step;
  return Promise.all(
    op.wheels.map((wheel) =>
      store.require(wheel, {
        signal,
        onProgress: (current, total) => step.status(wheel.fileName, current, total),
      }),
    ),
  );
}

function wheelsOp(step: StepContext): WheelsOp {
  const { op } = step.vertex;
  if (op.type !== "wheels") throw new TareError("E_UNSUPPORTED", "not a step of wheels");
  return op;
}
