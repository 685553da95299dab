// SPDX-License-Identifier: Apache-2.0
/* `events`, with Docker's filters: values of one key are alternatives, except labels, which must all hold. */
import { TareError, suggest } from "../base/index.ts";
import type { StoreEvent } from "../store/index.ts";
import type { EventsRequest } from "./facade-events.ts";
import type { Filters } from "./facade.ts";
import type { Rooms } from "./rooms.ts";

/** What happened in this store, as it happens. Throws `E_FILTER` before the first event. */
export async function* events(rooms: Rooms, request: EventsRequest): AsyncGenerator<StoreEvent, void, undefined> {
  const { filters, ...range } = request;
  checkFilters(filters);
  for await (const event of rooms.reader().events.read(range)) if (matchesFilters(event, filters)) yield event;
}

type Filter = (event: StoreEvent, value: string) => boolean;

const FILTERS: Readonly<Record<string, Filter>> = {
  type: ({ type }, value) => type === value,
  // `exec_start` fits `exec_start: ls -l`, `health_status` every state.
  event: ({ action }, value) => action === value || action.startsWith(`${value}: `),
  container: (event, value) => isOf(event, "container", value),
  volume: (event, value) => isOf(event, "volume", value),
  network: (event, value) => isOf(event, "network", value),
  image: (event, value) => imageNames(event).includes(value),
  label: ({ attributes }, value) => hasLabel(attributes, value),
  scope: (_event, value) => value === "local",
  daemon: () => true,
};

/** True when an event fits. */
export function matchesFilters(event: StoreEvent, filters: Filters): boolean {
  return Object.entries(filters).every(([key, values]) => {
    const holds = (value: string): boolean => FILTERS[key]?.(event, value) ?? false;
    return key === "label" ? values.every(holds) : values.some(holds);
  });
}

function checkFilters(filters: Filters): void {
  for (const key of Object.keys(filters)) {
    if (Object.hasOwn(FILTERS, key)) continue;
    const near = suggest(key, Object.keys(FILTERS));
    throw new TareError("E_FILTER", `reading the filter \`${key}\`: no such filter`, {
      hint: near ? `did you mean \`${near}\`?` : `filters: ${Object.keys(FILTERS).join(", ")}`,
    });
  }
}

/** By the beginning of the id or of the name, as Docker's. */
function isOf({ type, id, attributes }: StoreEvent, wanted: string, value: string): boolean {
  if (type !== wanted) return attributes[wanted] === value;
  return id.startsWith(value) || (attributes["name"] ?? "").startsWith(value);
}

/** With and without tag, of the image or of the container made of it. */
function imageNames({ type, id, attributes }: StoreEvent): readonly string[] {
  if (type !== "image" && type !== "container") return [];
  const names = type === "image" ? [id, attributes["name"] ?? ""] : [attributes["image"] ?? ""];
  return names.flatMap((name) => [name, name.replace(/:[^/:]*$/, "")]);
}

function hasLabel(attributes: Readonly<Record<string, string>>, value: string): boolean {
  const equals = value.indexOf("=");
  if (equals < 0) return Object.hasOwn(attributes, value);
  return attributes[value.slice(0, equals)] === value.slice(equals + 1);
}
