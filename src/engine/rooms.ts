// SPDX-License-Identifier: Apache-2.0
/*
 * What the methods of an engine share: the store, opened at the first use, and the rooms above it, loaded when called.
 * A question is answered by a store opened for reading (nothing is made, no lock is taken) unless one for writing is
 * open already.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { TareError, ensureDirectory, ioError, systemErrorCode } from "../base/index.ts";
import { openStore, parseFaultPlan } from "../store/index.ts";
import type { ContainersContext } from "../containers/index.ts";
import type { WheelStore } from "../python/index.ts";
import type { Store } from "../store/index.ts";
import { lookUpImage } from "./image-lookup.ts";
import type { Settings } from "./settings.ts";

/** The open parts of one engine. */
export class Rooms {
  readonly settings: Settings;
  #reader: Store | undefined;
  #writer: Store | undefined;
  #containers: ContainersContext | undefined;
  #wheels: WheelStore | undefined;
  #isRecovered = false;
  #isClosed = false;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** The store for questions; a missing one reads as empty. Throws `E_PERMISSION`. */
  reader(): Store {
    return this.#writer ?? (this.#reader ??= this.#open(true));
  }

  /** The store for changes, made when missing; what dead commands left in it is cleared first. */
  writer(): Store {
    if (this.#writer) return this.#writer;
    const store = this.#open(false);
    this.#writer = store;
    store.recover();
    return store;
  }

  /** Containers for questions: states are derived, nothing is written. */
  async containersToRead(): Promise<ContainersContext> {
    return this.#containers ?? (await this.#containerContext(this.reader()));
  }

  /** Containers for changes; what dead commands left of them is cleared first. */
  async containers(): Promise<ContainersContext> {
    const context = (this.#containers ??= await this.#containerContext(this.writer()));
    if (this.#isRecovered) return context;
    this.#isRecovered = true;
    const { recoverContainers } = await import("../containers/index.ts");
    await recoverContainers(context);
    return context;
  }

  /** Wheels and sdists of the store. */
  async wheels(): Promise<WheelStore> {
    const { openWheelStore } = await import("../python/index.ts");
    const { env, cwd } = this.settings;
    return (this.#wheels ??= openWheelStore({ store: this.writer(), env, cwd }));
  }

  close(options: { readonly exiting?: boolean }): void {
    this.#isClosed = true;
    this.#writer?.close(options);
    this.#reader?.close(options);
    this.#writer = this.#reader = this.#containers = undefined;
  }

  async #containerContext(store: Store): Promise<ContainersContext> {
    const { containerContext, hostGpuUsage } = await import("../containers/index.ts");
    const { settings } = this;
    const { publishAddress } = await import("./user-settings.ts");
    const { containerCommands } = await import("./container-commands.ts");
    const { devicePlaces } = await import("./devices.ts");
    return containerContext({
      store,
      devicePlaces: () => devicePlaces(settings),
      ...containerCommands(this.settings),
      publishAddress: () => publishAddress(settings),
      gpuUsage: hostGpuUsage(settings.driverRoot),
      findImage: (text) => {
        const record = lookUpImage(store, text);
        return record && { id: record.id, diffIds: store.contentOf(record).diffIds };
      },
    });
  }

  #open(readonly: boolean): Store {
    if (this.#isClosed) throw new Error("the engine is closed");
    const { root, runRoot, sync, fault } = this.settings;
    requireAccess(root, readonly);
    if (!readonly) makeRunRoot(runRoot);
    return openStore({
      root,
      runRoot,
      sync,
      readonly,
      ...(fault === undefined ? {} : { fault: parseFaultPlan(fault) }),
    });
  }
}

/** One clear error instead of an empty store or a failure in the middle. */
function requireAccess(root: string, readonly: boolean): void {
  const { R_OK, W_OK, X_OK } = fs.constants;
  const wanted = readonly ? R_OK | X_OK : R_OK | W_OK | X_OK;
  try {
    fs.accessSync(existingPart(root), wanted);
  } catch (error) {
    const code = systemErrorCode(error);
    if (readonly && code === "ENOENT") return;
    if (code !== "EACCES" && code !== "EROFS") throw ioError(`opening the store \`${root}\``, error);
    const why = code === "EROFS" ? "the file system is read-only" : "permission denied";
    throw new TareError("E_PERMISSION", `opening the store \`${root}\`: ${why}`, {
      hint: "run as its owner (sudo), or choose a store of your own with `--root` or TARE_ROOT",
      cause: error,
    });
  }
}

/** The folder itself, or the nearest one above it in which it will be made. */
function existingPart(path: string): string {
  if (fs.existsSync(path) || dirname(path) === path) return path;
  return existingPart(dirname(path));
}

function makeRunRoot(path: string): void {
  try {
    ensureDirectory(path, 0o700);
  } catch (error) {
    throw ioError(`making the folder for run-time files \`${path}\``, error);
  }
}
