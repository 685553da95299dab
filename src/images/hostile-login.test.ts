// SPDX-License-Identifier: Apache-2.0
/* Registries and token servers that lie while one finds them and logs in. */
import { describe, expect, it } from "vitest";
import { endOf, hostileTests, leaks } from "../../test/support/hostile-case.ts";
import type { Expected } from "../../test/support/hostile-case.ts";
import { hangUp, inTurn, raw, redirect, refuse, reply, silence } from "../../test/support/hostile-registry.ts";
import type { Act, HostileOptions, Rule } from "../../test/support/hostile-registry.ts";
import type { RegistryOptions } from "../registry/types.ts";

const hostile = hostileTests();

interface Case extends Expected {
  readonly rules: readonly Rule[];
  readonly auth?: HostileOptions["auth"];
  readonly options?: Partial<RegistryOptions>;
  /** Default: log in. `look`: ask for a manifest. */
  readonly does?: "login" | "look";
}

const PING = /^GET https:\/\/registry\.test\/v2\/$/;
const TOKEN = /^\w+ https:\/\/auth\.test\/token$/;
const TOKEN_REPLY = '{"token":"token-0"}';

/** The registry wants something of this kind. */
const wants = (challenge: string, status = 401): Act => reply(status, { "www-authenticate": challenge });
const bearer = (realm: string): Act => wants(`Bearer realm="${realm}",service="registry.test"`);
const json = (text: string): Act => reply(200, { "content-type": "application/json" }, text);
const ping = (act: Act): readonly Rule[] => [[PING, act]];
const token = (act: Act): readonly Rule[] => [[TOKEN, act]];
const far = new Date(Date.now() + 3_600_000).toUTCString();

