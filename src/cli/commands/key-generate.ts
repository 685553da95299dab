// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { TareError, writeFileAtomic } from "../../base/index.ts";
import { newPassphrase } from "../passphrase.ts";
import type { CommandBody } from "../command.ts";

/** `tare key generate`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description: [
    "Makes an ECDSA P-256 key for `tare sign` and writes it as `cosign.key`, encrypted in cosign's format, and",
    "`cosign.pub`. cosign, podman and skopeo read both. The passphrase is COSIGN_PASSWORD, or is asked for.",
  ].join(" "),
  count: { min: 0, max: 0 },
  options: [
    {
      name: "output-key-prefix",
      short: "o",
      type: "string",
      default: "cosign",
      description: "Names of the files without `.key` and `.pub`",
      complete: "file",
    },
  ],
  examples: [
    { line: "tare key generate", text: "cosign.key and cosign.pub in this folder" },
    { line: "COSIGN_PASSWORD= tare key generate -o ci", text: "ci.key without a passphrase, and ci.pub" },
  ],
  async run(context, parsed) {
    const prefix = resolve(context.cwd, parsed.string("output-key-prefix") ?? "cosign");
    const [key, pub] = [`${prefix}.key`, `${prefix}.pub`];
    const there = [key, pub].find((path) => existsSync(path));
    if (there !== undefined) {
      throw new TareError("E_USAGE", `making a key: \`${there}\` exists`, {
        hint: "move it away, or give another name with `-o`",
      });
    }
    const { trust } = await context.engine();
    const made = await trust.generateKey(await newPassphrase(context));
    writeFileAtomic(key, made.privateKey, 0o600);
    writeFileAtomic(pub, made.publicKey, 0o644);
    context.stderr.write(`Wrote ${key} (keep it secret) and ${pub}\n`);
  },
};
