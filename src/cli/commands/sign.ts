// SPDX-License-Identifier: Apache-2.0
import { askPassphrase, readKeyFile } from "../passphrase.ts";
import { usageError } from "../usage-error.ts";
import { productVersion } from "../version.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { SignRequest } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

const FULCIO = "https://fulcio.sigstore.dev";
const REKOR = "https://rekor.sigstore.dev";

/** `tare sign`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE",
  description: [
    "Signs an image at its registry: what the name stands for there, not what the store has. The signature is written",
    "beside it as a sigstore bundle (OCI 1.1 referrer), or with `--format legacy` under cosign's older tag, which podman",
    "and skopeo verify. A key signs nothing twice.",
  ].join(" "),
  count: { min: 1, max: 1 },
  options: [
    { name: "key", type: "string", description: "Private key: a file, or `env://VARIABLE`", complete: "file" },
    {
      name: "format",
      type: "string",
      default: "bundle",
      choices: ["bundle", "legacy", "all"],
      description: "Kind of signature",
    },
    { name: "recursive", short: "r", type: "boolean", description: "Also each platform's manifest of an index" },
    { name: "sign-passphrase-file", type: "string", description: "File with the key's passphrase", complete: "file" },
    {
      name: "keyless",
      type: "boolean",
      description: "Sign by the identity of an OpenID token instead of a key; the identity becomes public",
    },
    {
      name: "identity-token",
      type: "string",
      valueName: "path",
      description: "File with the token; default: SIGSTORE_ID_TOKEN, or what GitHub Actions gives",
      complete: "file",
    },
    { name: "fulcio-url", type: "string", valueName: "url", default: FULCIO, description: "Who gives certificates" },
    { name: "rekor-url", type: "string", valueName: "url", default: REKOR, description: "The transparency log" },
    { name: "json", type: "boolean", description: "Print what was signed as JSON" },
    { ...PROGRESS_OPTION, default: "quiet" },
  ],
  complete: ["image"],
  examples: [
    { line: "tare sign --key cosign.key registry.example.com/team/app:1", text: "as newer tools have it" },
    { line: "tare sign --key cosign.key --format all localhost:5000/app", text: "also for podman and skopeo" },
    { line: "tare sign --keyless registry.example.com/team/app:1", text: "in a workflow that has an OpenID token" },
  ],
  async run(context, parsed) {
    const request = signRequest(context, parsed);
    const { trust } = await context.engine();
    const mode = progressMode(parsed.string("progress"), context.env);
    const made = await withProgress(context, { mode, title: "Signing" }, (call) => trust.sign({ ...request, ...call }));
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(made, undefined, 2)}\n`);
    const lines = made.map(({ subject, format: kind, digest, existed }) => {
      return `${subject}: ${kind} ${existed ? `is there: ${digest}` : digest}\n`;
    });
    context.stdout.write(lines.join(""));
  },
};

function signRequest(context: CommandContext, parsed: ParsedArguments): SignRequest {
  const format = parsed.string("format");
  const formats: SignRequest["formats"] =
    format === "all" ? ["bundle", "legacy"] : [format === "legacy" ? "legacy" : "bundle"];
  return {
    image: parsed.word(0),
    formats,
    recursive: parsed.boolean("recursive"),
    version: productVersion(),
    ...signerOf(context, parsed),
  };
}

function signerOf(context: CommandContext, parsed: ParsedArguments): Pick<SignRequest, "key" | "keyless"> {
  const key = parsed.string("key");
  if (parsed.boolean("keyless")) {
    if (key !== undefined) throw usageError("`--key` and `--keyless` exclude each other");
    if (parsed.string("format") !== "bundle") throw usageError("without a key there are bundles only");
    const url = (name: string): string => (parsed.string(name) ?? "").replace(/\/+$/, "");
    const file = parsed.string("identity-token");
    const token = file === undefined ? {} : { token: readKeyFile(context, file).trim() };
    return { keyless: { ...token, fulcioUrl: url("fulcio-url"), rekorUrl: url("rekor-url") } };
  }
  if (key === undefined)
    throw usageError("`tare sign` needs `--key`", "`tare key generate` makes one; or give `--keyless`");
  const passphrase = askPassphrase(context, parsed.string("sign-passphrase-file"));
  return { key: { text: readKeyFile(context, key), passphrase } };
}