const finding: Readonly<Record<string, Case>> = {
  "says at once that there is nothing": {
    rules: ping(reply(404)),
    code: "E_REGISTRY",
    text: /answers 404 .* is no registry/,
  },
  "has a problem of its own": { rules: ping(reply(500)), code: "E_REGISTRY", text: /answers 500/ },
  "is in a storm": { rules: ping(reply(429, { "retry-after": "0" })), code: "E_REGISTRY", text: /answers 429/ },
  "answers with success and no content": { rules: ping(reply(204)), code: "E_REGISTRY", text: /answers 204/ },
  "asks for a login without saying how": { rules: ping(reply(401)), code: "E_REGISTRY", text: /answers 401/ },
  "asks for a login of an unknown kind": {
    rules: ping(wants("Negotiate")),
    code: "E_REGISTRY",
    text: /authenticat\w+ .*`negotiate`/i,
  },
  "asks for a login in words that can't be read": { rules: ping(wants('Bearer realm="')), code: "E_REGISTRY" },
  "leads in a circle": { rules: ping(redirect("/v2/")), code: "E_REGISTRY", text: /too many redirects/ },
  "leads from https to http": {
    rules: ping(redirect("http://registry.test/v2/")),
    code: "E_REGISTRY",
    text: /insecure address/,
  },
  "leads to a file": { rules: ping(redirect("file:///etc/passwd")), code: "E_REGISTRY", text: /insecure address/ },
  "leads nowhere": { rules: ping(redirect("http://[")), code: "E_REGISTRY", text: /Invalid URL/i },
  "hangs up": { rules: ping(hangUp), code: "E_REGISTRY", text: /socket hang up/ },
  "never answers": {
    rules: ping(silence),
    options: { connectMs: 100 },
    code: "E_REGISTRY",
    text: /no answer within 0\.1 s/,
  },
  "does not speak HTTP": { rules: ping(raw("220 mail.test ESMTP\r\n")), code: "E_REGISTRY", text: /Parse Error/ },
  "has headers without end": {
    rules: ping(raw(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(100_000)}\r\n\r\n`)),
    code: "E_REGISTRY",
    text: /overflow/i,
  },
  "lets another host ask for the login": {
    rules: [
      [PING, redirect("https://evil.test/v2/")],
      [/evil\.test\/v2/, bearer("https://evil.test/token")],
      [/evil\.test\/token/, json(TOKEN_REPLY)],
    ],
    code: "E_REGISTRY_AUTH",
  },
  "is another host by http": {
    rules: [[PING, redirect("http://evil.test/v2/")]],
    code: "E_REGISTRY",
    text: /insecure address/,
  },
};

const tokens: Readonly<Record<string, Case>> = {
  "that is right": { rules: [], code: "ok" },
  "in the clear": {
    rules: ping(bearer("http://auth.test/token")),
    code: "E_REGISTRY",
    text: /token server is not https/,
  },
  "in the clear, of this machine, for a registry elsewhere": {
    rules: ping(bearer("http://localhost:9/token")),
    code: "E_REGISTRY",
    text: /token server is not https/,
  },
  "that is a file": { rules: ping(bearer("file:///etc/passwd")), code: "E_REGISTRY", text: /is not https/ },
  "that is no URL": { rules: ping(bearer("/token")), code: "E_REGISTRY", text: /is not https/ },
  "that is not named": { rules: ping(wants('Bearer service="x"')), code: "E_REGISTRY", text: /is not https/ },
  "with a user of its own in the URL": {
    rules: ping(inTurn(bearer("https://eve:evil@auth.test/token"), reply(200))),
    code: "ok",
  },
  "that leads to http": {
    rules: token(redirect("http://auth.test/token")),
    code: "E_REGISTRY",
    text: /authenticating .*insecure address/,
  },
  "that leads to another host": {
    rules: [...token(redirect("https://evil.test/token")), [/evil\.test/, refuse(401, "UNAUTHORIZED")]],
    code: "E_REGISTRY_AUTH",
  },
  "that leads in a circle": { rules: token(redirect("/token")), code: "E_REGISTRY", text: /too many redirects/ },
  "that hangs up": { rules: token(hangUp), code: "E_REGISTRY", text: /authenticating at .registry\.test.: .*hang up/ },
  "that never answers": { rules: token(silence), code: "E_REGISTRY", text: /no data for 0\.4 seconds/ },
  "that is not there": { rules: token(reply(404)), code: "E_REGISTRY", text: /token server answers 404/ },
  "that has a problem of its own": { rules: token(reply(502)), code: "E_REGISTRY", text: /token server answers 502/ },
  "in a storm": {
    rules: token(reply(429, { "retry-after": "0" })),
    code: "E_REGISTRY",
    text: /token server answers 429/,
    most: 6,
  },
  "in a storm that lasts": {
    rules: token(reply(429, { "retry-after": "3600" })),
    code: "E_REGISTRY",
    text: /token server answers 429[^]*in 60 minutes/,
    most: 4,
  },
  "in a storm that lasts until a date": {
    rules: token(reply(503, { "retry-after": far })),
    code: "E_REGISTRY",
    text: /token server answers 503[^]*in 60 minutes/,
    most: 4,
  },
  "that refuses the password": {
    rules: token(refuse(401, "UNAUTHORIZED")),
    code: "E_REGISTRY_AUTH",
    text: /is refused/,
  },
  "that forbids": { rules: token(refuse(403, "DENIED")), code: "E_REGISTRY_AUTH", text: /is refused/ },
  "that tells the password": {
    rules: token(reply(500, {}, '{"errors":[{"code":"X","message":"ann:secret is wrong"}]}')),
    code: "E_REGISTRY",
    text: /answers 500/,
  },
  "whose answer has no end": {
    rules: token(json(`{"token":"${"x".repeat(2 << 20)}"}`)),
    code: "E_REGISTRY",
    text: /more than 1048576 bytes/,
  },
  "whose answer is compressed": {
    rules: token(reply(200, { "content-encoding": "gzip" }, Buffer.from("1f8b080000000000", "hex"))),
    code: "E_REGISTRY",
    text: /not JSON/,
  },
  "whose answer is cut": {
    rules: token(raw('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"token"')),
    code: "E_REGISTRY",
    text: /authenticating at/,
  },
  "whose answer is HTML": { rules: token(json("<html>")), code: "E_REGISTRY", text: /not JSON/ },
  "whose answer is a list": { rules: token(json("[]")), code: "E_REGISTRY", text: /holds no token/ },
  "that gives an empty token": { rules: token(json('{"token":""}')), code: "E_REGISTRY", text: /holds no token/ },
  "that gives a number": { rules: token(json('{"token":7}')), code: "E_REGISTRY", text: /holds no token/ },
  "that gives a header more": {
    rules: token(json('{"token":"a\\r\\nx-evil: 1"}')),
    code: "E_REGISTRY",
    text: /holds no token/,
  },
  "whose tokens have ended before they begin": {
    rules: token(
      inTurn((visit, response, message) => reply(200, {}, '{"token":"t","expires_in":-5}')(visit, response, message)),
    ),
    code: "E_REGISTRY_AUTH",
  },
  "whose tokens the registry never takes": {
    rules: [...ping(bearer("https://auth.test/token")), ...token(json(TOKEN_REPLY))],
    code: "E_REGISTRY_AUTH",
    text: /answers 401[^]*tare login registry\.test/,
    most: 6,
  },
  "that is another one each time": {
    rules: [
      [PING, (visit, response, message) => bearer(`https://auth.test/token?${visit.count}`)(visit, response, message)],
      ...token(json(TOKEN_REPLY)),
    ],
    code: "E_REGISTRY_AUTH",
    most: 6,
  },
  "beside Basic": {
    rules: [[PING, inTurn(wants('Basic realm="x", Bearer realm="https://auth.test/token"'), reply(200))]],
    code: "ok",
  },
};

