// SPDX-License-Identifier: Apache-2.0
/*
 * Events of containers. Most of them are read off what is written into a record (made, started, ended, paused, renamed,
 * removed), so that no way of ending a container can forget to say so; the others are recorded by the commands.
 */
import { withLifeEvents } from "../store/index.ts";
import type { DocumentStore, DocumentSubject, EventJournal, Store } from "../store/index.ts";
import type { ContainerRecord } from "./types.ts";

/**
 * Records that something happened to a container, with Docker's attributes (image, name, labels) and those given. Never
 * throws. `action` is Docker's word: `kill`, `exec_start: ls`, `health_status: healthy`.
 */
export function recordContainerEvent(
  { store }: { readonly store: Pick<Store, "events"> },
  record: Named,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): void {
  const subject = subjectOf(record);
  store.events.record({ ...subject, action, attributes: { ...subject.attributes, ...attributes } });
}

type Named = Pick<ContainerRecord, "id" | "name" | "image" | "config">;

function subjectOf({ id, name, image, config }: Named): DocumentSubject {
  return { type: "container", id, attributes: { ...config.Labels, image, name } };
}

/** Records how a run ended, for a container whose record goes away without saying so. */
export function recordDeath(
  context: { readonly store: Pick<Store, "events"> },
  record: ContainerRecord,
  {
    exitCode,
    oomKilled,
    finishedAt,
  }: { readonly exitCode: number; readonly oomKilled: boolean; readonly finishedAt: number },
): void {
  const startedAt = record.state.status === "running" ? record.state.startedAt : finishedAt;
  const execDuration = String(Math.max(0, Math.floor((finishedAt - startedAt) / 1000)));
  if (oomKilled) recordContainerEvent(context, record, "oom");
  recordContainerEvent(context, record, "die", { execDuration, exitCode: String(exitCode) });
}

/** The same documents, whose changes are recorded as events. */
export function withEvents(
  documents: DocumentStore<ContainerRecord>,
  events: EventJournal,
): DocumentStore<ContainerRecord> {
  const place = { store: { events } };
  const known = withLifeEvents(documents, events, subjectOf);
  return {
    ...known,
    insert: (id, name, record) => {
      known.insert(id, name, record);
      recordChange(place, undefined, record);
    },
    update: (id, change) => {
      let before: ContainerRecord | undefined;
      const after = documents.update(id, (record) => change((before = record)));
      if (before && after && before !== after) recordChange(place, before, after);
      return after;
    },
    rename: (id, name, change) => {
      const before = documents.get(id);
      const isRenamed = documents.rename(id, name, change);
      const after = isRenamed ? documents.get(id) : undefined;
      if (before && after) recordContainerEvent(place, after, "rename", { oldName: `/${before.name}` });
      return isRenamed;
    },
  };
}

type Place = { readonly store: Pick<Store, "events"> };

function recordChange(place: Place, before: ContainerRecord | undefined, after: ContainerRecord): void {
  const note = (action: string, attributes?: Readonly<Record<string, string>>): void =>
    recordContainerEvent(place, after, action, attributes);
  if (!hasStarted(before) && hasStarted(after)) note("start");
  const isRunning = after.state.status === "running";
  if (before && isRunning && isPaused(before) !== isPaused(after)) note(isPaused(after) ? "pause" : "unpause");
  // A program that could not be started has not died, as with Docker.
  if (before?.state.status !== "running" || !hasStarted(before)) return;
  if (after.state.status === "exited" || after.state.status === "restarting") recordDeath(place, before, after.state);
}

/** A foreground container's start is not written down apart. */
function hasStarted(record: ContainerRecord | undefined): boolean {
  const state = record?.state;
  return state?.status === "running" && (state.started || state.mode === "foreground");
}

/** What runs no more is not paused, and needs no word for that. */
function isPaused(record: ContainerRecord): boolean {
  return record.state.status === "running" && record.state.paused === true;
}
