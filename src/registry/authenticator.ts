// SPDX-License-Identifier: Apache-2.0
/*
 * Tokens by the distribution specification's token flow: the registry's 401 names a token server (realm) and a service;
 * a GET there with the wanted scopes, and Basic credentials if there are any, gives a bearer token that lives minutes.
 * A refresh token ("identity token") is exchanged by OAuth 2 instead.
 */
import { Once, TareError, isTareError } from "../base/index.ts";
import type { HttpResponse } from "../http/index.ts";
import { readBytes } from "./body.ts";
import { parseChallenges } from "./challenge.ts";
import type { Challenge } from "./challenge.ts";
import { requireSafeRealm } from "./endpoint.ts";
import { connectionLost, loginHint, refusal } from "./errors.ts";
import type { Credentials, RegistryOptions } from "./types.ts";

/** What a request is about: a repository, what is done to it, and whence blobs are mounted. */
export interface Scope {
  readonly repository: string;
  readonly actions: "pull" | "pull,push";
  readonly mountFrom?: string;
}

interface Token {
  readonly value: string;
  readonly expiresAt: number;
}

const MARGIN_MS = 15_000;
const LEAST_SECONDS = 60;

/** Gives the `Authorization` header for requests to one registry. */
export class Authenticator {
  readonly #domain: string;
  readonly #base: string;
  readonly #options: RegistryOptions;
  #challenge: Challenge | undefined;
  readonly #tokens = new Map<string, Token>();
  readonly #fetching = new Map<string, Promise<Token>>();
  readonly #credentials = new Once<Credentials | undefined>();
  /** What no message may hold. */
  readonly #secrets = new Set<string>();

  constructor(domain: string, base: string, options: RegistryOptions) {
    this.#domain = domain;
    this.#base = base;
    this.#options = options;
  }

  /** Takes over what a 401 says. True when there is a way to authenticate that is known here. */
  learn(header: string | undefined): boolean {
    const challenges = parseChallenges(header ?? "");
    const known = challenges.find(({ scheme }) => scheme === "bearer") ?? challenges.find((c) => c.scheme === "basic");
    this.#challenge = known ?? this.#challenge;
    return known !== undefined;
  }

  /** The header's value, or undefined where the registry has not asked for one. Throws `E_REGISTRY_AUTH`. */
  async header(scope: Scope | undefined, signal?: AbortSignal): Promise<string | undefined> {
    const challenge = this.#challenge;
    if (!challenge) return undefined;
    const credentials = await this.#credentialsFor(scope?.repository ?? "");
    if (credentials?.kind === "token") return `Bearer ${credentials.token}`;
    if (challenge.scheme === "basic") return credentials?.kind === "password" ? basic(credentials) : undefined;
    const scopes = scopesOf(scope);
    const known = this.#tokens.get(scopes.join(" "));
    if (known && known.expiresAt > Date.now() + MARGIN_MS) return `Bearer ${known.value}`;
    const token = await this.#fetchOnce(challenge, scopes, { credentials, signal });
    return `Bearer ${token.value}`;
  }

  /** Forgets a token that the registry refused. */
  forget(scope: Scope | undefined): void {
    this.#tokens.delete(scopesOf(scope).join(" "));
  }