/** Proves itself by a refresh token, which goes into the body of a POST. */
const identity: Pick<Case, "options"> = {
  options: { credentials: async () => ({ kind: "identity", token: "secret-refresh" }) },
};

const refreshes: Readonly<Record<string, Case>> = {
  "that is refused": { ...identity, rules: [], code: "E_REGISTRY_AUTH", text: /is refused/ },
  "in the clear": {
    ...identity,
    rules: ping(bearer("http://auth.test/token")),
    code: "E_REGISTRY",
    text: /is not https/,
  },
  "for a server that leads to another host": {
    ...identity,
    rules: token(redirect("https://evil.test/token")),
    code: "E_REGISTRY",
    text: /token server answers 307/,
    most: 3,
  },
  "for a server that leads to http": {
    ...identity,
    rules: token(redirect("http://auth.test/token", 308)),
    code: "E_REGISTRY",
    text: /token server answers 308/,
    most: 3,
  },
  "that the server tells": {
    ...identity,
    rules: token(reply(500, {}, '{"errors":[{"code":"X","message":"secret-refresh is old"}]}')),
    code: "E_REGISTRY",
    text: /\(X: \*\*\* is old\)/,
  },
  "in a storm": {
    ...identity,
    rules: token(reply(429, { "retry-after": "0" })),
    code: "E_REGISTRY",
    text: /answers 429/,
    most: 6,
  },
};

const basics: Readonly<Record<string, Case>> = {
  "that is right": { rules: [], auth: "basic", code: "ok" },
  "that is refused": { rules: ping(wants('Basic realm="x"')), code: "E_REGISTRY_AUTH", most: 4 },
  "that is forbidden": {
    rules: ping(inTurn(wants('Basic realm="x"'), refuse(403, "DENIED"))),
    code: "E_REGISTRY_DENIED",
  },
  "for a registry that leads to another host": {
    rules: [
      ...ping(inTurn(wants('Basic realm="x"'), redirect("https://evil.test/v2/"))),
      [/evil\.test/, wants('Basic realm="x"')],
    ],
    code: "E_REGISTRY_AUTH",
  },
  "for a registry that leads to another port": {
    rules: [
      ...ping(inTurn(wants('Basic realm="x"'), redirect("https://registry.test:444/v2/"))),
      [/registry\.test:444/, wants('Basic realm="x"')],
    ],
    code: "E_REGISTRY_AUTH",
  },
};

const hub: Readonly<Record<string, Case>> = {
  "says that the limit is reached": {
    rules: [[/\/manifests\//, refuse(429, "TOOMANYREQUESTS", { "retry-after": "21600" })]],
    does: "look",
    code: "E_REGISTRY",
    text: /answers 429 \(TOOMANYREQUESTS: no\)\nDocker Hub limits[^]*tare login[^]*in 6 hours/,
    most: 4,
  },
  "asks for a login in the clear": {
    rules: [[/\/v2\/$/, bearer("http://auth.docker.io/token")]],
    does: "look",
    code: "E_REGISTRY",
    text: /token server is not https/,
  },
};

async function run(one: Case, name?: string): Promise<void> {
  const { rules, auth = "token", options, does = "login" } = one;
  const { world, client } = await hostile.open({ rules, auth, ...(name ? { name } : {}) }, options);
  try {
    const work = does === "login" ? client.checkLogin() : client.getManifest("library/x", "1");
    const ended = await endOf(work);
    expect(ended.code, ended.text).toBe(one.code);
    expect(ended.text).toMatch(one.text ?? /^/);
    expect(leaks(world)).toEqual([]);
    expect(world.visits.length).toBeLessThanOrEqual(one.most ?? 40);
  } finally {
    await world.close();
  }
}

describe.skipIf(hostile.reason !== undefined)("a login at a registry that", () => {
  it.concurrent.each(Object.entries(finding))("%s", (_name, one) => run(one));
});

describe.skipIf(hostile.reason !== undefined)("a token server", () => {
  it.concurrent.each(Object.entries(tokens))("%s", (_name, one) => run(one));
});

describe.skipIf(hostile.reason !== undefined)("a refresh token", () => {
  it.concurrent.each(Object.entries(refreshes))("%s", (_name, one) => run(one));
});

describe.skipIf(hostile.reason !== undefined)("a password", () => {
  it.concurrent.each(Object.entries(basics))("%s", (_name, one) => run(one));

  it("is not sent to a registry that is to be found by http alone", async () => {
    const { world, client } = await hostile.open({ rules: [[/^GET https:/, hangUp]] });
    expect((await endOf(client.checkLogin())).code).toBe("E_REGISTRY");
    expect(world.visits.filter(({ isTls }) => !isTls)).toEqual([]);
    await world.close();
  });
});

describe.skipIf(hostile.reason !== undefined)("Docker Hub", () => {
  it.concurrent.each(Object.entries(hub))("%s", (_name, one) => run(one, "registry-1.docker.io"));
});
