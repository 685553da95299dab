// SPDX-License-Identifier: Apache-2.0
/* The runtime port on top of the runtime area: runc or crun, conmon, overlayfs in a private mount namespace. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  attachTree,
  buildProcess,
  cleanupContainer,
  containerProcesses,
  containerState,
  execCommand,
  detachTree,
  execInContainer,
  findRuntime,
  killContainer,
  namespaceLimits,
  pauseContainer,
  processInNamespace,
  resourceSpec,
  resumeContainer,
  runForeground,
  startDetached,
  updateResources,
} from "../runtime/index.ts";
import type {
  ContainerHandle,
  ContainerTask,
  OciProcess,
  OciRuntime,
  OverlayMount,
  ProcessInput,
  ResolvedUser,
} from "../runtime/index.ts";
import type { SourceTree, Store } from "../store/index.ts";
import { afterCopies } from "./container-root.ts";
import { foregroundStdio } from "./foreground-io.ts";
import { keptId } from "./mount-owners.ts";
import { withHome } from "./nameless-user.ts";
import {
  continueProcesses,
  hasOwnCgroup,
  processesBeside,
  requireCgroup,
  stopProcesses,
} from "./namespace-processes.ts";
import { consoleOf } from "./console-size.ts";
import { containerTree, lowerOf } from "./image-tree.ts";
import { DEFAULT_CGROUP, cgroupsPathOf, launchSpec, securityInput, userOf } from "./launch-spec.ts";
import { resourceLimits } from "./limits.ts";
import { detachedLog } from "./logs/detached.ts";
import type { LogWriter } from "./logs/writer.ts";
import { overrideEnvironment, processEnvironment } from "./merge-config.ts";
import type { ExecRequest, ProcessIo, ResourceRequest } from "./request.ts";
import { makeMountPoints } from "./device-mount-points.ts";
import { isMeantToEnd } from "./signals.ts";
import type { BesideLaunch, ContainerRuntime, Launch, Outcome } from "./runtime-port.ts";
import { addedByDevices, withRequestedDevices } from "./requested-devices.ts";
import { stagedMounts } from "./staged-mounts.ts";
import type { ContainerRecord } from "./types.ts";

/** What the driver is made of. */
export interface RuntimeOptions {
  readonly store: Store;
  /** `runc`, `crun` or an absolute path, for containers that do not choose one. */
  readonly runtime?: string;
  /** Program and arguments that conmon calls when a detached container has ended; the container's id is added. */
  readonly exitCommand: readonly string[];
}

const SIGPIPE_EXIT = 141;
/** Runs containers with the OCI runtime of this host. The runtime is looked for at the first use. */
export class OciContainerRuntime implements ContainerRuntime {
  readonly #options: RuntimeOptions;
  readonly #found = new Map<string, Promise<OciRuntime>>();

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  async runForeground(launch: Launch, io: ProcessIo, log: LogWriter | undefined): Promise<Outcome> {
    const task = await this.#task(launch, consoleOf(io));
    // An AbortSignal costs 4 ms at its first use, so there is one only where output passes through this process.
    const closed = log ? new AbortController() : undefined;
    const onClosed = (): void => closed?.abort();
    const stdio = foregroundStdio(io, { tty: launch.record.config.Tty, log, onClosed });
    const ending = closed ? { signal: closed.signal } : {};
    try {
      const result = await runForeground({ ...task, ...ending, stdio, pidFile: launch.files.pidFile });
      const endedByUser = result.signal !== undefined && isMeantToEnd(launch.record.config, result.signal);
      return { exitCode: result.exitCode, oomKilled: result.oomKilled ?? false, endedByUser };
    } catch (error) {
      // Nobody reads any more: the container was ended as a program is that writes into a closed pipe.
      if (closed?.signal.aborted) return { exitCode: SIGPIPE_EXIT, oomKilled: false };
      throw error;
    }
  }

