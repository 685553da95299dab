// SPDX-License-Identifier: Apache-2.0
/*
 * Runs a graph. Every vertex waits for its inputs, then asks the cache with a key made from the content of what it
 * uses, then runs; vertices that do not depend on each other run at the same time. The first failure stops the rest.
 */
import { Once, Semaphore, TareError, asDiffId, isTareError, messageOf } from "../base/index.ts";
import { cacheKey, reachable, vertexOf } from "../graph/index.ts";
import { absentLayers, absentWheels, bringAll, lockedWheels, sentWheels } from "./absent-layers.ts";
import { ContextTree } from "./context-tree.ts";
import { MemoDigests } from "./fingerprint.ts";
import { ForgottenStep, importedResult, importedWheels } from "./imported-steps.ts";
import type { ImportedResult } from "./imported-steps.ts";
import { cachedLayers, rememberLayers } from "./layer-cache.ts";
import { lockedLayer } from "./locked-layer.ts";
import { rootfsOf } from "./results.ts";
import { workerOf } from "./workers.ts";
import type { DiffId, Digest } from "../base/index.ts";
import type { Graph, Op, Vertex, VertexId } from "../graph/index.ts";
import type { Store } from "../store/index.ts";
import type { BuildEvent } from "./events.ts";
import type {
  AbsentLayer,
  LocalResult,
  RootfsResult,
  SolveResources,
  StepContext,
  StepResult,
  StepWorker,
} from "./types.ts";

/** A graph being run; `solve` may be called for several targets, which share all work. */
export class Solver {
  readonly #graph: Graph;
  readonly #resources: SolveResources;
  readonly #results = new Once<StepResult>();
  readonly #byKey = new Once<readonly DiffId[]>();
  readonly #slots: Semaphore;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** Layers that a cache has and this store lacks. */
  readonly #imported = new Map<DiffId, AbsentLayer>();
  /** It will be solved again: what is still told of this time is of no interest. */
  #isForgotten = false;

  constructor(graph: Graph, resources: SolveResources) {
    this.#graph = graph;
    this.#resources = resources;
    this.#slots = new Semaphore(resources.jobs);
    this.#signal = AbortSignal.any([resources.signal, this.#stop.signal]);
  }

