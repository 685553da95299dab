// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { TareError, parseDigest } from "../base/index.ts";
import { parseGitReference } from "../dockerfile/index.ts";
import { parseChmod } from "../solver/index.ts";
import { ownerSpec } from "./apply-config.ts";
import { destinationPath } from "./paths.ts";
import type { AddInstruction, CopyInstruction } from "../dockerfile/index.ts";
import type { CopyOp, CopySource, VertexId, VertexNotes } from "../graph/index.ts";
import type { Expander } from "./expand.ts";
import type { StageState } from "./stage-state.ts";

/** The inputs of a copy under construction: the base is 0. */
class Inputs {
  readonly ids: VertexId[];

  constructor(base: VertexId) {
    this.ids = [base];
  }

  add(id: VertexId): number {
    const known = this.ids.indexOf(id, 1);
    return known > 0 ? known : this.ids.push(id) - 1;
  }
}

interface CopyShape {
  readonly op: Omit<CopyOp, "sources">;
  readonly notes: VertexNotes;
  readonly expander: Expander;
}

/** COPY: files of the context, of another stage or image (`from`), or written in the Dockerfile. */
export function applyCopy(state: StageState, instruction: CopyInstruction, from: VertexId): void {
  const shape = shapeOf(state, instruction);
  const inputs = new Inputs(state.vertex);
  const paths = instruction.sources.map((source) => shape.expander.word(source));
  for (const path of paths) refuseRemote(path);
  const files: CopySource[] = paths.length > 0 ? [{ from: inputs.add(from), paths }] : [];
  commit(state, { ...shape.op, sources: [...files, ...inlineSources(shape, instruction)] }, inputs, shape);
  state.record(`COPY ${historyOf(shape, instruction, paths)} # buildkit`, true);
}

/** ADD: as COPY, and URLs, git repositories and archives that are unpacked. */
export function applyAdd(state: StageState, instruction: AddInstruction, context: VertexId): void {
  const shape = shapeOf(state, instruction);
  const paths = instruction.sources.map((source) => shape.expander.word(source));
  const checksum = shape.expander.optional(instruction.checksum);
  if (checksum !== undefined) checkChecksumUse(paths);
  const inputs = new Inputs(state.vertex);
  const add = { instruction, shape, checksum, context };
  const sources = paths.map((path) => addSource(state, add, path, inputs));
  commit(state, { ...shape.op, sources: [...sources, ...inlineSources(shape, instruction)] }, inputs, shape);
  state.record(`ADD ${historyOf(shape, instruction, paths)} # buildkit`, true);
}

interface AddShape {
  readonly instruction: AddInstruction;
  readonly shape: CopyShape;
  readonly checksum: string | undefined;
  readonly context: VertexId;
}

type SourceKind = "file" | "http" | "git";

function kindOf(path: string): SourceKind {
  if (gitReference(path)) return "git";
  return /^https?:\/\//.test(path) ? "http" : "file";
}

function gitReference(path: string): ReturnType<typeof parseGitReference> | undefined {
  const reference = parseGitReference(path);
  return reference && !reference.isIndistinguishableFromLocal ? reference : undefined;
}

function refuseRemote(path: string): void {
  if (kindOf(path) === "git")
    throw new TareError("E_DF_ARGS", "source can't be a git ref for COPY", { hint: "use ADD for repositories" });
  if (kindOf(path) === "http")
    throw new TareError("E_DF_ARGS", "source can't be a URL for COPY", { hint: "use ADD for URLs" });
}

function checkChecksumUse(paths: readonly string[]): void {
  const [only] = paths;
  if (paths.length !== 1 || only === undefined)
    throw new TareError("E_DF_ARGS", "checksum can't be specified for multiple sources");
  if (kindOf(only) === "file") throw new TareError("E_DF_ARGS", "checksum requires HTTP(S) or Git sources");
}

/** Archives of the context are unpacked unless told otherwise, fetched ones only when asked for. */
function addSource(state: StageState, add: AddShape, path: string, inputs: Inputs): CopySource {
  const { unpack } = add.instruction;
  const kind = kindOf(path);
  if (kind === "file")
    return { from: inputs.add(add.context), paths: [path], ...(unpack === false ? {} : { unpack: true }) };
  const fetched = kind === "git" ? gitVertex(state, add, path) : httpVertex(state, add, path);
  const source = { from: inputs.add(fetched.id), paths: [fetched.path] };
  return kind === "http" && unpack ? { ...source, unpack: true } : source;
}

interface Fetched {
  readonly id: VertexId;
  readonly path: string;
}

