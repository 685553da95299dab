// SPDX-License-Identifier: Apache-2.0
import { withLifeEvents } from "../store/index.ts";
import type { DocumentStore, EventJournal } from "../store/index.ts";
import type { NetworkRecord } from "./types.ts";

/** The same records; what happens to networks and who joins and leaves them is recorded, as Docker does. */
export function withNetworkEvents(
  documents: DocumentStore<NetworkRecord>,
  events: EventJournal,
): DocumentStore<NetworkRecord> {
  const note = (action: "connect" | "disconnect", { id, name }: NetworkRecord, container: string): void =>
    events.record({ type: "network", action, id, attributes: { name, type: "bridge", container } });
  const noteJoins = (before: NetworkRecord, after: NetworkRecord): void => {
    for (const id of Object.keys(before.endpoints)) if (!(id in after.endpoints)) note("disconnect", after, id);
    for (const id of Object.keys(after.endpoints)) if (!(id in before.endpoints)) note("connect", after, id);
  };
  return {
    ...withLifeEvents(documents, events, ({ id, name }) => ({
      type: "network",
      id,
      attributes: { name, type: "bridge" },
    })),
    update: (id, change) => {
      let before: NetworkRecord | undefined;
      const after = documents.update(id, (record) => change((before = record)));
      if (before && after && before !== after) noteJoins(before, after);
      return after;
    },
  };
}
