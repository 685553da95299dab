// SPDX-License-Identifier: Apache-2.0
/* Keys and what opens them: from files, from the environment, from the person at the terminal. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { TareError, ioError } from "../base/index.ts";
import { askHidden } from "./ask-hidden.ts";
import type { CommandContext } from "./context.ts";

/** cosign's variable. */
const VARIABLE = "COSIGN_PASSWORD";

/** The text of a key or root: a path, or `env://VARIABLE` as cosign has it. Throws `E_IO`, `E_USAGE`. */
export function readKeyFile(context: CommandContext, place: string): string {
  const [, variable] = /^env:\/\/(.+)$/.exec(place) ?? [];
  if (variable !== undefined) {
    const text = context.env[variable];
    if (text !== undefined && text !== "") return text;
    throw new TareError("E_USAGE", `reading the key: the variable \`${variable}\` is not set`);
  }
  if (/^[a-z0-9+]+:\/\//i.test(place)) {
    throw new TareError("E_UNSUPPORTED", `reading the key \`${place}\`: keys in key management services are not read`, {
      hint: "give a file in PEM, or `env://VARIABLE`",
    });
  }
  try {
    return readFileSync(resolve(context.cwd, place), "utf8");
  } catch (error) {
    throw ioError(`reading the key \`${place}\``, error);
  }
}

/** How the passphrase of a key is had: from a file, from COSIGN_PASSWORD, or by asking. */
export function askPassphrase(context: CommandContext, file?: string): () => Promise<string> {
  return async () => {
    if (file !== undefined) return readKeyFile(context, file).replace(/\r?\n$/, "");
    const known = context.env[VARIABLE];
    if (known !== undefined) return known;
    if (context.stdinIsTerminal) return askHidden(context, "Passphrase of the key: ");
    throw new TareError("E_USAGE", "nobody can be asked for the key's passphrase: the input is not a terminal", {
      hint: `set ${VARIABLE}`,
    });
  };
}

/** A new passphrase: COSIGN_PASSWORD, or asked for twice. Throws `E_USAGE` when the two differ. */
export async function newPassphrase(context: CommandContext): Promise<string> {
  const known = context.env[VARIABLE];
  if (known !== undefined) return known;
  if (!context.stdinIsTerminal) return askPassphrase(context)();
  const first = await askHidden(context, "New passphrase (empty for none): ");
  const second = await askHidden(context, "Again: ");
  if (first === second) return first;
  throw new TareError("E_USAGE", "the two passphrases are not the same");
}
