// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import type { ConfigPlace } from "../docker-config.ts";
import { readDaemonConfig } from "./daemon-json.ts";
import { hostCertificates } from "./host-certificates.ts";
import { proxyEnvironment } from "./proxies.ts";
import { readRegistryRules } from "./registries-conf.ts";
import { routesFor } from "./routes.ts";
import type { Routes } from "./routes.ts";

let folder = "";

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-conf-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function placeWith(files: Readonly<Record<string, string>>, env: ConfigPlace["env"] = {}): ConfigPlace {
  for (const [path, text] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true });
    fs.writeFileSync(join(folder, path), text);
  }
  return { env, home: join(folder, "home"), etc: join(folder, "etc") };
}

function routes(conf: string, name: string, daemon = "{}"): Routes {
  const place = placeWith({ "etc/containers/registries.conf": conf, "etc/docker/daemon.json": daemon });
  const slash = name.indexOf("/");
  const config = { rules: readRegistryRules(place), daemon: readDaemonConfig(place), insecureHosts: [] };
  return routesFor(name.slice(0, slash), name.slice(slash + 1), config);
}

const MIRRORED = `
[[registry]]
prefix = "docker.io"
[[registry.mirror]]
location = "mirror.example.com/hub"
[[registry.mirror]]
location = "localhost:5000"
insecure = true
pull-from-mirror = "digest-only"
`;

/** `host/repository`, with `!` where insecure, and the use where it is not for all. */
function shown({ mirrors, origin }: Routes): readonly string[] {
  return [...mirrors, origin].map(({ domain, repository, insecure, use }) => {
    return `${insecure ? "!" : ""}${domain}/${repository}${use === "all" ? "" : ` ${use}`}`;
  });
}

describe("where a repository is read from", () => {
  it.each([
    ["no rule", "", "docker.io/library/x", ["docker.io/library/x"]],
    [
      "mirrors of a registry",
      MIRRORED,
      "docker.io/library/x",
      ["mirror.example.com/hub/library/x", "!localhost:5000/library/x digest", "docker.io/library/x"],
    ],
    ["a rule of another host", MIRRORED, "quay.io/a/b", ["quay.io/a/b"]],
    ["a host that only begins like it", MIRRORED, "docker.io.example.com/a", ["docker.io.example.com/a"]],
    [
      "a namespace elsewhere",
      '[[registry]]\nprefix = "example.com/foo"\nlocation = "internal:5000/bar"\ninsecure = true\n',
      "example.com/foo/x",
      ["!internal:5000/bar/x"],
    ],
    [
      "no part of a name's word",
      '[[registry]]\nprefix = "example.com/foo"\nlocation = "internal/bar"\n',
      "example.com/foobar",
      ["example.com/foobar"],
    ],
    [
      "the longest prefix",
      '[[registry]]\nlocation = "example.com"\ninsecure = true\n[[registry]]\nlocation = "example.com/safe"\n',
      "example.com/safe/x",
      ["example.com/safe/x"],
    ],
    [
      "subdomains",
      '[[registry]]\nprefix = "*.example.com"\ninsecure = true\n[[registry.mirror]]\nlocation = "m.org/all"\n',
      "a.example.com:5000/x",
      ["a.example.com:5000/x"],
    ],
    [
      "subdomains, with a mirror",
      '[[registry]]\nprefix = "*.example.com"\ninsecure = true\n[[registry.mirror]]\nlocation = "m.org/all"\n',
      "a.example.com/x",
      ["m.org/all/x", "!a.example.com/x"],
    ],
    [
      "mirror-by-digest-only",
      '[[registry]]\nlocation = "e.com"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.org"\n',
      "e.com/x",
      ["m.org/x digest", "e.com/x"],
    ],
    ["version 1", '[registries.insecure]\nregistries = ["e.com:5000"]\n', "e.com:5000/x", ["!e.com:5000/x"]],
  ])("%s", (_, conf, name, expected) => {
    expect(shown(routes(conf, name))).toEqual(expected);
  });

  it.each([
    [
      "mirrors of the Hub",
      '{"registry-mirrors":["https://m.org","http://n.org:5000/"]}',
      "docker.io/library/x",
      ["m.org/library/x", "!n.org:5000/library/x", "docker.io/library/x"],
    ],
    ["and of no other registry", '{"registry-mirrors":["https://m.org"]}', "quay.io/a/b", ["quay.io/a/b"]],
    ["insecure hosts", '{"insecure-registries":["reg.lan:5000"]}', "reg.lan:5000/a", ["!reg.lan:5000/a"]],
    ["a network", '{"insecure-registries":["10.0.0.0/8"]}', "10.1.2.3:5000/a", ["!10.1.2.3:5000/a"]],
    ["not outside of it", '{"insecure-registries":["10.0.0.0/8"]}', "11.1.2.3:5000/a", ["11.1.2.3:5000/a"]],
    ["no name is in a network", '{"insecure-registries":["0.0.0.0/0"]}', "reg.lan/a", ["reg.lan/a"]],
  ])("Docker's: %s", (_, daemon, name, expected) => {
    expect(shown(routes("", name, daemon))).toEqual(expected);
  });

  it("is nowhere for what is blocked, and the file is named", () => {
    const conf = '[[registry]]\nlocation = "bad.example.com"\nblocked = true\n';
    expect(() => routes(conf, "bad.example.com/x")).toThrow(
      expect.objectContaining({
        code: "E_REGISTRY_CONFIG",
        message: expect.stringContaining("`bad.example.com` is blocked"),
        hint: expect.stringContaining("registries.conf"),
      }),
    );
  });
});