  /** What a server says, without what it was told: some repeat it in their errors. */
  redact(text: string): string {
    return [...this.#secrets].reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
  }

  #credentialsFor(repository: string): Promise<Credentials | undefined> {
    return this.#credentials.run(repository, async () => {
      const found = await this.#options.credentials?.(repository);
      if (found) for (const secret of secretsOf(found)) this.#secrets.add(secret);
      return found;
    });
  }

  /** Requests at the same time share one question. */
  #fetchOnce(challenge: Challenge, scopes: readonly string[], by: TokenBy): Promise<Token> {
    const key = scopes.join(" ");
    const running = this.#fetching.get(key);
    if (running) return running;
    const started = this.#askToken(challenge, scopes, by)
      .then((token) => {
        this.#tokens.set(key, token);
        this.#secrets.add(token.value);
        return token;
      })
      .finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, started);
    return started;
  }

  async #askToken(challenge: Challenge, scopes: readonly string[], { credentials, signal }: TokenBy): Promise<Token> {
    const realm = requireSafeRealm(challenge.parameters.get("realm") ?? "", this.#base);
    const fields: [string, string][] = [];
    const service = challenge.parameters.get("service");
    if (service !== undefined) fields.push(["service", service]);
    const request =
      credentials?.kind === "identity"
        ? exchange(realm, fields, { scopes, token: credentials.token })
        : ask(realm, fields, { scopes, credentials });
    try {
      const response = await this.#options.transport.request({
        ...request,
        ...(signal === undefined ? {} : { signal }),
      });
      return await this.#readToken(response, credentials);
    } catch (error) {
      throw isTareError(error, "E_HTTP") ? connectionLost(`authenticating at \`${this.#domain}\``, error) : error;
    }
  }

  async #readToken(response: HttpResponse, credentials: Credentials | undefined): Promise<Token> {
    const asked = { domain: this.#domain, doing: `authenticating at \`${this.#domain}\`` };
    const { status } = response;
    if (status === 400 || status === 401 || status === 403) {
      response.discard();
      const why = credentials ? "the user name, password or token is refused" : "it gives no token without a login";
      throw new TareError("E_REGISTRY_AUTH", `${asked.doing}: ${why}`, {
        hint: loginHint(this.#domain),
        details: { status, registry: this.#domain },
      });
    }
    const redact = (text: string): string => this.redact(text);
    if (status !== 200) throw await refusal(response, { ...asked, who: "its token server", redact });
    return parseToken((await readBytes(response, 1 << 20)).toString("utf8"), asked.doing);
  }
}

interface TokenBy {
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal | undefined;
}

function scopesOf(scope: Scope | undefined): readonly string[] {
  if (!scope) return [];
  const own = `repository:${scope.repository}:${scope.actions}`;
  return scope.mountFrom === undefined ? [own] : [own, `repository:${scope.mountFrom}:pull`];
}

function basic({ username, password }: Extract<Credentials, { kind: "password" }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Short ones are no secrets, and stand in too many words. */
function secretsOf(credentials: Credentials): readonly string[] {
  const { kind } = credentials;
  const all =
    kind === "password" ? [basic(credentials).slice("Basic ".length), credentials.password] : [credentials.token];
  return all.filter((secret) => secret.length >= 4);
}

type TokenRequest = Parameters<RegistryOptions["transport"]["request"]>[0];

function ask(
  realm: URL,
  fields: readonly [string, string][],
  by: { readonly scopes: readonly string[]; readonly credentials: Credentials | undefined },
): TokenRequest {
  const url = new URL(realm);
  for (const [name, value] of fields) url.searchParams.set(name, value);
  for (const scope of by.scopes) url.searchParams.append("scope", scope);
  const { credentials } = by;
  if (credentials?.kind !== "password") return { url: url.href };
  url.searchParams.set("account", credentials.username);
  return { url: url.href, headers: { authorization: basic(credentials) } };
}

function exchange(
  realm: URL,
  fields: readonly [string, string][],
  by: { readonly scopes: readonly string[]; readonly token: string },
): TokenRequest {
  const form = new URLSearchParams([
    ["grant_type", "refresh_token"],
    ...fields,
    ["client_id", "tare"],
    ["scope", by.scopes.join(" ")],
    ["refresh_token", by.token],
  ]);
  return {
    method: "POST",
    url: realm.href,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: Buffer.from(form.toString()),
  };
}

function parseToken(text: string, doing: string): Token {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TareError("E_REGISTRY", `${doing}: the token server's answer is not JSON`);
  }
  const fields = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const token = fields["token"] ?? fields["access_token"];
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    throw new TareError("E_REGISTRY", `${doing}: the token server's answer holds no token`);
  }
  const seconds = typeof fields["expires_in"] === "number" ? fields["expires_in"] : LEAST_SECONDS;
  return { value: token, expiresAt: Date.now() + Math.max(seconds, LEAST_SECONDS) * 1000 };
}
