// SPDX-License-Identifier: Apache-2.0
/* Python distributions become a layer: unpacked from their wheels by this process, without pip. */
import { TareError, DEFAULT_EPOCH } from "../base/index.ts";
import { cacheKey } from "../graph/index.ts";
import { installWheels, noteWheelLayer } from "../python/index.ts";
import { bytecodeFor, compileModules } from "./bytecode.ts";
import { finishLayer } from "./layer.ts";
import type { DiffId } from "../base/index.ts";
import type { WheelsOp } from "../graph/index.ts";
import type { InstallSettings, StoredFile } from "../python/index.ts";
import type { StepContext, StepWorker } from "./types.ts";

/**
 * Installs wheels. The key is the operation alone: which wheels, where to, for which Python. The layer of a version
 * that can't be compiled for here is another one, so the key says what is really made.
 */
export const wheelsWorker: StepWorker = {
  base: () => [],
  key: async (step) => {
    const op = wheelsOp(step);
    const bytecode = await bytecodeFor(step, op);
    return cacheKey({ ...step.vertex, op: { ...op, bytecode } }, []);
  },
  run: async (step) => {
    const op = wheelsOp(step);
    const staging = step.resources.store.layers.stage();
    try {
      const bytecode = await bytecodeFor(step, op);
      const settings = settingsOf(op);
      await install(step, op, staging.tree, settings);
      if (bytecode !== "none") await compileModules(step, op, staging.tree);
      const clamp = { after: DEFAULT_EPOCH, to: DEFAULT_EPOCH };
      const diffId: DiffId = await finishLayer(staging, { xattrs: false, clamp, signal: step.signal });
      noteWheelLayer(step.resources.store, diffId, { wheels: op.wheels, settings, bytecode });
      return [diffId];
    } catch (error) {
      staging.discard();
      throw error;
    }
  },
};

function settingsOf({ scheme, executable, python, slim = [] }: WheelsOp): InstallSettings {
  return { scheme, executable, python, slim };
}

async function install(step: StepContext, op: WheelsOp, tree: string, settings: InstallSettings): Promise<void> {
  const files = await fetchAll(step, op);
  const wheels = op.wheels.map(({ fileName, isRequested, direct }, index) => {
    const file = files[index]?.path ?? "";
    return { file, fileName, isRequested, ...(direct === undefined ? {} : { direct }) };
  });
  const { replaced } = await installWheels(wheels, tree, settings, step.signal);
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
