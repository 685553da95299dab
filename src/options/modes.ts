// SPDX-License-Identifier: Apache-2.0
import { usage } from "./usage.ts";

/** A name space of the container: its own, the host's, or another container's. */
export type NamespaceMode =
  | { readonly kind: "private" }
  | { readonly kind: "shareable" }
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  | { readonly kind: "container"; readonly container: string };

/** The flags that choose a name space. */
export type NamespaceFlag = "pid" | "ipc" | "uts" | "cgroupns";

interface Grammar {
  readonly message: string;
  readonly words: Readonly<Record<string, NamespaceMode>>;
  readonly container: boolean;
}

const OWN = { kind: "private" } as const;
const HOST = { kind: "host" } as const;

const GRAMMARS: Readonly<Record<NamespaceFlag, Grammar>> = {
  pid: { message: "--pid: invalid PID mode", words: { "": OWN, private: OWN, host: HOST }, container: true },
  ipc: {
    message: "--ipc: invalid IPC mode",
    words: { "": OWN, private: OWN, host: HOST, shareable: { kind: "shareable" }, none: { kind: "none" } },
    container: true,
  },
  uts: { message: "--uts: invalid UTS mode", words: { "": OWN, host: HOST }, container: false },
  cgroupns: {
    message: "--cgroupns: invalid CGROUP mode",
    words: { "": OWN, private: OWN, host: HOST },
    container: false,
  },
};

/** Parses `--pid`, `--ipc`, `--uts` or `--cgroupns`. Throws `E_USAGE` with Docker's text. */
export function parseNamespaceMode(flag: NamespaceFlag, text: string): NamespaceMode {
  const { words, container, message } = GRAMMARS[flag];
  const mode = Object.hasOwn(words, text) ? words[text] : undefined;
  if (mode !== undefined) return mode;
  const other = /^container:(.+)$/.exec(text)?.[1];
  if (container && other !== undefined) return { kind: "container", container: other };
  const choices = Object.keys(words).filter((word) => word !== "");
  throw usage(message, `one of ${[...choices, ...(container ? ["container:NAME"] : [])].join(", ")}`);
}
