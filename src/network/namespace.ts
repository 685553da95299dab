// SPDX-License-Identifier: Apache-2.0
/*
 * A container's network namespace begins in a small process of its own: `unshare --net sh SCRIPT` makes the namespace,
 * its ends of the virtual cables, addresses and routes, then plugs the other ends into the bridges and adds the rules,
 * says `ready` and waits for the end of its input. The OCI runtime joins it by `/proc/PID/ns/net`, so nothing is ever
 * mounted. When this process is killed the helper's input ends too: the namespace goes, and the cables with it.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { TareError, startFailure } from "../base/index.ts";
import type { Attachment } from "./backend.ts";
import { TOOL_ENVIRONMENT } from "./programs.ts";

/** What the helper is told: three batches. */
export interface NamespaceScript {
  /** Of `ip`, in the new namespace. */
  readonly inside: string;
  /** Of `ip`, on the host. */
  readonly outside: string;
  /** Of `nft`, on the host; may be empty. */
  readonly rules: string;
}

/** Fixed; values come as positional arguments only: `--bundle FOLDER INSIDE OUTSIDE RULES PID`. */
const SCRIPT = `
fail() { echo "$1" >&2; exit 1; }
why=$(ip -batch - 2>&1 <<END
$3
END
) || fail "$why"
why=$(nsenter --net="/proc/$6/ns/net" sh -c '
ip -batch - <<END || exit 1
$1
END
[ -z "$2" ] || nft -f - <<END
$2
END
' sh "$4" "$5" 2>&1) || fail "$why"
echo ready
read -r _`;

/** Starts the helper. Throws when there can't be a process at all. */
export function makeNamespace(folder: string, script: NamespaceScript): Attachment {
  const { inside, outside, rules } = script;
  const words = ["--net", "sh", "-c", SCRIPT, "sh", "--bundle", folder, inside, outside, rules, String(process.pid)];
  const { pid, ready, release } = startHelper(words);
  return { namespace: `/proc/${pid}/ns/net`, ready, release };
}

/** A process in new namespaces, which last until it ends. */
interface Helper {
  readonly pid: number;
  /** Resolves at its first output. Rejects with what it complains about when it ends before. */
  readonly ready: Promise<void>;
  /** Ends its input, for which it waits. */
  release(): void;
}

/** Starts `unshare` with these words. Throws when there can't be a process at all. */
export function startHelper(words: readonly string[]): Helper {
  // A session of its own: Ctrl-C is for the container, not for the helper.
  const child = spawn("unshare", words, { env: TOOL_ENVIRONMENT, stdio: ["pipe", "pipe", "pipe"], detached: true });
  child.stdin.on("error", () => undefined);
  return {
    pid: child.pid ?? 0,
    ready: readiness(child),
    release: () => {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      child.unref();
    },
  };
}

function readiness(child: ChildProcess): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    let complaint = "";
    child.stderr?.on("data", (data: Buffer) => (complaint += data.toString("utf8")));
    child.stdout?.once("data", () => resolve());
    child.once("error", (error) => reject(startFailure("unshare", error)));
    child.once("close", () => reject(setUpFailure(complaint)));
  });
  // Whoever gives up before awaiting it has an error of its own.
  ready.catch(() => undefined);
  return ready;
}

/** What `ip` or `nft` said, as one error. */
export function setUpFailure(complaint: string): TareError {
  const why = complaint.trim().split("\n").slice(-3).join("; ") || "the helper was killed";
  return new TareError("E_NETWORK", `setting up the network: ${why}`, {
    hint: "`tare system check` shows what this host lacks; `--network host` and `--network none` need nothing",
  });
}
