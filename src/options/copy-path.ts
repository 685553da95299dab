// SPDX-License-Identifier: Apache-2.0
import { cut, usage } from "./usage.ts";

/** One argument of `cp`: a path, in a container when one is named. `-` is the standard stream. */
export interface CopyPath {
  readonly container?: string;
  readonly path: string;
}

/** What `cp` is to do. */
export type CopyDirection =
  | {
      readonly kind: "from-container";
      readonly container: string;
      readonly source: string;
      readonly destination: string;
    }
  | {
      readonly kind: "to-container";
      readonly container: string;
      readonly source: string;
      readonly destination: string;
    };

/** Splits `container:path`; an absolute path and one that starts with `.` are local, whatever colons they hold. */
export function splitCopyPath(text: string): CopyPath {
  const { key, value } = cut(text, ":");
  const isLocal = text.startsWith("/") || value === undefined || key.startsWith(".") || key === "";
  return isLocal ? { path: text } : { container: key, path: value };
}

/** Decides the direction of `cp SOURCE DESTINATION`. Throws `E_USAGE` with Docker's text. */
export function parseCopy(sourceText: string, destinationText: string): CopyDirection {
  const source = splitCopyPath(sourceText);
  const destination = splitCopyPath(destinationText);
  const paths = { source: source.path, destination: destination.path };
  if (source.container !== undefined && destination.container !== undefined) {
    throw usage("copying between containers is not supported");
  }
  if (source.container !== undefined) return { kind: "from-container", container: source.container, ...paths };
  if (destination.container !== undefined) return { kind: "to-container", container: destination.container, ...paths };
  throw usage("must specify at least one container source", "write CONTAINER:PATH for one of the two");
}
