// SPDX-License-Identifier: Apache-2.0
/* Events in Docker's forms (Engine API, "Monitor events"). */
import { escapeLine } from "./text/escape.ts";
import type { StoreEvent } from "../engine/index.ts";

const TIME_MARK = "@time@";

/** The fields as templates name them; `.TimeNano` is exact only as the text of `eventJson`. */
export function eventDocument(event: StoreEvent): Readonly<Record<string, unknown>> {
  const { type, action, id, attributes, time } = event;
  return {
    ...oldFields(event, (name) => name.charAt(0).toUpperCase() + name.slice(1)),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: Object.assign(Object.create(null) as object, attributes) },
    Scope: "local",
    Time: secondsOf(time),
    TimeNano: time,
  };
}

/** One line of JSON as Docker writes it. */
export function eventJson(event: StoreEvent): string {
  const { type, action, id, attributes, time } = event;
  const document = {
    ...oldFields(event, (name) => name),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: sorted(attributes) },
    scope: "local",
    time: secondsOf(time),
    timeNano: TIME_MARK,
  };
  // A number of nanoseconds is more than a JavaScript number holds.
  return JSON.stringify(document).replace(`"timeNano":"${TIME_MARK}"`, `"timeNano":${time}`);
}

/** What events of containers and images had before there were other types. */
function oldFields(
  { type, action, id, attributes }: StoreEvent,
  spell: (name: string) => string,
): Readonly<Record<string, string>> {
  if (type !== "container" && type !== "image") return {};
  const from = attributes["image"];
  return { [spell("status")]: action, [spell("id")]: id, ...(from === undefined ? {} : { [spell("from")]: from }) };
}

/** `2026-11-27T20:50:00.123456789Z container start ID (image=app, name=web)`, in local time. */
export function eventLine({ type, action, id, attributes, time }: StoreEvent): string {
  const words = Object.entries(sorted(attributes)).map(([name, value]) => `${name}=${value}`);
  const shown = words.length > 0 ? ` (${words.join(", ")})` : "";
  return escapeLine(`${localTime(time)} ${type} ${action} ${id}${shown}`);
}

function secondsOf(nanoseconds: string): number {
  return Math.floor(Number(nanoseconds.slice(0, -6)) / 1000);
}

function sorted(attributes: StoreEvent["attributes"]): StoreEvent["attributes"] {
  return Object.fromEntries(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** RFC 3339 with nanoseconds and the zone of this machine. */
function localTime(time: string): string {
  const milliseconds = Math.floor(Number(time.slice(0, -6)));
  const offset = -new Date(milliseconds).getTimezoneOffset();
  const text = new Date(milliseconds + offset * 60_000).toISOString();
  return `${text.slice(0, 19)}.${time.slice(-9)}${zoneText(offset)}`;
}

function zoneText(minutes: number): string {
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
