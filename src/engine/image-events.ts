// SPDX-License-Identifier: Apache-2.0
import type { RemovalReport } from "./facade.ts";
import type { Rooms } from "./rooms.ts";

/** Docker's words for what happens to images. */
type ImageAction = "delete" | "import" | "load" | "pull" | "push" | "save" | "tag" | "untag";

/** Records that something happened to an image; `id` is what Docker calls its actor: an id, or a name for transfers. */
export function recordImageEvent(rooms: Rooms, action: ImageAction, id: string, name: string = id): void {
  rooms.writer().events.record({ type: "image", action, id, attributes: { name } });
}

/** `pull` and `push` have the whole name as actor and the repository as name. */
export function recordTransfer(rooms: Rooms, action: "pull" | "push", name: string): void {
  recordImageEvent(rooms, action, name, name.replace(/@.*$/, "").replace(/:[^/:]*$/, ""));
}

/** What a removal took of the image with this id. */
export function recordRemoval(rooms: Rooms, id: string, { entries }: RemovalReport): void {
  for (const { kind, subject } of entries) {
    if (kind === "untagged") recordImageEvent(rooms, "untag", id);
    else if (subject === id) recordImageEvent(rooms, "delete", id);
  }
}
