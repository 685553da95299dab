// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { startPackageIndex } from "../../../test/support/package-index.ts";
import type { IndexOptions } from "../../../test/support/package-index.ts";
import { openIndexClient } from "./client.ts";
import { readIndexConfig } from "./config.ts";
import { openCredentials } from "./credentials.ts";
import { indexFiles } from "./index-files.ts";
import { projectIndexUrls } from "./project-urls.ts";

let home = "";
beforeEach(() => (home = fs.mkdtempSync(join(tmpdir(), "tare-index-"))));
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const place = join(home, path);
  fs.mkdirSync(dirname(place), { recursive: true });
  fs.writeFileSync(place, text);
  return place;
}

/** Nothing of this machine's settings but /etc/pip.conf, which names no index in tests. */
function config(env: Readonly<Record<string, string>> = {}): ReturnType<typeof readIndexConfig> {
  return readIndexConfig({ HOME: home, ...env });
}

const USUAL = readIndexConfig({ HOME: "/nonexistent", PIP_CONFIG_FILE: "/dev/null" }).indexUrl;

describe("index settings", () => {
  it("are the usual index when nobody says otherwise", () => {
    expect(config({ PIP_CONFIG_FILE: "/dev/null" })).toMatchObject({
      indexUrl: expect.stringMatching(/^https:\/\/[\w.]+\/simple$/),
      extraIndexUrls: [],
      noIndex: false,
    });
  });

  it.each<[string, string, object]>([
    ["[global]\nindex-url = https://a/simple\n", "index", { indexUrl: "https://a/simple" }],
    ["[global]\nindex_url: https://a/simple\n", "underscores and colons", { indexUrl: "https://a/simple" }],
    ["[install]\nindex-url=https://b/simple\n", "[install]", { indexUrl: "https://b/simple" }],
    ["[list]\nindex-url=https://c/simple\n", "another command's section", { indexUrl: USUAL }],
    [
      "[global]\nextra-index-url =\n    https://a/simple\n    https://b/simple\n",
      "several lines",
      { extraIndexUrls: ["https://a/simple", "https://b/simple"] },
    ],
    ["[global]\nfind-links = /w https://l/\n", "links", { findLinks: ["/w", "https://l/"] }],
    ["[global]\nno-index = true\n", "no index", { noIndex: true }],
    ["[global]\ntrusted-host = h1\n  h2:8443\n", "trusted hosts", { trustedHosts: ["h1", "h2:8443"] }],
    [
      "[global]\ncert = /ca.pem\nproxy = http://p:3128\n",
      "certificates, proxy",
      { certificates: "/ca.pem", proxy: "http://p:3128" },
    ],
    ["not an ini file \0", "rubbish", { indexUrl: USUAL }],
  ])("of pip.conf: %j (%s)", (text, _what, expected) => {
    write(".config/pip/pip.conf", text);
    expect(config()).toMatchObject(expected);
  });

  it.each<[string, object]>([
    ['index-url = "https://a/simple"\n', { indexUrl: "https://a/simple" }],
    [
      '[[index]]\nurl = "https://a/simple"\ndefault = true\n[[index]]\nurl = "https://b/simple"\n',
      { indexUrl: "https://a/simple", extraIndexUrls: ["https://b/simple"] },
    ],
    ['[[index]]\nname = "x"\nurl = "https://x/simple"\nexplicit = true\n', { indexUrl: USUAL, extraIndexUrls: [] }],
    ['find-links = ["/w"]\nno-index = true\n', { findLinks: ["/w"], noIndex: true }],
    ['allow-insecure-host = ["h"]\n', { trustedHosts: ["h"] }],
    ["= broken", { indexUrl: USUAL }],
  ])("of uv.toml: %j", (text, expected) => {
    write(".config/uv/uv.toml", text);
    expect(config({ PIP_CONFIG_FILE: "/dev/null" })).toMatchObject(expected);
  });

  it("come from files, then from variables, and uv's win over pip's", () => {
    write(".config/pip/pip.conf", "[global]\nindex-url = https://file/simple\n");
    expect(config().indexUrl).toBe("https://file/simple");
    expect(config({ PIP_INDEX_URL: "https://variable/simple" }).indexUrl).toBe("https://variable/simple");
    write(".config/uv/uv.toml", 'index-url = "https://uv/simple"\n');
    expect(config({ PIP_INDEX_URL: "https://variable/simple" }).indexUrl).toBe("https://uv/simple");
    expect(config({ UV_DEFAULT_INDEX: "corp=https://uv-variable/simple" }).indexUrl).toBe("https://uv-variable/simple");
    const other = write("other.conf", "[global]\nindex-url = https://other/simple\n");
    fs.rmSync(join(home, ".config/uv/uv.toml"));
    expect(config({ PIP_CONFIG_FILE: other }).indexUrl).toBe("https://other/simple");
  });
});