  /** Runs what `targets` need and returns their root file systems in the same order. */
  async solve(targets: readonly VertexId[]): Promise<readonly RootfsResult[]> {
    for (const vertex of reachable(this.#graph, targets)) this.#announce(vertex);
    const running = targets.map((id) => this.#result(id));
    try {
      const results = await Promise.all(running);
      return results.map(rootfsOf);
    } catch (error) {
      this.#stop.abort();
      await Promise.allSettled(running);
      throw error;
    }
  }

  #announce(vertex: Vertex): void {
    if (isHidden(vertex.op)) return;
    this.#emit({ kind: "vertex", id: vertex.id, label: vertex.label, inputs: vertex.inputs, at: Date.now() });
  }

  #result(id: VertexId): Promise<StepResult> {
    return this.#results.run(id, () => this.#resolve(vertexOf(this.#graph, id)));
  }

  async #resolve(vertex: Vertex): Promise<StepResult> {
    const inputs = await Promise.all(vertex.inputs.map((id) => this.#result(id)));
    const immediate = this.#immediate(vertex, inputs);
    if (immediate) return immediate;
    const step = this.#stepContext(vertex, inputs);
    try {
      return (
        (await this.#elsewhere(step)) ??
        this.#importedWheels(step) ??
        (await this.#sent(step)) ??
        (await this.#made(step))
      );
    } catch (error) {
      throw this.#failed(vertex, error);
    }
  }

  async #made(step: StepContext): Promise<RootfsResult> {
    const { vertex, inputs } = step;
    const made = await this.#layers(step, workerOf(vertex.op));
    this.#resources.lease.keep(made);
    const split = splitOf(inputs);
    if (made.length !== 1) split.set(vertex.id, made.length);
    const layers = [...workerOf(vertex.op).base(step), ...made];
    const absent = absentLayers(inputs, layers);
    for (const layer of made.flatMap((diffId) => this.#imported.get(diffId) ?? [])) absent.set(layer.diffId, layer);
    return { kind: "rootfs", layers, absent, split };
  }

  /** A layer of wheels that a cache has: they are neither fetched nor measured. */
  #importedWheels(step: StepContext): RootfsResult | undefined {
    const found = importedWheels(step);
    if (found === undefined) return undefined;
    const { layers, absent } = found;
    this.#resources.lease.keep(layers);
    this.#emit({ kind: "started", id: step.vertex.id, at: Date.now() });
    this.#hit(step, layers, [cacheKey(step.vertex, [])]);
    return { kind: "rootfs", layers, absent: new Map(absent.map((each) => [each.diffId, each])), split: new Map() };
  }

  /** A layer of wheels that the registry has: neither they nor the base that would compile them are needed. */
  async #elsewhere(step: StepContext): Promise<RootfsResult | undefined> {
    const layer = await absentWheels(step, async () => (await this.#made(step)).layers);
    if (layer === undefined) return undefined;
    this.#emit({ kind: "started", id: step.vertex.id, at: Date.now() });
    step.log(1, Buffer.from("tare: the registry has this layer: nothing is fetched, made or sent\n"));
    this.#hit(step, [layer.diffId], [cacheKey(step.vertex, [])]);
    return { kind: "rootfs", layers: [layer.diffId], absent: new Map([[layer.diffId, layer]]), split: new Map() };
  }

  /** A layer of wheels that will be sent. */
  async #sent(step: StepContext): Promise<RootfsResult | undefined> {
    if (step.vertex.op.type !== "wheels" || this.#resources.remote === undefined) return undefined;
    this.#emit({ kind: "started", id: step.vertex.id, at: Date.now() });
    const make = async (): Promise<readonly DiffId[]> => (await this.#made(step)).layers;
    const locked = await this.#slots.run(() => lockedWheels(step, make));
    const made = locked?.diffId ?? (await this.#slots.run(() => sentWheels(step)));
    if (made === undefined) return undefined;
    if (locked === undefined) this.#resources.lease.keep([made]);
    this.#note([made], locked === undefined ? [] : [cacheKey(step.vertex, [])]);
    this.#emit({ kind: "completed", id: step.vertex.id, at: Date.now() });
    return { kind: "rootfs", layers: [made], absent: new Map(locked && [[made, locked]]), split: new Map() };
  }

  /** Results that need no work. */
  #immediate(vertex: Vertex, inputs: readonly StepResult[]): StepResult | undefined {
    const { op } = vertex;
    if (op.type === "scratch") return { kind: "rootfs", layers: [], absent: new Map(), split: new Map() };
    if (op.type === "local") return this.#local(op.name);
    if (op.type === "diff")
      return {
        kind: "rootfs",
        layers: layersAbove(inputs),
        absent: absentLayers(inputs, layersAbove(inputs)),
        split: splitOf(inputs),
      };
    if (op.type !== "image" && op.type !== "merge") return undefined;
    const layers = op.type === "image" ? op.layers.map(asDiffId) : inputs.flatMap((input) => rootfsOf(input).layers);
    this.#resources.lease.keep(layers);
    const absent = absentLayers(inputs, layers);
    if (op.type === "image") for (const layer of this.#absentBase(op.manifest)) absent.set(layer.diffId, layer);
    requireLayers(this.#resources.store, layers, absent);
    if (op.type === "image") this.#emit({ kind: "started", id: vertex.id, at: Date.now() });
    if (op.type === "image") this.#emit({ kind: "completed", id: vertex.id, at: Date.now() });
    return { kind: "rootfs", layers, absent, split: splitOf(inputs) };
  }

  #absentBase(manifest: Digest): readonly AbsentLayer[] {
    const { remote, store } = this.#resources;
    const missing = (remote?.image(manifest) ?? []).filter(({ diffId }) => !store.layers.facts(diffId));
    const bring = async (): Promise<void> => remote?.bring(manifest);
    return missing.map((layer) => ({ ...layer, bring }));
  }

  #local(name: string): LocalResult {
    const source = this.#resources.locals.get(name);
    if (!source) throw new TareError("E_CONTEXT", `build context \`${name}\` was not given`);
    const memo = this.#resources.store.fingerprints.open(source.root);
    const tree = new ContextTree(source.root, source.filter);
    return { kind: "local", tree, digests: new MemoDigests(memo), save: () => memo.save() };
  }

  async #layers(step: StepContext, worker: StepWorker): Promise<readonly DiffId[]> {
    const quick = step.vertex.ignoreCache ? undefined : worker.quickKey?.(step);
    const quickHit = this.#known(step, quick);
    if (quickHit) return this.#hit(step, quickHit, [quick]);
    this.#emit({ kind: "started", id: step.vertex.id, at: Date.now() });
    const locked = lockedLayer(step);
    if (locked !== undefined) return this.#hit(step, [locked], []);
    await bringAll(step, worker.keyed?.(step) ?? []);
    const key = await worker.key(step);
    const hit = this.#known(step, key);
    const layers = hit ?? (await this.#once(key, () => this.#run(step, worker)));
    for (const known of hit ? [quick] : [key, quick]) if (known) this.#remember(known, layers);
    if (hit) return this.#hit(step, hit, [key, quick]);
    this.#emit({ kind: "completed", id: step.vertex.id, at: Date.now() });
    this.#note(layers, [key, quick]);
    return layers;
  }

  /** What the step with this key made before, here or elsewhere. */
  #known(step: StepContext, key: Digest | undefined): readonly DiffId[] | undefined {
    if (key === undefined || step.vertex.ignoreCache) return undefined;
    return cachedLayers(this.#resources.store, key) ?? this.#take(importedResult(step, key));
  }

  #take(found: ImportedResult | undefined): readonly DiffId[] | undefined {
    for (const layer of found?.absent ?? []) this.#imported.set(layer.diffId, layer);
    return found?.layers;
  }

  /** A record of the build cache is of layers that are here. */
  #remember(key: Digest, layers: readonly DiffId[]): void {
    const { store } = this.#resources;
    if (layers.every((layer) => store.layers.facts(layer))) rememberLayers(store, key, layers);
  }

  #note(layers: readonly DiffId[], keys: readonly (Digest | undefined)[]): void {
    this.#resources.onResult?.({ layers, keys: keys.filter((key) => key !== undefined) });
  }

  async #run(step: StepContext, worker: StepWorker): Promise<readonly DiffId[]> {
    await bringAll(step, step.inputs);
    return this.#slots.run(() => worker.run(step));
  }

  #once(key: Digest | undefined, make: () => Promise<readonly DiffId[]>): Promise<readonly DiffId[]> {
    this.#signal.throwIfAborted();
    return key ? this.#byKey.run(key, make) : make();
  }

  #hit(step: StepContext, layers: readonly DiffId[], keys: readonly (Digest | undefined)[]): readonly DiffId[] {
    this.#note(layers, keys);
    this.#emit({ kind: "cached", id: step.vertex.id, at: Date.now() });
    return layers;
  }

  #stepContext(vertex: Vertex, inputs: readonly StepResult[]): StepContext {
    const { id } = vertex;
    return {
      resources: this.#resources,
      vertex,
      inputs,
      signal: this.#signal,
      log: (stream, data) => this.#emit({ kind: "log", id, stream, data, at: Date.now() }),
      status: (name, current, total) => this.#emit({ kind: "status", id, name, current, total, at: Date.now() }),
    };
  }

