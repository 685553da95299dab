// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { otherContainer } from "./joined-namespaces.ts";
import type { NamespaceRequest } from "./request.ts";

/** What each kind may be; the empty text is Docker's for the default. */
const KNOWN = {
  ipc: ["", "private", "shareable", "host"],
  pid: ["", "private", "host"],
  uts: ["", "private", "host"],
} as const;

/** Nothing but what a start knows may come into a record. Throws `E_USAGE`, `E_UNSUPPORTED`. */
export function checkNamespaces(namespaces: NamespaceRequest): void {
  for (const kind of ["ipc", "pid", "uts"] as const) {
    const mode = namespaces[kind];
    if (mode === undefined || (KNOWN[kind] as readonly string[]).includes(mode)) continue;
    const isOther = otherContainer(mode) !== undefined;
    if (kind === "pid" && isOther) continue;
    if (kind === "ipc" && (isOther || mode === "none")) {
      throw new TareError("E_UNSUPPORTED", `choosing the ipc namespace \`${mode}\`: only \`host\` can be shared`, {
        hint: "a volume or `--ipc host` shares memory files between containers",
        exitCode: 125,
      });
    }
    throw new TareError("E_USAGE", `choosing the ${kind} namespace: \`${mode}\` is not known`, { exitCode: 125 });
  }
}