describe("credentials", () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;
  const ask = (env: Readonly<Record<string, string>>, url: string): string | undefined =>
    openCredentials({ HOME: home, PIP_CONFIG_FILE: "/dev/null", ...env }).authorizationFor(url);

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ["pip's variable", { PIP_INDEX_URL: "https://me:p%40ss@h/simple" }, "me:p@ss"],
    ["pip's extra index", { PIP_EXTRA_INDEX_URL: "https://x/simple https://me:pass@h/simple" }, "me:pass"],
    ["uv's variable", { UV_INDEX: "corp=https://me:pass@h/simple" }, "me:pass"],
    [
      "uv's named index",
      { UV_INDEX: "my-corp=https://h/simple", UV_INDEX_MY_CORP_USERNAME: "me", UV_INDEX_MY_CORP_PASSWORD: "pass" },
      "me:pass",
    ],
    ["a stray %", { PIP_INDEX_URL: "https://me:5%@h/simple" }, "me:5%"],
    ["a token alone", { UV_DEFAULT_INDEX: "https://token@h/simple" }, "token:"],
  ])("of %s", (_what, env, expected) => {
    expect(ask(env, "https://h/files/a.whl")).toBe(basic(expected));
    expect(ask(env, "https://elsewhere/files/a.whl")).toBeUndefined();
    expect(ask(env, "https://h:8443/files/a.whl")).toBeUndefined();
    expect(ask(env, "http://h/files/a.whl")).toBeUndefined();
  });

  it.each<[string, string | undefined]>([
    ["machine h login me password pass\n", "me:pass"],
    ["machine other login x password y\nmachine h\n  login me\n  password pass\n", "me:pass"],
    ['# machine h login no password no\nmachine h login "me" password "p w"\n', "me:p w"],
    ["machine other login x password y\ndefault login me password pass\n", "me:pass"],
    ["macdef init\nmachine h login no password no\n\nmachine h login me password pass\n", "me:pass"],
    ["machine h login me\n", undefined],
    ["", undefined],
  ])("of netrc: %j", (text, expected) => {
    write(".netrc", text);
    expect(ask({}, "https://h/files/a.whl")).toBe(expected && basic(expected));
  });

  it("of an index that uv.toml names", () => {
    write(".config/uv/uv.toml", '[[index]]\nname = "corp"\nurl = "https://h/simple"\n');
    const env = { UV_INDEX_CORP_USERNAME: "me", UV_INDEX_CORP_PASSWORD: "pass" };
    expect(ask(env, "https://h/files/a.whl")).toBe(basic("me:pass"));
  });

  it("of a URL itself win, and those of a project's files are known once they were learned", () => {
    const known = openCredentials({ HOME: home, PIP_INDEX_URL: "https://me:pass@h/simple" });
    expect(known.authorizationFor("https://you:word@h/a")).toBe(basic("you:word"));
    known.learn(["https://project:secret@h/simple", "https://plain/simple", "no URL"]);
    expect(known.authorizationFor("https://h/a")).toBe(basic("project:secret"));
    expect(known.authorizationFor("https://plain/a")).toBeUndefined();
  });

  it("of indexes that a project names", () => {
    const requirements = write(
      "requirements.txt",
      "--index-url https://me:${TOKEN}@h/simple\n--extra-index-url https://e/simple\nnumpy\n",
    );
    const pyproject = write(
      "pyproject.toml",
      '[project]\nname = "a"\nversion = "1"\n[[tool.uv.index]]\nname = "my.corp"\nurl = "https://c/simple"\n',
    );
    const env = { TOKEN: "t0ken", UV_INDEX_MY_CORP_USERNAME: "u", UV_INDEX_MY_CORP_PASSWORD: "p/w" };
    expect(projectIndexUrls([requirements], home, env)).toEqual(["https://me:t0ken@h/simple", "https://e/simple"]);
    expect(projectIndexUrls([pyproject], home, env)).toEqual(["https://u:p%2Fw@c/simple"]);
  });
});

describe("an index", () => {
  const closers: (() => Promise<void>)[] = [];
  afterAll(async () => void (await Promise.all(closers.map((close) => close()))));

  async function open(options: IndexOptions = {}): Promise<Awaited<ReturnType<typeof startPackageIndex>>> {
    const index = await startPackageIndex(options);
    closers.push(index.close);
    index.add("Some.Package", "1.0");
    index.add("some-package", "1.1+local", { isBare: true });
    return index;
  }

  it.each([
    ["JSON (PEP 691)", false],
    ["HTML (PEP 503)", true],
  ])("is read as %s", async (_what, htmlOnly) => {
    const index = await open({ htmlOnly });
    const access = openIndexClient({ HOME: home, NO_PROXY: "*" });
    const files = await indexFiles(access, index.url, "Some_Package");
    access.client.close();
    expect(files).toEqual([
      {
        fileName: "some_package-1.0-py3-none-any.whl",
        url: `${index.origin}/files/some_package-1.0-py3-none-any.whl`,
        digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        ...(htmlOnly ? {} : { size: expect.any(Number) }),
      },
      {
        fileName: "some_package-1.1+local-py3-none-any.whl",
        url: `${index.origin}/files/some_package-1.1%2Blocal-py3-none-any.whl`,
      },
    ]);
  });

  it("is given the user's password, and says plainly when there is none", async () => {
    const index = await open({ user: "me", password: "p@ss" });
    const env = { HOME: home, NO_PROXY: "*", PIP_CONFIG_FILE: "/dev/null" };
    const stranger = openIndexClient(env);
    await expect(indexFiles(stranger, index.url, "some-package")).rejects.toMatchObject({
      code: "E_INDEX_AUTH",
      message: expect.stringMatching(/^asking 127\.0\.0\.1:\d+ for `some-package`: it answered 401$/),
    });
    const known = openIndexClient({ ...env, PIP_INDEX_URL: index.urlWithPassword });
    expect(await indexFiles(known, index.url, "some-package")).toHaveLength(2);
    await expect(indexFiles(known, index.url, "missing")).rejects.toMatchObject({ code: "E_PROJECT_NOTFOUND" });
    for (const { client } of [stranger, known]) client.close();
  });
});