describe("files of registries.conf", () => {
  it("are the user's before the system's, and what lies beside them wins", () => {
    const rule = (location: string, more = ""): string => `[[registry]]\nlocation = "${location}"\n${more}`;
    const place = placeWith({
      "etc/containers/registries.conf": rule("system.org"),
      "etc/containers/registries.conf.d/10-a.conf": rule("a.org"),
      "etc/containers/registries.conf.d/20-b.conf": rule("a.org", "blocked = true\n"),
      "etc/containers/registries.conf.d/shortnames.conf": '[aliases]\n"python" = "evil.org/python"\n',
      "etc/containers/registries.conf.d/notes.txt": "not [[registry]] at all",
    });
    expect(readRegistryRules(place).map(({ prefix, blocked }) => [prefix, blocked])).toEqual([
      ["system.org", false],
      ["a.org", true],
    ]);
    fs.mkdirSync(join(folder, "home/.config/containers"), { recursive: true });
    fs.writeFileSync(join(folder, "home/.config/containers/registries.conf"), rule("own.org"));
    expect(readRegistryRules(place).map(({ prefix }) => prefix)).toEqual(["own.org", "a.org"]);
    fs.writeFileSync(join(folder, "named.conf"), rule("named.org"));
    const named = { ...place, env: { CONTAINERS_REGISTRIES_CONF: join(folder, "named.conf") } };
    expect(readRegistryRules(named).map(({ prefix }) => prefix)).toEqual(["named.org"]);
  });

  it.each([
    ["no TOML", '[[registry]]\nlocation = "a\n', ""],
    ["a rule without a name", "[[registry]]\ninsecure = true\n", "neither prefix nor location"],
    ["a scheme", '[[registry]]\nlocation = "https://a.org"\n', "no host[:port]"],
    [
      "a mirror without a place",
      '[[registry]]\nlocation = "a.org"\n[[registry.mirror]]\ninsecure = true\n',
      "no location",
    ],
    ["a word for a truth value", '[[registry]]\nlocation = "a.org"\ninsecure = "yes"\n', "neither true nor false"],
    [
      "an unknown use",
      '[[registry]]\nlocation = "a.org"\n[[registry.mirror]]\nlocation = "m.org"\npull-from-mirror = "some"\n',
      "`some` is unknown",
    ],
  ])("are refused: %s", (_, text, words) => {
    const place = placeWith({ "etc/containers/registries.conf": text });
    expect(() => readRegistryRules(place)).toThrow(
      expect.objectContaining({ code: "E_REGISTRY_CONFIG", message: expect.stringContaining(words) }),
    );
  });

  it("never fail otherwise, whatever stands in them", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        try {
          readRegistryRules(placeWith({ "etc/containers/registries.conf": `[[registry]]\n${text}` }));
        } catch (error) {
          expect(isTareError(error, "E_REGISTRY_CONFIG")).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("daemon.json", () => {
  it.each([
    ["no JSON", "{", "not a JSON object"],
    ["a list", "[]", "not a JSON object"],
    ["mirrors that are no list", '{"registry-mirrors":"https://m.org"}', "no list of strings"],
    ["a mirror with a path", '{"registry-mirrors":["https://m.org/hub"]}', "a mirror is no"],
    ["a mirror with a password", '{"registry-mirrors":["https://ann:secret@m.org"]}', "a mirror is no"],
  ])("is refused: %s", (_, text, words) => {
    const place = placeWith({ "etc/docker/daemon.json": text });
    expect(() => readDaemonConfig(place)).toThrow(
      expect.objectContaining({
        code: "E_REGISTRY_CONFIG",
        message: expect.stringMatching(new RegExp(`^(?!.*secret).*${words}`)),
      }),
    );
  });
});

describe("certs.d", () => {
  it("gives authorities and the client's certificate of one host", () => {
    const place = placeWith({
      "etc/docker/certs.d/reg.lan:5000/ca.crt": "",
      "etc/docker/certs.d/reg.lan:5000/client.cert": "",
      "etc/docker/certs.d/reg.lan:5000/client.key": "",
      "home/.config/containers/certs.d/reg.lan:5000/own.crt": "",
    });
    const at = (path: string): string => join(folder, path);
    expect(hostCertificates("reg.lan:5000", place)).toEqual({
      authorities: [
        at("etc/docker/certs.d/reg.lan:5000/ca.crt"),
        at("home/.config/containers/certs.d/reg.lan:5000/own.crt"),
      ],
      client: {
        certificate: at("etc/docker/certs.d/reg.lan:5000/client.cert"),
        key: at("etc/docker/certs.d/reg.lan:5000/client.key"),
      },
    });
    expect(hostCertificates("reg.lan", place)).toEqual({ authorities: [] });
  });

  it("wants the key of a certificate", () => {
    const place = placeWith({ "etc/docker/certs.d/reg.lan/client.cert": "" });
    expect(() => hostCertificates("reg.lan", place)).toThrow(
      expect.objectContaining({ code: "E_REGISTRY_CONFIG", hint: expect.stringContaining("client.key") }),
    );
  });
});

describe("proxies", () => {
  const CONFIG = '{"proxies":{"default":{"httpProxy":"http://client","httpsProxy":"http://clients"}}}';
  it.each([
    ["none", {}, {}, [undefined, undefined]],
    ["the environment's", { HTTPS_PROXY: "http://e" }, { daemon: "http://d" }, [undefined, "http://e"]],
    ["the environment's in small letters", { https_proxy: "http://e" }, { client: CONFIG }, [undefined, "http://e"]],
    ["daemon.json's", {}, { daemon: "http://d", client: CONFIG }, ["http://client", "http://d"]],
    ["config.json's", {}, { client: CONFIG }, ["http://client", "http://clients"]],
  ] as const)("%s", (_, env, files: { daemon?: string; client?: string }, expected) => {
    const { daemon, client } = files;
    const place = placeWith(client === undefined ? {} : { "home/.docker/config.json": client }, env);
    const proxies: Record<string, string> = daemon === undefined ? {} : { HTTPS_PROXY: daemon };
    const found = proxyEnvironment(place, { proxies });
    expect([found["HTTP_PROXY"], found["HTTPS_PROXY"] ?? found["https_proxy"]]).toEqual(expected);
    if (expected[1] !== undefined) expect(found["NO_PROXY"]).toContain("localhost");
  });
});