function httpVertex(state: StageState, add: AddShape, url: string): Fetched {
  const name = posix.basename(URL.parse(url)?.pathname ?? "");
  const fileName = name === "" || name === "." || name === ".." ? "__unnamed__" : name;
  const checksum = add.checksum === undefined ? {} : { checksum: parseDigest(add.checksum) };
  const id = state.compilation.graph.add({ type: "http", url, fileName, ...checksum }, [], {
    ...add.shape.notes,
    label: url,
  });
  return { id, path: fileName };
}

function gitVertex(state: StageState, add: AddShape, path: string): Fetched {
  const reference = gitReference(path);
  if (!reference) throw new Error("not a git reference");
  const checksum = add.checksum ?? (reference.checksum || undefined);
  const keepGitDirectory = reference.keepGitDir ?? add.instruction.keepGitDir ?? false;
  if (keepGitDirectory !== (add.instruction.keepGitDir ?? keepGitDirectory))
    throw new TareError("E_DF_ARGS", "inconsistent keep-git-dir configuration", {
      hint: "say it in the flag or in the URL",
    });
  if (reference.checksum !== "" && checksum !== reference.checksum) {
    throw new TareError("E_CHECKSUM", `checksum mismatch "${checksum}" != "${reference.checksum}"`);
  }
  const id = state.compilation.graph.add(
    {
      type: "git",
      remote: reference.remote,
      keepGitDirectory,
      ...(reference.ref ? { ref: reference.ref } : {}),
      ...(reference.subdirectory ? { subdirectory: reference.subdirectory } : {}),
      ...(checksum === undefined ? {} : { checksum }),
      ...(reference.submodules === false ? { submodules: false } : {}),
    },
    [],
    { ...add.shape.notes, label: path },
  );
  return { id, path: "/" };
}

function shapeOf(state: StageState, instruction: CopyInstruction | AddInstruction): CopyShape {
  const { expander } = state;
  const chown = expander.optional(instruction.chown);
  const chmod = expander.optional(instruction.chmod);
  if (chmod) parseChmod(chmod);
  const exclude = instruction.exclude.map((pattern) => expander.word(pattern));
  const op = {
    type: "copy",
    command: instruction.kind === "copy" ? "COPY" : "ADD",
    destination: destinationPath(state.workdir, expander.word(instruction.destination)),
    parents: instruction.kind === "copy" && instruction.parents,
    link: instruction.link,
    ...(chown ? { owner: ownerSpec(chown) } : {}),
    ...(chmod ? { chmod } : {}),
    ...(exclude.length > 0 ? { exclude } : {}),
  } as const;
  const label = state.stepLabel(expander.shown(instruction.text));
  return { op, expander, notes: { label, ignoreCache: state.ignoreCache, source: state.sourceOf(instruction) } };
}

function inlineSources(shape: CopyShape, instruction: CopyInstruction | AddInstruction): CopySource[] {
  return instruction.inlineFiles.map((file) => {
    const content = file.expand ? shape.expander.content(file.content) : file.content;
    return { inline: { fileName: file.name, content } };
  });
}

/** With `--link` the files go into a layer of their own that is laid over the stage, whatever the stage has. */
function commit(state: StageState, op: CopyOp, inputs: Inputs, shape: CopyShape): void {
  const { graph } = state.compilation;
  if (!op.link) {
    state.vertex = graph.add(op, inputs.ids, shape.notes);
    return;
  }
  const empty = graph.add({ type: "scratch" }, [], { label: "scratch" });
  const owned = op.owner && !/^\d+(:\d+)?$/.test([op.owner.user, op.owner.group].filter(Boolean).join(":"));
  const copied = graph.add(op, [owned ? state.vertex : empty, ...inputs.ids.slice(1)], shape.notes);
  state.vertex = owned
    ? copied
    : graph.add({ type: "merge" }, [state.vertex, copied], { ...shape.notes, label: `LINK ${shape.notes.label}` });
}

function historyOf(shape: CopyShape, instruction: CopyInstruction | AddInstruction, paths: readonly string[]): string {
  const { op } = shape;
  const owner = op.owner
    ? [`--chown=${[op.owner.user, op.owner.group].filter((part) => part !== undefined).join(":")}`]
    : [];
  const flags = [...(op.parents ? ["--parents"] : []), ...owner, ...(op.chmod ? [`--chmod=${op.chmod}`] : [])];
  const inline = instruction.inlineFiles.map((file) => `<<${file.name}`);
  return [...flags, ...paths, ...inline, shape.expander.word(instruction.destination)].join(" ");
}
