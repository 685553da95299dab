// SPDX-License-Identifier: Apache-2.0
import { TareError, isDigest } from "../base/index.ts";
import type { Digest, ErrorCode } from "../base/index.ts";
import { retryAfter } from "../http/index.ts";
import type { HttpResponse } from "../http/index.ts";
import { readBytes } from "./body.ts";
import { isHub } from "./endpoint.ts";

/** As many blobs as a manifest can lack, about. */
const MOST_ERRORS = 200;

/** Whom was asked for what, for messages. */
export interface Asked {
  /** As users write it: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** `pushing layer \`sha256:…\` to \`host/name\``. */
  readonly doing: string;
  /** Who answered, when it was not the registry itself. */
  readonly who?: "its token server";
  /** Takes secrets out of what the server said. */
  readonly redact?: (text: string) => string;
}

interface Said {
  readonly code: string;
  readonly message: string;
  /** Named in its message or details. */
  readonly digests: readonly Digest[];
}

const LACKS =
  "it does not find layers that it took or said to have: try again later; if it stays so, its owner has to look at its storage";

/** The error for an answer that is none of those expected; the answer's body is read (at most 64 KiB). */
export async function refusal(response: HttpResponse, asked: Asked): Promise<TareError> {
  const { doing, who = "the registry", redact = (text: string): string => text } = asked;
  const said = parseErrors(await bodyOf(response));
  const { status } = response;
  const code = asked.who === undefined ? codeFor(status, said) : "E_REGISTRY";
  const words = redact(said.map(({ code: name, message }) => [name, message].filter(Boolean).join(": ")).join("; "));
  const lacks = said.some(({ code: name }) => name === "MANIFEST_BLOB_UNKNOWN");
  const hint = hintFor(code, response, asked.domain) ?? (lacks ? LACKS : undefined);
  return new TareError(code, `${doing}: ${who} answers ${status}${words ? ` (${words})` : ""}`, {
    ...(hint === undefined ? {} : { hint }),
    details: {
      status,
      registry: asked.domain,
      errors: said.map((each) => redact(each.code)),
      digests: said.flatMap(({ digests }) => digests),
    },
  });
}

/** The error for a request that got no answer, or only a part of one; with `connection` another try may have more luck. */
export function connectionLost(doing: string, error: TareError): TareError {
  return new TareError("E_REGISTRY", `${doing}: ${error.message}`, {
    hint: error.hint ?? "check the network and try again: what has arrived is not sent again",
    cause: error,
    details: { ...error.details, connection: error.details["redirect"] !== true },
  });
}

async function bodyOf(response: HttpResponse): Promise<string> {
  try {
    return (await readBytes(response, 65_536)).toString("utf8");
  } catch {
    // The status tells enough; a body that can't be read must not hide it.
    return "";
  }
}

/** The `errors` of the distribution specification; anything else is not repeated, since it may be a page of HTML. */
function parseErrors(text: string): readonly Said[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const errors = typeof value === "object" && value !== null && "errors" in value ? value.errors : undefined;
  if (!Array.isArray(errors)) return [];
  const known = errors.slice(0, MOST_ERRORS).map((each: unknown) => {
    return { code: member(each, "code"), message: member(each, "message"), digests: digestsIn(each) };
  });
  const [first, second, third, ...others] = known;
  // All of the digests count, but nobody reads more than three messages.
  const rest = others.flatMap(({ digests }) => digests);
  return [first, second, third && { ...third, digests: [...third.digests, ...rest] }].filter(
    (each) => each !== undefined,
  );
}

function digestsIn(error: unknown): readonly Digest[] {
  const found = JSON.stringify(error)?.match(/sha256:[0-9a-f]{64}/g) ?? [];
  return [...new Set(found)].filter(isDigest);
}

function member(value: unknown, name: "code" | "message"): string {
  if (typeof value !== "object" || value === null || !(name in value)) return "";
  const text: unknown = (value as Record<string, unknown>)[name];
  // Without control characters: it is a stranger's text on its way to a terminal.
  return typeof text === "string"
    ? text
        .replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ")
        .trim()
        .slice(0, 200)
    : "";
}

function codeFor(status: number, said: readonly Said[]): ErrorCode {
  if (status === 401) return "E_REGISTRY_AUTH";
  if (status === 403 || said.some(({ code }) => code === "DENIED")) return "E_REGISTRY_DENIED";
  return status === 404 ? "E_REGISTRY_NOTFOUND" : "E_REGISTRY";
}

function hintFor(code: ErrorCode, response: HttpResponse, domain: string): string | undefined {
  const { status } = response;
  if (code === "E_REGISTRY_AUTH") return loginHint(domain);
  if (code === "E_REGISTRY_DENIED") {
    return `check the name and that your account may do this; \`${loginCommand(domain)}\` changes the account`;
  }
  if (code === "E_REGISTRY_NOTFOUND") return "check the name and the tag; a private image may need a login to be seen";
  if (status === 429) {
    const what = isHub(domain)
      ? "Docker Hub limits how many images are pulled: wait, log in with `tare login`, or use a mirror"
      : "the registry limits requests: wait and try again";
    return `${what}${whenAgain(response)}`;
  }
  if (status === 413)
    return "the registry, or a proxy before it, limits how much may be sent at once: its owner can raise that";
  return status >= 500 ? `the registry has a problem of its own: try again later${whenAgain(response)}` : undefined;
}

/** `; it says: in 60 minutes`, when the server asks for more patience than a command has. */
function whenAgain(response: HttpResponse): string {
  const seconds = Math.round((retryAfter(response) ?? 0) / 1000);
  if (seconds <= 60) return "";
  const [count, unit] =
    seconds < 120 ? [seconds, "seconds"] : seconds < 7200 ? [seconds / 60, "minutes"] : [seconds / 3600, "hours"];
  return `; it says: in ${Math.ceil(count)} ${unit}`;
}

/** What to do about missing or wrong credentials. */
export function loginHint(domain: string): string {
  return `log in with \`${loginCommand(domain)}\``;
}

function loginCommand(domain: string): string {
  return isHub(domain) ? "tare login" : `tare login ${domain}`;
}
