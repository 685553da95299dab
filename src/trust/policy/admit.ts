// SPDX-License-Identifier: Apache-2.0
/* Asks a policy whether an image may come in. */
import * as fs from "node:fs";
import { TareError, ioError } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { RemoteRepository } from "../../images/index.ts";
import { formatReference } from "../../oci/index.ts";
import type { Reference } from "../../oci/index.ts";
import { readVerifyingKey } from "../sign/keys.ts";
import { checkSignatures } from "../sign/verify-image.ts";
import type { Trusted } from "../sign/verify-image.ts";
import { rootOfPolicy } from "./policy-root.ts";
import { isSignedAs, requirementsFor } from "./scopes.ts";
import type { Material, Policy, Requirement, SigstoreSigned } from "./types.ts";

/** An image at a registry that is about to come in. */
export interface Incoming {
  readonly remote: RemoteRepository;
  /** As it was asked for. */
  readonly reference: Reference;
  /** What the name stands for; for an index then the platform's manifest: a signature of one of them is enough. */
  readonly digests: readonly Digest[];
  /** Text of a `trusted_root.json`, for signatures without keys: the logs of certificates are taken from it. */
  readonly trustedRoot?: string;
  readonly signal?: AbortSignal;
}

/** True when an image needs no look at its signatures. */
export function isAcceptedUnseen(policy: Policy, reference: Reference): boolean {
  return requirementsFor(policy, reference).requirements.every(({ type }) => type === "insecureAcceptAnything");
}

/** Lets an image in, or throws `E_POLICY_REFUSED` with the rule that it does not meet. */
export async function requireAdmission(policy: Policy, incoming: Incoming): Promise<void> {
  const { scope, requirements } = requirementsFor(policy, incoming.reference);
  for (const requirement of requirements) {
    const why = await whyRefused(requirement, incoming);
    if (why === undefined) continue;
    throw new TareError(
      "E_POLICY_REFUSED",
      `letting in \`${formatReference(incoming.reference)}\`: ${why} (rule for \`${scope}\` in \`${policy.path}\`)`,
      {
        hint: "ask who made the rule, or give another policy with `--signature-policy`",
        details: { scope, policy: policy.path },
      },
    );
  }
}

async function whyRefused(requirement: Requirement, incoming: Incoming): Promise<string | undefined> {
  switch (requirement.type) {
    case "insecureAcceptAnything":
      return undefined;
    case "reject":
      return "images from there are rejected";
    case "signedBy":
      return "a GPG signature (`signedBy`) is wanted, and those are not verified here";
    case "sigstoreSigned":
      return whyUnsigned(requirement, incoming);
  }
}

async function whyUnsigned(requirement: SigstoreSigned, incoming: Incoming): Promise<string | undefined> {
  const trusted = trustedOf(requirement, incoming);
  if (trusted === undefined) {
    return "a signature without a key (`fulcio`) is wanted; to verify it, TARE_TRUSTED_ROOT must name a trusted_root.json";
  }
  const reasons: string[] = [];
  for (const digest of incoming.digests) {
    const signal = incoming.signal === undefined ? {} : { signal: incoming.signal };
    const { verified, refused } = await checkSignatures(incoming.remote, digest, { trusted, ...signal });
    const good = verified.find(({ reference }) =>
      isSignedAs(requirement.identity, incoming.reference, reference ?? ""),
    );
    if (good) return undefined;
    reasons.push(...verified.map(({ reference }) => wrongName(reference)), ...refused.map(({ why }) => why));
  }
  const [first] = reasons;
  return first === undefined ? "it has no signature" : `no signature counts: ${first}`;
}

function wrongName(reference: string | undefined): string {
  return reference === undefined || reference === ""
    ? "it names no image"
    : `it is good, but calls the image \`${reference}\``;
}

function trustedOf({ keys, fulcio, logs }: SigstoreSigned, { trustedRoot }: Incoming): Trusted | undefined {
  const root = trustedRoot === undefined ? {} : { trustedRoot };
  if (!fulcio) {
    const known = keys.map((key) => readVerifyingKey(textOf(key)));
    const own = logs.length === 0 ? {} : { logs: rootOfPolicy({ logs: logs.map(textOf), ...root }) };
    return { kind: "keys", keys: known, ...own };
  }
  if (trustedRoot === undefined) return undefined;
  const named = rootOfPolicy({ authority: textOf(fulcio.authority), logs: logs.map(textOf), trustedRoot });
  return { kind: "keyless", trustedRoot: named, rule: { identity: fulcio.email, issuer: fulcio.issuer } };
}

function textOf(material: Material): string {
  if ("data" in material) return material.data.toString("utf8");
  try {
    return fs.readFileSync(material.path, "utf8");
  } catch (error) {
    throw ioError(`reading \`${material.path}\` of the signature policy`, error);
  }
}
