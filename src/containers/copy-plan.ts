// SPDX-License-Identifier: Apache-2.0
/* Docker's rules of `cp` (docs.docker.com/reference/cli/docker/container/cp): where a source lands, and by which name. */
import { posix } from "node:path";
import { TareError } from "../base/index.ts";

/** The source of a copy, looked up. */
export interface SourceFacts {
  readonly isDirectory: boolean;
  /** Its name; `.` when the content of a directory is meant. */
  readonly base: string;
}

/** The destination of a copy, looked up, links followed. */
export interface DestinationFacts {
  /** As in messages. */
  readonly shown: string;
  /** Its last name. */
  readonly base: string;
  readonly kind: "directory" | "other" | "absent";
  /** It was written with a slash at its end. */
  readonly assertsDirectory: boolean;
}

/** In which folder the source is made, and by which name. */
export interface CopyPlan {
  /** The destination itself, or what it is in. */
  readonly into: "destination" | "parent";
  readonly base: string;
}

/** Throws `E_COPY` for what Docker refuses. */
export function planCopy(source: SourceFacts, destination: DestinationFacts): CopyPlan {
  const { kind, base, shown } = destination;
  if (kind === "directory") return { into: "destination", base: source.base };
  if (kind === "other" && source.isDirectory) throw refused(`cannot copy a directory to the file \`${shown}\``);
  if (!source.isDirectory && destination.assertsDirectory) {
    throw refused(`the destination directory \`${shown}\` ${kind === "other" ? "is a file" : "must exist"}`);
  }
  return { into: "parent", base };
}

/** A path of `cp` from a folder on; `/.` and a slash at its end mean something and stay. */
export function copyPath(text: string, folder: string): string {
  const path = posix.resolve(folder, text);
  if (text === "." || text.endsWith("/.")) return path === "/" ? "/." : `${path}/.`;
  return text.endsWith("/") && path !== "/" ? `${path}/` : path;
}

/** What `cp` says of a copy that it does not make. */
export function refused(why: string): TareError {
  return new TareError("E_COPY", `copying: ${why}`);
}
