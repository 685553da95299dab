// SPDX-License-Identifier: Apache-2.0
import type { EventJournal, StoreEvent } from "./events.ts";
import type { DocumentStore } from "./types.ts";

/** What an event tells of a document. */
export type DocumentSubject = Pick<StoreEvent, "type" | "id" | "attributes">;

/** The same documents; that one is made or removed is recorded as an event, `create` or `destroy`. */
export function withLifeEvents<T>(
  documents: DocumentStore<T>,
  events: EventJournal,
  subjectOf: (value: T) => DocumentSubject,
): DocumentStore<T> {
  const note = (action: "create" | "destroy", value: T | undefined): void => {
    if (value !== undefined) events.record({ action, ...subjectOf(value) });
  };
  const noteNew = (id: string, write: () => void): void => {
    const isNew = documents.get(id) === undefined;
    write();
    if (isNew) note("create", documents.get(id));
  };
  return {
    ...documents,
    insert: (id, name, value) => {
      documents.insert(id, name, value);
      note("create", value);
    },
    put: (id, value) => noteNew(id, () => documents.put(id, value)),
    change: (id, change) => noteNew(id, () => documents.change(id, change)),
    remove: (id) => {
      const value = documents.get(id);
      documents.remove(id);
      note("destroy", value);
    },
  };
}
