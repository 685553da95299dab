// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { ErrorCode } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";
import { readBytes } from "./body.ts";
import { isHub } from "./endpoint.ts";

/** Whom was asked for what, for messages. */
export interface Asked {
  /** As users write it: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** `pushing layer \`sha256:…\` to \`host/name\``. */
  readonly doing: string;
}

interface Said {
  readonly code: string;
  readonly message: string;
}

/** The error for an answer that is none of those expected; the answer's body is read (at most 64 KiB). */
export async function refusal(response: HttpResponse, asked: Asked): Promise<TareError> {
  const said = parseErrors(await bodyOf(response));
  const { status } = response;
  const code = codeFor(status, said);
  const words = said.map(({ code: name, message }) => [name, message].filter(Boolean).join(": ")).join("; ");
  const hint = hintFor(code, status, asked.domain);
  return new TareError(code, `${asked.doing}: the registry answers ${status}${words ? ` (${words})` : ""}`, {
    ...(hint === undefined ? {} : { hint }),
    details: { status, registry: asked.domain, errors: said.map((each) => each.code) },
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
  return errors.slice(0, 3).map((each: unknown) => ({ code: member(each, "code"), message: member(each, "message") }));
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

function hintFor(code: ErrorCode, status: number, domain: string): string | undefined {
  if (code === "E_REGISTRY_AUTH") return loginHint(domain);
  if (code === "E_REGISTRY_DENIED") {
    return `check the name and that your account may do this; \`${loginCommand(domain)}\` changes the account`;
  }
  if (code === "E_REGISTRY_NOTFOUND") return "check the name and the tag; a private image may need a login to be seen";
  if (status === 429) {
    return isHub(domain)
      ? "Docker Hub limits how many images are pulled: wait, log in with `tare login`, or use a mirror"
      : "the registry limits requests: wait and try again";
  }
  return status >= 500 ? "the registry has a problem of its own: try again later" : undefined;
}

/** What to do about missing or wrong credentials. */
export function loginHint(domain: string): string {
  return `log in with \`${loginCommand(domain)}\``;
}

function loginCommand(domain: string): string {
  return isHub(domain) ? "tare login" : `tare login ${domain}`;
}
