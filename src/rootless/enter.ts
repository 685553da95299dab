// SPDX-License-Identifier: Apache-2.0
import { CALLER_VARIABLE, callingAccount, userNamespace } from "../base/index.ts";
import { holdNamespace, readHolder } from "./holder.ts";
import type { Holder } from "./holder.ts";
import { hostTables, planMaps } from "./map-plan.ts";
import { locate } from "./programs.ts";
import { namespaceFolder, userRunFolder } from "./run-folder.ts";

/** A command line that runs in the caller's user namespace. */
export interface Entrance {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `single`: there are no lent ids, with what that forbids. */
  readonly kind: Holder["kind"];
  /** The namespace has been made just now. */
  readonly isNew: boolean;
}

/** True for a process of an ordinary user that is not in his namespace yet. */
export function standsOutside(): boolean {
  const account = callingAccount();
  return process.platform === "linux" && account !== undefined && account.uid !== 0 && userNamespace().isInitial;
}

/**
 * How to run `command` (program and arguments) in the user namespace of the caller, which is made when it is missing:
 * 10 ms once, 2 ms to enter. Supplementary groups are kept. Throws `E_USERNS`, `E_PERMISSION`.
 */
export async function entranceOf(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Entrance> {
  const account = callingAccount() ?? { uid: 0, gid: 0 };
  const folder = namespaceFolder(userRunFolder(env["XDG_RUNTIME_DIR"], account.uid), account.uid);
  const known = readHolder(folder);
  const holder = known?.kind === "full" ? known : await holdNamespace(folder, planMaps(account, hostTables()));
  return {
    program: locate("nsenter"),
    args: ["--user", "--preserve-credentials", "--target", String(holder.pid), "--", ...command],
    env: { ...env, [CALLER_VARIABLE]: `${account.uid}:${account.gid}` },
    kind: holder.kind,
    isNew: known === undefined,
  };
}
