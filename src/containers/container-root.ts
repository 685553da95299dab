// SPDX-License-Identifier: Apache-2.0
/*
 * The files of a container as it sees them, mounts included. One that runs is looked at through its first process; of one
 * that does not, the root file system is put together in a mount namespace that nobody else sees. Two that write may not
 * have the same upper directory mounted, so writing into a stopped container and its start exclude each other: the
 * writer takes a lock and then looks at the record, the starter writes the record and then waits for the lock.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, systemErrorCode, withFileLock } from "../base/index.ts";
import { etcFilesIn, openPrivateRoot } from "../runtime/index.ts";
import type { PrivateMount, RootDirectory } from "../runtime/index.ts";
import { filesOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import type { ContainerView } from "./filters.ts";
import { findContainer, viewOf } from "./find.ts";
import { lowerOf } from "./image-tree.ts";
import { isStarting, viewOnceStarted } from "./starting.ts";
import type { ContainerRecord } from "./types.ts";

/** What somebody does with a container's files. */
type Use<T> = (root: RootDirectory, record: ContainerRecord) => Promise<T>;

/** Opens a container's root directory for one piece of work. Throws `E_CONTAINER_NOTFOUND`, `E_CONTAINER_STATE`. */
export async function withContainerRoot<T>(
  context: ContainersContext,
  container: { readonly text: string; readonly access: "read" | "write" },
  use: Use<T>,
): Promise<T> {
  const { id } = findContainer(context, container.text);
  for (;;) {
    const known = findContainer(context, id);
    const view =
      (await viewOnceStarted(context, known, "copying files of")) ?? viewOf(context, findContainer(context, id));
    if (view.state.status === "running") return await used(openRunning(context, view), view.record, use);
    if (container.access === "read") return await used(openStopped(context, view.record, true), view.record, use);
    const done = await withFileLock(lockOf(filesOf(context, id).folder), async () => {
      const { record, state } = viewOf(context, findContainer(context, id));
      if (state.status === "running" || isStarting(context, record)) return undefined;
      return { result: await used(openStopped(context, record, false), record, use) };
    });
    if (done) return done.result;
  }
}

/** A starter calls it after it has written that it starts the container. */
export async function afterCopies(folder: string): Promise<void> {
  const lock = lockOf(folder);
  if (fs.existsSync(lock)) await withFileLock(lock, () => undefined);
}

function lockOf(folder: string): string {
  return join(folder, "copying");
}

async function used<T>(root: RootDirectory, record: ContainerRecord, use: Use<T>): Promise<T> {
  try {
    return await use(root, record);
  } finally {
    root.close();
  }
}

/** Its namespace is held too: at the end of the container its mounts would go away below the files. */
function openRunning(context: ContainersContext, { record, state }: ContainerView): RootDirectory {
  const descriptors: number[] = [];
  const close = (): void => descriptors.splice(0).forEach((descriptor) => fs.closeSync(descriptor));
  try {
    descriptors.push(fs.openSync(`/proc/${state.pid}/root`, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY));
    descriptors.push(fs.openSync(`/proc/${state.pid}/ns/mnt`, "r"));
  } catch (error) {
    close();
    if (systemErrorCode(error) !== "ENOENT" && systemErrorCode(error) !== "ESRCH") throw error;
  }
  const [descriptor] = descriptors;
  // The pid was this container's before the files were opened, and it still is.
  if (descriptor !== undefined && viewOf(context, record).state.pid === state.pid) return { descriptor, close };
  close();
  throw new TareError("E_CONTAINER_STATE", `copying files of the container \`${record.name}\`: it has just ended`, {
    hint: "try again",
  });
}

function openStopped(context: ContainersContext, record: ContainerRecord, scratch: boolean): RootDirectory {
  const { store } = context;
  const files = filesOf(context, record.id);
  return openPrivateRoot({
    storeRoot: store.root,
    overlay: {
      target: files.rootfs,
      lower: lowerOf(context, record.layers),
      upper: files.upper,
      work: files.work,
    },
    scratch,
    readOnly: record.host.readOnly && !scratch,
    mounts: mountsOf(record, files.folder),
  });
}

/** Those whose source is there; what a tmpfs had is gone. */
function mountsOf(record: ContainerRecord, folder: string): readonly PrivateMount[] {
  const own = record.mounts.flatMap(({ type, source, destination, readOnly }) =>
    type === "tmpfs" ? [] : [{ source, destination, readOnly }],
  );
  const taken = new Set(own.map(({ destination }) => destination));
  const generated = etcFilesIn(folder).map(({ source = "", destination }) => ({
    source,
    destination,
    readOnly: false,
  }));
  const all = [...generated.filter(({ destination }) => !taken.has(destination)), ...own];
  return all.filter(({ source }) => fs.existsSync(source));
}
