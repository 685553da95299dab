// SPDX-License-Identifier: Apache-2.0
/* The vertices and the config of a project's image. */
import { megabytes } from "../base/index.ts";
import { aptScript } from "./isolated.ts";
import { projectConfig } from "./project-config.ts";
import { APP, GROUP_LINE, HOME, PASSWD_LINE } from "./project-paths.ts";
import { splitPair } from "./stage-state.ts";
import type { CopyOp, VertexId, WheelsOp } from "../graph/index.ts";
import type { InstalledDistribution, WheelRef } from "../python/index.ts";
import type { PreparedProject } from "./project-build.ts";
import type { CompiledStage, DraftHistory } from "./types.ts";

/** Adds the project to the graph. */
export function projectStage(prepared: PreparedProject): CompiledStage {
  const draft = new StageDraft(prepared);
  const { project } = prepared;
  const { packages } = project.config;
  // Packages may add users of their own to the file that names ours, so it is there before them.
  if (packages.length > 0) draft.ownUser();
  if (packages.length > 0) draft.packages(packages);
  const replaced = replacedDistributions(prepared);
  if (replaced.length > 0) draft.uninstall(replaced);
  for (const group of prepared.wheels.groups) draft.wheels(group);
  draft.own();
  if (packages.length === 0) draft.ownUser();
  draft.folder(APP);
  draft.sources();
  return draft.finish();
}

/** What would be there twice: the base's version and the project's. The same version is simply written again. */
function replacedDistributions({ baseFacts, wheels }: PreparedProject): readonly InstalledDistribution[] {
  const wanted = new Map(wheels.wheels.map(({ name, version }) => [name, version]));
  return baseFacts.installed.filter(({ name, version }) => {
    const other = wanted.get(name);
    return other !== undefined && other !== version;
  });
}

class StageDraft {
  readonly #prepared: PreparedProject;
  readonly #history: DraftHistory[];
  readonly #base: VertexId;
  readonly #platform: string;
  readonly #steps: number;
  /** The base and its system packages. */
  #below: VertexId;
  /** What the project's own layers stand on, whatever the distributions. */
  #ground: VertexId;
  readonly #wheels: VertexId[] = [];
  #vertex: VertexId;
  #step = 1;

  constructor(prepared: PreparedProject) {
    const { base, graph, platform, project, wheels } = prepared;
    this.#prepared = prepared;
    this.#platform = `${platform.os}/${platform.architecture}`;
    this.#steps =
      2 +
      wheels.groups.length +
      (replacedDistributions(prepared).length > 0 ? 1 : 0) +
      (project.config.packages.length > 0 ? 1 : 0) +
      (project.config.user === undefined && !prepared.users.hasOurs ? 1 : 0);
    const op = {
      type: "image",
      reference: base.name,
      manifest: base.manifest,
      layers: base.config.rootfs.diff_ids,
    } as const;
    this.#base = graph.add(op, [], { label: this.#label(`base ${base.name}`) });
    this.#ground = this.#below = this.#vertex = this.#base;
    this.#history = (base.config.history ?? []).map((entry) => ({ ...entry, layer: !entry.empty_layer }));
  }

