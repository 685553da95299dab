// SPDX-License-Identifier: Apache-2.0
import { readKeyFile } from "../passphrase.ts";
import { usageError } from "../usage-error.ts";
import type { CommandBody } from "../command.ts";
import type { VerifyRequest, VerifyResult } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

const ROOT_VARIABLE = "TARE_TRUSTED_ROOT";

/** `tare verify`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE",
  description: [
    "Verifies that an image at a registry is signed: by one of the keys of `--key`, or by a certificate of the identity",
    "that `--certificate-identity` and `--certificate-oidc-issuer` name. sigstore bundles and cosign's older signatures",
    "are read; nothing but the registry is asked. With `--type` an attestation is looked for instead of a signature.",
  ].join(" "),
  count: { min: 1, max: 1 },
  options: [
    { name: "key", type: "list", description: "Public key: a file, or `env://VARIABLE`", complete: "file" },
    { name: "certificate-identity", type: "string", description: "Mail address or URI of the signer" },
    {
      name: "certificate-identity-regexp",
      type: "string",
      valueName: "regexp",
      description: "The same as an expression that must match the whole",
    },
    { name: "certificate-oidc-issuer", type: "string", valueName: "url", description: "Who vouches for the identity" },
    {
      name: "certificate-oidc-issuer-regexp",
      type: "string",
      valueName: "regexp",
      description: "The same as an expression that must match the whole",
    },
    {
      name: "trusted-root",
      type: "string",
      description: `sigstore's trusted_root.json; default: ${ROOT_VARIABLE}`,
      complete: "file",
    },
    {
      name: "type",
      type: "string",
      description: "Kind of attestation: `slsaprovenance`, `spdx`, `cyclonedx`, or a predicate type's URI",
    },
    { name: "json", type: "boolean", description: "Print the signatures, and what attestations say, as JSON" },
  ],
  complete: ["image"],
  examples: [
    { line: "tare verify --key cosign.pub registry.example.com/team/app:1", text: "signed by this key" },
    { line: "tare verify --key cosign.pub --type spdx --json app | jq .signatures[0].predicate", text: "its SBOM" },
    {
      line: "tare verify --certificate-identity ci@example.com --certificate-oidc-issuer https://accounts.example.com --trusted-root root.json app",
      text: "signed without a key, verified without a network but the registry",
    },
  ],
  async run(context, parsed) {
    const request = requestOf(context, parsed);
    const { trust } = await context.engine();
    const result = await trust.verify({ ...request, signal: context.signal });
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    context.stdout.write(textOf(result));
  },
};

function requestOf(context: CommandContext, parsed: ParsedArguments): VerifyRequest {
  const type = parsed.string("type");
  return {
    image: parsed.word(0),
    keys: parsed.list("key").map((place) => readKeyFile(context, place)),
    ...keylessOf(context, parsed),
    ...(type === undefined ? {} : { type }),
  };
}

/** Never an identity without its issuer, or the other way round: anybody could have such a certificate. */
function keylessOf(context: CommandContext, parsed: ParsedArguments): Pick<VerifyRequest, "keyless"> {
  const [identity, identityExpression] = choice(parsed, "certificate-identity");
  const [issuer, issuerExpression] = choice(parsed, "certificate-oidc-issuer");
  if (identity === undefined && issuer === undefined) {
    if (parsed.given("key")) return {};
    throw usageError("nobody is named whose signature counts", "give `--key`, or a certificate's identity and issuer");
  }
  if (identity === undefined || issuer === undefined) {
    throw usageError("a certificate's identity counts only with who vouches for it", "give both flags");
  }
  const root = parsed.string("trusted-root") ?? context.env[ROOT_VARIABLE];
  if (root === undefined || root === "") throw usageError("verifying without a key needs `--trusted-root`");
  return {
    keyless: {
      identity,
      issuer,
      areExpressions: { identity: identityExpression, issuer: issuerExpression },
      trustedRoot: readKeyFile(context, root),
    },
  };
}

function choice(parsed: ParsedArguments, name: string): readonly [string | undefined, boolean] {
  const [text, expression] = [parsed.string(name), parsed.string(`${name}-regexp`)];
  if (text !== undefined && expression !== undefined) throw usageError(`give \`--${name}\` or \`--${name}-regexp\``);
  return [text ?? expression, expression !== undefined];
}

function textOf({ digest, signatures }: VerifyResult): string {
  const lines = signatures.map(({ format, signer, predicateType }) => {
    const who = "key" in signer ? `the key ${signer.key}` : `${signer.identity}, by ${signer.issuer}`;
    return `  ${format} of ${who}${predicateType === undefined ? "" : `: ${predicateType}`}\n`;
  });
  return `Verified ${digest}\n${lines.join("")}`;
}