  #failed(vertex: Vertex, error: unknown): unknown {
    if (error instanceof ForgottenStep) this.#isForgotten = true;
    const wasStopped = this.#signal.aborted && !(isTareError(error) && error.code !== "E_ABORTED");
    const at = Date.now();
    if (wasStopped) this.#emit({ kind: "canceled", id: vertex.id, at });
    else this.#emit({ kind: "failed", id: vertex.id, message: messageOf(error), at });
    this.#stop.abort();
    if (this.#resources.signal.aborted)
      return new TareError("E_ABORTED", "building: interrupted", { exitCode: 130, cause: error });
    return isTareError(error) ? withStep(error, vertex) : error;
  }

  #emit(event: BuildEvent): void {
    if (!this.#isForgotten) this.#resources.listener?.(event);
  }
}

/** Throws `E_LAYER_MISSING` for a layer that is neither here nor known to be elsewhere. */
function requireLayers(store: Store, layers: readonly DiffId[], absent: ReadonlyMap<DiffId, unknown>): void {
  store.layers.getAll(layers.filter((layer) => !absent.has(layer) && store.layers.facts(layer) === undefined));
}

function splitOf(inputs: readonly StepResult[]): Map<VertexId, number> {
  return new Map(inputs.flatMap((input) => (input.kind === "rootfs" ? [...input.split] : [])));
}

/** Merges and diffs do nothing that could be watched. */
function isHidden(op: Op): boolean {
  return /^(?:scratch|local|merge|diff)$/.test(op.type);
}

/** The layers that the second input has on top of the first. */
function layersAbove([below, whole]: readonly StepResult[]): readonly DiffId[] {
  if (!below || !whole) throw new Error("a diff has two inputs");
  const [lower, layers] = [rootfsOf(below).layers, rootfsOf(whole).layers];
  if (!lower.every((layer, index) => layers[index] === layer)) throw new Error("a diff of unrelated file systems");
  return layers.slice(lower.length);
}

/** Adds to an error which step failed and where it stands in the Dockerfile. */
function withStep(error: TareError, vertex: Vertex): TareError {
  if ("step" in error.details) return error;
  const details = { ...error.details, step: vertex.label, vertex: vertex.id, ...vertex.source };
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new TareError(error.code, error.message, { ...hint, cause: error, exitCode: error.exitCode, details });
}
