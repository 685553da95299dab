// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError, randomHex } from "../base/index.ts";
import { openNetworking } from "../network/index.ts";
import { filesOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { recordContainerEvent } from "./events.ts";
import { findContainer } from "./find.ts";
import { checkName } from "./names.ts";
import type { ExecRequest, ProcessIo } from "./request.ts";
import { findRunning } from "./starting.ts";

/** Runs a further program in a running container; its exit code, 0 at once with `detach`. Throws `E_CONTAINER_STATE`. */
export async function execInContainer(
  context: ContainersContext,
  request: ExecRequest,
  io: ProcessIo,
): Promise<number> {
  const { record, state } = await findRunning(context, request.container, "running a program in");
  if (state.paused) throw pausedError(record.name);
  if (request.command.length === 0) {
    throw new TareError("E_NO_COMMAND", `running a program in \`${record.name}\`: no command given`, { exitCode: 125 });
  }
  const execID = randomHex(32);
  // As Docker joins program and arguments, with a space also where there are none.
  const [program = "", ...words] = request.command;
  const command = `${program} ${words.join(" ")}`;
  recordContainerEvent(context, record, `exec_create: ${command}`, { execID });
  recordContainerEvent(context, record, `exec_start: ${command}`, { execID });
  try {
    const exitCode = await context.runtime.exec({ record, files: filesOf(context, record.id) }, request, io);
    if (!request.detach) recordContainerEvent(context, record, "exec_die", { execID, exitCode: String(exitCode) });
    return exitCode;
  } catch (error) {
    throw withDockersCode(error, request);
  }
}

function pausedError(name: string): TareError {
  const why = "container is paused, unpause the container before exec";
  return new TareError("E_CONTAINER_STATE", `running a program in the container \`${name}\`: ${why}`, {
    hint: `let it go on with \`tare unpause ${name}\``,
  });
}

/** 125 is for `run`: a program that `exec` can't start gives 126 (127: there is no such program), with `-d` always 1. */
function withDockersCode(error: unknown, { detach }: ExecRequest): unknown {
  if (!isTareError(error)) return error;
  const { code, message, hint, details, cause } = error;
  const exitCode = detach ? 1 : error.exitCode === 125 ? 126 : error.exitCode;
  return new TareError(code, message, { exitCode, details, cause, ...(hint === undefined ? {} : { hint }) });
}

/** Stops all processes of a running container where they are. */
export async function pauseContainer(context: ContainersContext, text: string): Promise<void> {
  const { record } = await findRunning(context, text, "pausing");
  await context.runtime.pause(record);
  notePaused(context, record.id, true);
}

/** Lets them go on. */
export async function unpauseContainer(context: ContainersContext, text: string): Promise<void> {
  const { record } = await findRunning(context, text, "unpausing");
  await context.runtime.resume(record);
  notePaused(context, record.id, false);
}

function notePaused(context: ContainersContext, id: string, paused: boolean): void {
  recordsOf(context).update(id, (record) =>
    record.state.status === "running" ? { ...record, state: { ...record.state, paused } } : record,
  );
}

/** Gives a container another name, in its networks too. Throws `E_NAME`, `E_NAME_TAKEN`. */
export async function renameContainer(context: ContainersContext, text: string, name: string): Promise<void> {
  const records = recordsOf(context);
  const { id, name: current, host } = findContainer(context, text);
  const wanted = checkName(name);
  if (wanted === current)
    throw new TareError("E_NAME_TAKEN", `naming container \`${wanted}\`: it has that name already`);
  records.rename(id, wanted, (record) => ({ ...record, name: wanted }));
  if ((host.joins ?? []).length > 0) await openNetworking(context.store).rename(id, wanted);
}
