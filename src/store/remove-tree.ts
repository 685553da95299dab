// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { basename } from "node:path";
import { TareError, mountPointsBelow, systemErrorCode } from "../base/index.ts";

/**
 * Removes a tree whatever its modes, never following links; a missing one is no error. Refuses (`E_IO`) while
 * something is mounted in it: a bind mount that a crash left there would lose the user's files, not ours.
 */
export function removeTree(path: string): void {
  for (let round = 1; ; round += 1) {
    const facts = fs.lstatSync(path, { throwIfNoEntry: false });
    if (!facts) return;
    try {
      if (facts.isDirectory()) refuseMounts(path);
      fs.rmSync(path, { recursive: true, force: true });
      return;
    } catch (error) {
      // ENOENT, ENOTEMPTY: another process removes, or its owner fills, the same tree.
      const code = systemErrorCode(error) ?? "";
      if (round === 4 || !["EACCES", "EPERM", "ENOTEMPTY", "ENOENT"].includes(code)) throw error;
      if (code === "EACCES" || code === "EPERM") unlock(Buffer.from(path));
    }
  }
}

function refuseMounts(path: string): void {
  const [mount] = mountsBelow(fs.realpathSync.native(path), fs.readFileSync("/proc/self/mountinfo", "utf8"));
  if (mount === undefined) return;
  throw new TareError("E_IO", `removing \`${path}\`: something is mounted at \`${mount}\``, {
    hint: `run \`umount ${mount}\` first`,
    details: { mount },
  });
}

/** Mount points at or below a real path, from the text of a mountinfo file (proc(5)). */
export function mountsBelow(path: string, mountinfo: string): string[] {
  // Names in the store need no escapes; nearly always this is all there is to do.
  if (!mountinfo.includes(`/${basename(path)}`)) return [];
  return mountPointsBelow(path, mountinfo);
}

/** Gives the owner access to every directory of a tree: overlayfs leaves `work/work` with mode 0. */
function unlock(directory: Buffer): void {
  fs.chmodSync(directory, 0o700);
  for (const entry of fs.readdirSync(directory, { withFileTypes: true, encoding: "buffer" })) {
    if (entry.isDirectory()) unlock(Buffer.concat([directory, Buffer.from("/"), entry.name]));
  }
}
