// SPDX-License-Identifier: Apache-2.0
// Image references `[domain/]path[:tag][@digest]` by the grammar of distribution/reference. The text is cut at its
// separators first and each piece is matched by itself, so the work is linear in the length of hostile input.
import { TareError, isDigest } from "../base/index.ts";
import type { Digest } from "../base/index.ts";

/** A parsed reference; `domain` is "" when the text named none. Build with the functions here, not by hand. */
export interface Reference {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** A reference, or the digest of an image (a full image ID). */
export type AnyReference =
  | { readonly kind: "reference"; readonly reference: Reference }
  | { readonly kind: "digest"; readonly digest: Digest };

/** Why a reference was refused; `details.kind` of the `E_REF` error. */
export type ReferenceFault =
  | "empty"
  | "format"
  | "uppercase"
  | "too-long"
  | "digest-format"
  | "digest-length"
  | "digest-unsupported"
  | "not-canonical"
  | "identifier";

const DEFAULT_DOMAIN = "docker.io";
const LEGACY_DOMAIN = "index.docker.io";
const PATH_LIMIT = 255;

const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const DOMAIN_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
const IPV6 = /^\[[a-fA-F0-9:]+\]$/;
const PORT = /^[0-9]+$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const IDENTIFIER = /^[a-f0-9]{64}$/;
const ID_PREFIX = /^(?:sha256:)?([a-f0-9]{1,64})$/;

const MESSAGES: Readonly<Record<ReferenceFault, string>> = {
  empty: "the repository name is empty",
  format: "invalid reference format",
  uppercase: "the repository name must be lower case",
  "too-long": `the repository name is longer than ${PATH_LIMIT} characters`,
  "digest-format": "the digest is malformed",
  "digest-length": "the digest has the wrong length",
  "digest-unsupported": "the digest algorithm is not supported",
  "not-canonical": "the name is not in its full form",
  identifier: "64 hexadecimal digits are an image ID, not a name",
};

/**
 * Parses a reference as it stands, without defaults: `busybox` has no domain. Throws `E_REF` with a
 * `ReferenceFault` in `details.kind`.
 */
export function parseReference(text: string): Reference {
  const pieces = cut(text);
  if (pieces === undefined) throw refuse(text, faultOf(text));
  const { domain, path, tag, digest } = pieces;
  if (path.length > PATH_LIMIT) throw refuse(text, "too-long");
  const named = { domain, path, ...(tag === undefined ? {} : { tag }) };
  return digest === undefined ? named : { ...named, digest: checkDigest(digest, text) };
}

interface Pieces {
  readonly domain: string;
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

function cut(text: string): Pieces | undefined {
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const rest = at < 0 ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(":");
  const tagged = colon > rest.lastIndexOf("/");
  const tag = tagged ? rest.slice(colon + 1) : undefined;
  const name = splitName(tagged ? rest.slice(0, colon) : rest);
  if (name === undefined || (tag !== undefined && !TAG.test(tag))) return undefined;
  return digest !== undefined && !DIGEST.test(digest) ? undefined : { ...name, tag, digest };
}

function splitName(name: string): { readonly domain: string; readonly path: string } | undefined {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const hasDomain = slash > 0 && isDomain(first);
  const path = hasDomain ? name.slice(slash + 1) : name;
  if (!path.split("/").every((component) => PATH_COMPONENT.test(component))) return undefined;
  return { domain: hasDomain ? first : "", path };
}

/** True for a registry host `name[:port]`, an IPv4 address or a bracketed IPv6 address. */
export function isDomain(text: string): boolean {
  const colon = text.lastIndexOf(":");
  const hasPort = colon >= 0 && !text.endsWith("]");
  if (hasPort && !PORT.test(text.slice(colon + 1))) return false;
  const host = hasPort ? text.slice(0, colon) : text;
  return IPV6.test(host) || host.split(".").every((label) => DOMAIN_LABEL.test(label));
}

function faultOf(text: string): ReferenceFault {
  if (text === "") return "empty";
  return cut(text.toLowerCase()) === undefined ? "format" : "uppercase";
}

function checkDigest(text: string, whole: string): Digest {
  if (isDigest(text)) return text;
  if (!text.startsWith("sha256:")) throw refuse(whole, "digest-unsupported");
  throw refuse(whole, text.length === 71 ? "digest-format" : "digest-length");
}

function refuse(text: string, fault: ReferenceFault): TareError {
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  const hint = hintFor(text, fault);
  return new TareError("E_REF", `parsing reference \`${shown}\`: ${MESSAGES[fault]}`, {
    ...(hint === undefined ? {} : { hint }),
    details: { kind: fault },
  });
}

function hintFor(text: string, fault: ReferenceFault): string | undefined {
  if (fault === "uppercase") return `did you mean \`${lowered(text).slice(0, 120)}\`?`;
  if (fault === "digest-length") return "a sha256 digest has 64 hexadecimal digits";
  if (fault === "digest-unsupported") return "only sha256 digests are supported";
  if (fault !== "format") return undefined;
  if (/^[a-z]+:\/\//i.test(text)) return "leave out the scheme: registry.example.com/name:tag";
  return "expected [registry/]name[:tag][@sha256:…] with lower-case letters, digits and single separators";
}

/** The repository name in lower case; a tag keeps its case, one that is empty goes. */
function lowered(text: string): string {
  const [, name = "", rest = ""] = /^(.*?)((?::[\w.-]*)?(?:@.*)?)$/s.exec(text) ?? [];
  return name.toLowerCase() + (rest === ":" ? "" : rest);
}

/**
 * Parses a name as users type it and completes it: `busybox` → `docker.io/library/busybox`. No tag is added.
 * Throws `E_REF`.
 */
export function normalizeReference(text: string): Reference {
  if (IDENTIFIER.test(text)) throw refuse(text, "identifier");
  const [domain, remainder] = splitDomain(text);
  const remote = remainder.split(/[:@]/, 1)[0] ?? "";
  if (text !== "" && remote.toLowerCase() !== remote) throw refuse(text, "uppercase");
  try {
    return parseReference(`${domain}/${remainder}`);
  } catch (error) {
    if (text === "") throw refuse(text, "empty");
    throw retell(error, text);
  }
}

function retell(error: unknown, text: string): unknown {
  if (!(error instanceof TareError)) return error;
  const kind = error.details["kind"];
  const fault = Object.keys(MESSAGES).find((each): each is ReferenceFault => each === kind);
  return refuse(text, fault ?? "format");
}

/** Splits a familiar name into its registry and the rest, with Docker's defaults; nothing is validated. */
export function splitDomain(name: string): readonly [domain: string, remainder: string] {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
  const named = slash >= 0 && isHost;
  const domain = !named || first === LEGACY_DOMAIN ? DEFAULT_DOMAIN : first;
  const remainder = named ? name.slice(slash + 1) : name;
  return [domain, domain === DEFAULT_DOMAIN && !remainder.includes("/") ? `library/${remainder}` : remainder];
}

/** Parses a full name and refuses a familiar one (`not-canonical`). Throws `E_REF`. */
export function parseCanonicalName(text: string): Reference {
  const reference = normalizeReference(text);
  if (formatReference(reference) !== text) throw refuse(text, "not-canonical");
  return reference;
}

/** Parses a name, a digest `sha256:…` or a full image ID of 64 hex digits. Throws `E_REF`. */
export function parseAnyReference(text: string): AnyReference {
  const digest = IDENTIFIER.test(text) ? `sha256:${text}` : text;
  if (isDigest(digest)) return { kind: "digest", digest };
  return { kind: "reference", reference: normalizeReference(text) };
}

/** Completes a name for a pull: full form, tag `latest` when it has neither tag nor digest, no tag beside a digest. */
export function parseImageName(text: string): Reference {
  const reference = normalizeReference(text);
  const { tag: _tag, ...untagged } = reference;
  return reference.digest === undefined ? withDefaultTag(reference) : untagged;
}

/** The hex digits when the text can be an image ID or the start of one (`sha256:` may stand before), else undefined. */
export function imageIdPrefix(text: string): string | undefined {
  return ID_PREFIX.exec(text)?.[1];
}

/** True for 64 lower-case hex digits. */
export function isImageIdentifier(text: string): boolean {
  return IDENTIFIER.test(text);
}

/** The name `domain/path` without tag and digest. */
export function referenceName(reference: Reference): string {
  return reference.domain === "" ? reference.path : `${reference.domain}/${reference.path}`;
}

/** A reference from a name that must carry neither tag nor digest. Throws `E_REF`. */
export function referenceFromName(name: string): Reference {
  const pieces = cut(name);
  if (pieces === undefined || pieces.tag !== undefined || pieces.digest !== undefined) throw refuse(name, "format");
  if (pieces.path.length > PATH_LIMIT) throw refuse(name, "too-long");
  return { domain: pieces.domain, path: pieces.path };
}

/** The reference with this tag. Throws `E_REF` when the tag is malformed. */
export function withTag(reference: Reference, tag: string): Reference {
  if (TAG.test(tag)) return { ...reference, tag };
  throw refuse(`${referenceName(reference)}:${tag}`, "format");
}

/** The reference with this digest. */
export function withDigest(reference: Reference, digest: Digest): Reference {
  return { ...reference, digest };
}

/** The reference with tag `latest` unless it has a tag or a digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

/** The whole text of a reference: name, tag, digest. */
export function formatReference(reference: Reference): string {
  return referenceName(reference) + suffix(reference);
}

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

/** The short name that users know: `docker.io/library/busybox` → `busybox`; without tag and digest. */
export function familiarName(reference: Reference): string {
  const { domain, path } = reference;
  if (domain !== DEFAULT_DOMAIN) return referenceName(reference);
  const official = path.startsWith("library/") && !path.slice(8).includes("/");
  const short = official ? path.slice(8) : path;
  return splitDomain(short)[0] === domain && splitDomain(short)[1] === path ? short : referenceName(reference);
}

/** `familiarName` with tag and digest. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}
