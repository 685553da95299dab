// SPDX-License-Identifier: Apache-2.0
/*
 * A shell with tools in a container that has none. It joins the container's namespaces of processes, network, IPC and
 * host name; the files are a copy of the container's mounts, so that what is mounted for the session is nobody else's:
 *
 *     tools from a folder    the container's files at /, the tools on an empty folder of the kernel's file systems
 *     tools from an image    that image at / (changes are dropped), the container's files at /target
 *
 * Of a container that does not run, and of an image, the files are its layers below a layer that is dropped.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { ensureDirectory } from "../base/index.ts";
import type { OverlayMount } from "../runtime/index.ts";
import { besideId } from "./beside-id.ts";
import type { ContainersContext } from "./context.ts";
import { debugSpec } from "./debug-spec.ts";
import type { DebugRequest, DebugSubject } from "./debug-spec.ts";
import { lowerOf } from "./image-tree.ts";
import type { ProcessIo } from "./request.ts";
import { settledSubject } from "./debug-subject.ts";

/**
 * Runs the shell, or the request's command, to its end; the exit code. Nothing stays in the container. Throws
 * `E_CONTAINER_NOTFOUND`, `E_CONTAINER_STATE`, `E_UNSUPPORTED`, and what starting a container throws.
 */
export async function debugContainer(
  context: ContainersContext,
  request: DebugRequest,
  io: ProcessIo,
): Promise<number> {
  const subject = settledSubject(context, request.subject);
  const lease = context.store.lease();
  try {
    lease.keep([...subject.layers, ...(request.toolbox.kind === "image" ? request.toolbox.image.diffIds : [])]);
    const places = placesIn(lease.folder, context.store.runRoot);
    if (request.toolbox.kind === "image") fs.mkdirSync(join(places.upper, "target"), { mode: 0o755 });
    const id = besideId(context);
    const overlays = overlaysOf(context, request, { subject, places });
    const target = request.toolbox.kind === "folder" ? places.root : places.target;
    const attach = subject.pid === undefined ? {} : { attach: { pid: subject.pid, target } };
    const spec = debugSpec(request, subject, { id, ...places, io });
    const session = { id, folder: lease.folder, spec, overlays, runtime: subject.host.runtime, ...attach };
    return (await context.runtime.runBeside(session, io)).exitCode;
  } finally {
    lease.release();
  }
}

/** Where the parts of a session are mounted, in its own mount namespace. */
interface Places {
  readonly root: string;
  readonly target: string;
  readonly upper: string;
  readonly work: string;
}

/**
 * The mount points are outside of folders that are deleted with all that is in them: a container's files may be mounted
 * there. All sessions share them, since each has its own mount namespace.
 */
function placesIn(folder: string, runRoot: string): Places {
  const [root, target] = [join(runRoot, "debug-root"), join(runRoot, "debug-target")];
  const [upper, work] = [join(folder, "upper"), join(folder, "work")];
  for (const place of [root, target, upper, work]) ensureDirectory(place, 0o755);
  return { root, target, upper, work };
}

function overlaysOf(
  context: ContainersContext,
  { toolbox }: DebugRequest,
  { subject, places }: { readonly subject: DebugSubject; readonly places: Places },
): readonly OverlayMount[] {
  const { root, target, upper, work } = places;
  const files = [...(subject.upper === undefined ? [] : [subject.upper]), ...lowerOf(context, subject.layers)];
  if (toolbox.kind === "folder") return subject.pid === undefined ? [{ target: root, lower: files, upper, work }] : [];
  const tools: OverlayMount = { target: root, lower: lowerOf(context, toolbox.image.diffIds), upper, work };
  return subject.pid === undefined ? [tools, { target, lower: files }] : [tools];
}