  async startDetached(
    launch: Launch,
    onCreated?: () => Promise<void>,
  ): Promise<{ readonly supervisorPid: number; readonly pid: number }> {
    const { record, files } = launch;
    const { conmonPid, pid } = await startDetached({
      ...(await this.#task(launch)),
      log: detachedLog(launch),
      exitDirectory: files.exits,
      pidFile: files.pidFile,
      conmonPidFile: files.supervisorPid,
      exitCommand: [...this.#options.exitCommand, record.id],
      stdin: record.config.OpenStdin,
      ...(onCreated === undefined ? {} : { onCreated }),
    });
    return { supervisorPid: conmonPid, pid };
  }

  async exec(launch: Launch, request: ExecRequest, io: ProcessIo): Promise<number> {
    const { record, files } = launch;
    return await execInContainer({
      ...(await this.#handle(record)),
      process: execProcess(launch, request, { tree: containerTree(this.#options, record), ...consoleOf(io) }),
      folder: files.folder,
      stdio: foregroundStdio(io, { tty: request.tty, log: undefined, onClosed: () => undefined }),
      detach: request.detach,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  }

  async execCommand(launch: Launch, command: readonly string[], folder: string): Promise<readonly string[]> {
    const { record } = launch;
    const request = { container: record.id, command, interactive: false, tty: false, detach: false, env: [] };
    const tree = containerTree(this.#options, record);
    const process = execProcess(launch, { ...request, privileged: false }, { tree });
    return execCommand(await this.#handle(record), process, folder);
  }

  async runBeside(session: BesideLaunch, io: ProcessIo): Promise<Outcome> {
    const { id, folder: bundle, spec, overlays, attach } = session;
    const { store } = this.#options;
    const runtime = await this.#runtimeNamed(session.runtime);
    const stdio = foregroundStdio(io, { tty: spec.process.terminal, log: undefined, onClosed: () => undefined });
    if (attach) attachTree(attach.pid, attach.target);
    try {
      const task = { runtime, id, bundle, storeRoot: store.root, overlays, spec, stateRoot: this.#stateRoot };
      const { exitCode } = await runForeground({ ...task, stdio });
      return { exitCode, oomKilled: false };
    } finally {
      if (attach) detachTree(attach.target);
      await cleanupContainer(runtime, this.#stateRoot, id, spec.linux.cgroupsPath);
    }
  }

  async kill(record: ContainerRecord, signal: number, all: boolean): Promise<void> {
    await killContainer(await this.#handle(record), String(signal), all);
  }

  async pause(record: ContainerRecord): Promise<void> {
    if (hasOwnCgroup()) return await pauseContainer(await this.#handle(record));
    stopProcesses(record, await this.#firstPid(record));
  }

  async resume(record: ContainerRecord): Promise<void> {
    if (hasOwnCgroup()) return await resumeContainer(await this.#handle(record));
    continueProcesses(await this.#firstPid(record));
  }

  /** 0 when it does not run. */
  async #firstPid(record: ContainerRecord): Promise<number> {
    return (await containerState(await this.#handle(record)))?.pid ?? 0;
  }

  async update(record: ContainerRecord, limits: ResourceRequest): Promise<void> {
    requireCgroup(record, "changing the limits of");
    const resources = resourceSpec(resourceLimits(limits));
    const pids =
      limits.pidsLimit === undefined ? {} : { pids: { limit: limits.pidsLimit > 0 ? limits.pidsLimit : -1 } };
    await updateResources(await this.#handle(record), { ...resources, ...pids });
  }

  async processes(record: ContainerRecord): Promise<readonly number[]> {
    if (hasOwnCgroup()) return await containerProcesses(await this.#handle(record));
    const pid = await this.#firstPid(record);
    return pid === 0 ? [] : processesBeside(pid);
  }

  async cleanup({ record }: Launch): Promise<void> {
    const runtime = await this.#runtime(record);
    await cleanupContainer(runtime, this.#stateRoot, record.id, cgroupsPathOf(record));
  }

  async list(): Promise<readonly string[]> {
    return Promise.resolve(existsSync(this.#stateRoot) ? readdirSync(this.#stateRoot) : []);
  }

  async discard(id: string): Promise<void> {
    const runtime = await this.#runtime();
    await cleanupContainer(runtime, this.#stateRoot, id, `${DEFAULT_CGROUP}/${id}`);
  }

  get #stateRoot(): string {
    return join(this.#options.store.runRoot, "runtime");
  }

  /** One look-up per name and command; the answer is cached on disk too. */
  #runtime(record?: ContainerRecord): Promise<OciRuntime> {
    return this.#runtimeNamed(record?.host.runtime);
  }

  #runtimeNamed(wanted: string | undefined): Promise<OciRuntime> {
    const name = wanted ?? this.#options.runtime;
    const known = this.#found.get(name ?? "");
    if (known) return known;
    const { runRoot } = this.#options.store;
    const found = findRuntime({ runRoot, ...(name === undefined ? {} : { name }) });
    this.#found.set(name ?? "", found);
    return found;
  }

  async #handle(record: ContainerRecord): Promise<ContainerHandle> {
    return { runtime: await this.#runtime(record), stateRoot: this.#stateRoot, id: record.id };
  }

  async #task(launch: Launch, console: Pick<ProcessInput, "consoleSize"> = {}): Promise<ContainerTask> {
    const { record, files } = launch;
    const { store } = this.#options;
    await afterCopies(files.folder);
    const runtime = await this.#runtime(record);
    const lower = lowerOf({ store }, record.layers);
    const staged = stagedMounts(store, files, record);
    const tree = containerTree({ store }, record);
    const before = launchSpec({ ...launch, record: staged.record }, tree, console);
    const spec = await withRequestedDevices(before, record, tree);
    const mountPoints = spec === before ? [] : makeMountPoints(files.mountPoints, tree, { before, after: spec });
    await launch.network?.ready;
    return {
      runtime,
      id: record.id,
      bundle: files.folder,
      storeRoot: store.root,
      overlays: [
        {
          target: files.rootfs,
          lower: [...lower, ...mountPoints],
          upper: files.upper,
          work: files.work,
          volatile: record.host.autoRemove,
          ...given(record, () => containerTree({ store }, record), files.folder),
        },
        ...staged.overlays,
      ],
      subpaths: staged.subpaths,
      spec,
      stateRoot: this.#stateRoot,
    };
  }
}

/** With `keep-id` what belongs to that user becomes the caller's, like everything of root's. */
function given(record: ContainerRecord, tree: () => SourceTree, folder: string): Pick<OverlayMount, "given"> {
  if (namespaceLimits() === undefined && record.host.namespaces.user === undefined) return {};
  const kept = keptId(record, userOf(record, tree()));
  return kept === undefined ? {} : { given: { ...kept, done: join(folder, "given") } };
}

/** A further process: the container's environment, user and folder, changed by the request. */
function execProcess(
  { record, files }: Launch,
  request: ExecRequest,
  { tree, ...console }: Pick<ProcessInput, "consoleSize"> & { readonly tree: SourceTree },
): OciProcess {
  const { config, host } = record;
  const first = userOf(record, tree);
  const added = addedByDevices(record, files.folder, {
    env: withHome(processEnvironment(config), first),
    groups: first.additionalGids,
  });
  const user = withGroups(userOf(record, tree, request.user), added.groups);
  const inherited = overrideEnvironment(processEnvironment(config, request.tty), added.env);
  const process = buildProcess(
    {
      args: request.command,
      env: withHome(overrideEnvironment(inherited, request.env), user, first),
      cwd: request.workdir || config.WorkingDir || "/",
      user,
      terminal: request.tty,
      ...console,
    },
    securityInput(host, request.privileged || host.security.privileged),
  );
  const limits = namespaceLimits();
  return limits === undefined ? process : processInNamespace(process, limits);
}

/** The groups that devices gave the first process open them for other users too. */
function withGroups(user: ResolvedUser, groups: readonly number[]): ResolvedUser {
  return groups.length === 0 ? user : { ...user, additionalGids: [...new Set([...user.additionalGids, ...groups])] };
}
