// SPDX-License-Identifier: Apache-2.0
/* Which rule is an image's, and whether the name in a signature is the one that was asked for. */
import { formatReference, normalizeReference, referenceName } from "../../oci/index.ts";
import type { Reference } from "../../oci/index.ts";
import type { Policy, Requirement, SignedIdentity } from "./types.ts";

/** The requirements of an image, and the scope that they stand under: the longest that fits. */
export function requirementsFor(
  policy: Policy,
  reference: Reference,
): { readonly scope: string; readonly requirements: readonly Requirement[] } {
  for (const scope of scopesOf(reference)) {
    const requirements = policy.scopes.get(scope);
    if (requirements) return { scope: scope === "" ? "all registries" : scope, requirements };
  }
  return { scope: "default", requirements: policy.default };
}

/** The scopes of an image, from itself over its repository, namespaces, host and the host's domains to all. */
function scopesOf(reference: Reference): readonly string[] {
  const name = referenceName(reference);
  const parts = name.split("/");
  const folders = parts.map((_, index) => parts.slice(0, parts.length - index).join("/"));
  const host = (parts[0] ?? "").replace(/:\d+$/, "");
  const labels = host.split(".");
  const domains = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join(".")}`);
  return [formatReference(reference), ...folders, ...domains, ""];
}

/** True when a signature's name counts for the image that was asked for. */
export function isSignedAs(identity: SignedIdentity, asked: Reference, signed: string): boolean {
  const found = parsed(signed);
  if (!found) return false;
  switch (identity.type) {
    case "matchExact":
      return isExact(asked, found);
    case "matchRepoDigestOrExact":
      return isRepoDigestOrExact(asked, found);
    case "matchRepository":
      return referenceName(asked) === referenceName(found);
    case "exactReference":
      return sameReference(parsed(identity.dockerReference), found);
    case "exactRepository": {
      const repository = parsed(identity.dockerRepository);
      return repository !== undefined && referenceName(repository) === referenceName(found);
    }
    case "remapIdentity":
      return isRepoDigestOrExact(remapped(asked, identity.prefix, identity.signedPrefix), found);
  }
}

function parsed(text: string): Reference | undefined {
  try {
    return normalizeReference(text);
  } catch {
    return undefined;
  }
}

/** Names without tag and digest are never exact. */
function isExact(asked: Reference, found: Reference): boolean {
  const hasPart = ({ tag, digest }: Reference): boolean => tag !== undefined || digest !== undefined;
  return hasPart(asked) && hasPart(found) && sameReference(asked, found);
}

function sameReference(a: Reference | undefined, b: Reference): boolean {
  return a !== undefined && formatReference(a) === formatReference(b);
}

function isRepoDigestOrExact(asked: Reference, found: Reference): boolean {
  if (asked.digest !== undefined) return referenceName(asked) === referenceName(found);
  return isExact(asked, found);
}

/** Of a mirror: the name that the original has. */
function remapped(asked: Reference, prefix: string, signedPrefix: string): Reference {
  const name = referenceName(asked);
  const isBelow = name === prefix || name.startsWith(`${prefix}/`);
  const isItself = formatReference(asked) === prefix;
  if (isItself) return parsed(signedPrefix) ?? asked;
  if (!isBelow) return asked;
  const moved = parsed(signedPrefix + name.slice(prefix.length));
  return moved ? { ...asked, ...moved } : asked;
}