  /** Debian packages: the one step that needs a container. */
  packages(names: readonly string[]): void {
    const script = aptScript(names);
    const env = this.#prepared.base.config.config?.Env ?? [];
    const op = {
      type: "run",
      args: ["/bin/sh", "-c", script],
      env,
      cwd: "/",
      user: "0",
      mounts: [],
      network: this.#prepared.request.network ?? "default",
      security: "sandbox",
      devices: [],
    } as const;
    this.#add(
      this.#prepared.graph.add(op, [this.#vertex], this.#notes(`system packages ${names.join(" ")}`)),
      `RUN ${script}`,
    );
    this.#ground = this.#below = this.#vertex;
  }

  /** Distributions of the base of which the project has other versions. */
  uninstall(distributions: readonly InstalledDistribution[]): void {
    const text = `without ${distributions.map(({ name, version }) => `${name} ${version}`).join(", ")} of the base`;
    const op = { type: "uninstall", distInfos: distributions.map(({ path }) => path) } as const;
    this.#add(this.#prepared.graph.add(op, [this.#vertex], this.#notes(text)), `tare: ${text}`);
    this.#ground = this.#below = this.#vertex;
  }

  /** One layer of distributions. It stands for itself: nothing else is built on it, so that nothing waits for it. */
  wheels(group: readonly WheelRef[]): void {
    const { graph, target, request, project, slim } = this.#prepared;
    const bytecode = request.python?.bytecode ?? project.config.bytecode ?? "imported";
    const op: WheelsOp = {
      type: "wheels",
      wheels: group.map(({ size: _size, ...wheel }) => wheel),
      scheme: target.scheme,
      executable: target.executable,
      python: target.version,
      bytecode,
      ...(slim.rules.length > 0 ? { slim: slim.rules } : {}),
    };
    const made = graph.add(op, bytecode === "none" ? [] : [this.#base], this.#notes(groupText(group)));
    this.#wheels.push(made);
    this.#note(`tare: ${historyText(group)}`, made);
  }

  /**
   * The project's own layers stand on nothing, so that they depend neither on the distributions nor on the base's
   * files, which need not be here then. On a base with unusual folders, or with packages, they stand on what is there.
   */
  own(): void {
    const { baseFacts, graph, project } = this.#prepared;
    if (!baseFacts.isPlain || project.config.packages.length > 0) return;
    this.#ground = this.#vertex = graph.add({ type: "scratch" }, [], { label: "nothing" });
  }

  /** A user of its own, with a home that it may write to; no container is needed to make it. */
  ownUser(): void {
    const { project, users } = this.#prepared;
    if (project.config.user !== undefined || users.hasOurs) return;
    this.folder(HOME, 0o777);
    const line = (before: string, added: string): string =>
      `${before}${before === "" || before.endsWith("\n") ? "" : "\n"}${added}\n`;
    const op: CopyOp = {
      ...COPY,
      sources: [
        { inline: { fileName: "passwd", content: line(users.passwd, PASSWD_LINE) } },
        { inline: { fileName: "group", content: line(users.group, GROUP_LINE) } },
      ],
      destination: "/etc/",
    };
    this.#add(this.#prepared.graph.add(op, [this.#vertex], this.#notes("user app")), "tare: user app (1000)");
  }

  /** A folder that every user may write to, so that a program can put its files beside its sources. */
  folder(path: string, mode: number = 0o777): void {
    const op = { type: "mkdir", path, mode, parentMode: 0o755 } as const;
    const vertex = this.#prepared.graph.add(op, [this.#vertex], { label: `folder ${path}`, platform: this.#platform });
    this.#add(vertex, `tare: folder ${path}`);
  }

  sources(): void {
    const { graph } = this.#prepared;
    const local = graph.add({ type: "local", name: "context" }, [], { label: "sources" });
    const op: CopyOp = { ...COPY, sources: [{ from: 1, paths: ["."] }], destination: `${APP}/` };
    this.#add(graph.add(op, [this.#vertex, local], this.#notes("sources")), `COPY . ${APP}`);
  }

  finish(): CompiledStage {
    const { platform, base } = this.#prepared;
    const vertex = this.#assembled();
    const config = projectConfig(this.#prepared);
    const environment = new Map((config.Env ?? []).map((entry) => splitPair(entry)));
    return {
      vertex,
      platform,
      author: undefined,
      config,
      base: base.config,
      history: this.#history,
      environment,
      declared: new Map(),
    };
  }

  /** The base, the distributions, and the project's own layers. */
  #assembled(): VertexId {
    const { graph } = this.#prepared;
    if (this.#wheels.length === 0 && this.#ground === this.#below) return this.#vertex;
    const notes = { label: "put the layers together", platform: this.#platform };
    const own = graph.add({ type: "diff" }, [this.#ground, this.#vertex], notes);
    return graph.add({ type: "merge" }, [this.#below, ...this.#wheels, own], notes);
  }

  #add(vertex: VertexId, created: string): void {
    this.#vertex = vertex;
    this.#note(created, vertex);
  }

  #note(created: string, vertex: VertexId): void {
    const at = new Date(this.#prepared.epoch * 1000).toISOString().replace(".000Z", "Z");
    this.#history.push({ created: at, created_by: created, comment: "tare.project.v0", layer: true, vertex });
  }

  #notes(text: string): { readonly label: string; readonly platform: string; readonly ignoreCache: boolean } {
    return { label: this.#label(text), platform: this.#platform, ignoreCache: this.#prepared.request.noCache };
  }

  #label(text: string): string {
    const number = this.#step;
    this.#step += 1;
    const platform = this.#prepared.request.platforms.length > 1 ? `${this.#platform} ` : "";
    return `[${platform}${number}/${this.#steps}] ${text}`;
  }
}

const COPY: Omit<CopyOp, "sources" | "destination"> = { type: "copy", parents: false, link: false, command: "COPY" };

/** `torch 2.9.1 (858 MB)`, or `23 distributions (12 MB)`. */
function groupText(group: readonly WheelRef[]): string {
  const size = group.reduce((sum, each) => sum + each.size, 0);
  const [only] = group;
  if (group.length === 1 && only) return `${only.name} ${only.version} (${megabytes(size)})`;
  return `${group.length} distributions (${megabytes(size)})`;
}

function historyText(group: readonly WheelRef[]): string {
  const names = group.map(({ name, version }) => `${name} ${version}`);
  return names.length > 6 ? `${names.slice(0, 5).join(", ")} and ${names.length - 5} more` : names.join(", ");
}
