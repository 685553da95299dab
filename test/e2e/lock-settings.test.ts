// SPDX-License-Identifier: Apache-2.0
/*
 * Packages from an index that wants a password, wherever the user keeps it. Afterwards the password, as it is, encoded
 * for a URL or in base64, is in no file of the store, no lock, plan, log or image.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addFakePython } from "../support/fake-python.ts";
import { startPackageIndex } from "../support/package-index.ts";
import type { PackageIndex } from "../support/package-index.ts";
import { openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { startStandInHost, whyNoCertificates } from "../support/stand-in-host.ts";
import type { StandInHost } from "../support/stand-in-host.ts";
import { indexEnvironment, uvProgram, whyNoUv } from "../support/uv.ts";

const reason = whyNoUv();
if (reason !== undefined) console.log(`skipped: index settings: ${reason}`);

const certificateReason = reason ?? whyNoCertificates();
if (certificateReason !== undefined) console.log(`skipped: index settings: ${certificateReason}`);

const USER = "reader";
const PASSWORD = "s3cr3t/Wort+7f";
const FORMS = [PASSWORD, encodeURIComponent(PASSWORD), Buffer.from(`${USER}:${PASSWORD}`).toString("base64")];

interface Place {
  readonly home?: Readonly<Record<string, string>>;
  readonly project?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Where users keep it. */
const PLACES: Readonly<Record<string, (index: PackageIndex) => Place>> = {
  "pip.conf": ({ urlWithPassword }) => ({
    home: { ".config/pip/pip.conf": `[global]\nindex-url = ${urlWithPassword}\n` },
    env: { PIP_CONFIG_FILE: "", PIP_INDEX_URL: "" },
  }),
  "uv.toml": ({ urlWithPassword }) => ({
    home: { ".config/uv/uv.toml": `[[index]]\nurl = "${urlWithPassword}"\ndefault = true\n` },
    env: { PIP_INDEX_URL: "" },
  }),
  netrc: () => ({ home: { ".netrc": `machine 127.0.0.1 login ${USER} password ${PASSWORD}\n` } }),
  "a variable of pip": ({ urlWithPassword }) => ({ env: { PIP_INDEX_URL: urlWithPassword } }),
  "variables of a named index of uv": ({ url }) => ({
    env: {
      PIP_INDEX_URL: "",
      UV_DEFAULT_INDEX: `corp=${url}`,
      UV_INDEX_CORP_USERNAME: USER,
      UV_INDEX_CORP_PASSWORD: PASSWORD,
    },
  }),
  "requirements with a variable": ({ url }) => ({
    project: { "requirements.txt": `--index-url ${url.replace("//", `//${USER}:\${INDEX_PASSWORD}@`)}\nhello\n` },
    env: { PIP_INDEX_URL: "http://127.0.0.1:9/simple", INDEX_PASSWORD: encodeURIComponent(PASSWORD) },
  }),
};

describe.skipIf(reason !== undefined)("an index that wants a password", () => {
  let world: ProgramWorld;
  let index: PackageIndex;
  let base: Record<string, string>;
  beforeAll(async () => {
    world = openProgramWorld("settings");
    index = await startPackageIndex({ user: USER, password: PASSWORD });
    index.add("hello", "1.0", { requires: ["world"] });
    index.add("world", "2.0");
    base = indexEnvironment(await uvProgram(), world.folder, index.url);
    addFakePython(world);
  });
  afterAll(async () => {
    await index.close();
    world.close();
  });

  it("is told as such when there is none", async () => {
    const project = world.files("nobody", { "requirements.txt": "hello\n" });
    const { code, err } = await world.tareAsync(["lock", project], { env: base });
    expect(code).toBe(1);
    expect(err).toMatch(
      /error\[E_INDEX_AUTH\]: resolving: 127\.0\.0\.1:\d+ answered 401 Unauthorized when asked for `hello`\nhint: give credentials for 127/,
    );
    const asked = index.authorizations.length;
    expect(asked).toBe(0);
  });

  it.each(Object.keys(PLACES))("takes it from %s, and keeps it nowhere", async (name) => {
    const place = PLACES[name]?.(index) ?? {};
    const folder = name.replaceAll(/\W+/g, "-");
    const home = world.files(`home-${folder}`, {});
    for (const [path, text] of Object.entries(place.home ?? {})) {
      fs.mkdirSync(dirname(join(home, path)), { recursive: true });
      fs.writeFileSync(join(home, path), text);
    }
    const tool = '[tool.tare]\nbase = "pybase"\n';
    const project = world.files(folder, {
      "requirements.txt": "hello\n",
      "main.py": "import hello\n",
      "tare.toml": tool.slice(tool.indexOf("\n") + 1),
      ...place.project,
    });
    const root = join(world.folder, `root-${folder}`);
    spawnSync("cp", ["-a", world.root, root]);
    const env = {
      ...indexEnvironment(base["TARE_UV"] ?? "", home, index.url),
      ...place.env,
      TARE_ROOT: root,
    };
    const run = (...args: readonly string[]): ReturnType<ProgramWorld["tareAsync"]> =>
      world.tareAsync(args, { cwd: project, env });
    const unlocked = await run("build", "--debug", "--progress", "plain", "--bytecode", "none", "-t", "app", ".");
    const locked = await run("lock", "--debug");
    const plan = await run("build", "--plan", "--json", ".");
    const built = await run("build", "--debug", "--progress", "plain", "--bytecode", "none", "-t", "app", ".");
    const saved = await run("save", "-o", join(project, "app.tar"), "app");
    const all = [unlocked, locked, plan, built, saved];
    expect(all.map(({ code, err }) => (code === 0 ? 0 : err))).toEqual([0, 0, 0, 0, 0]);
    expect(built.err).toContain("pylock.toml: 2 packages");
    for (const form of FORMS) for (const { out, err } of all) expect(`${out}${err}`).not.toContain(form);
    expect(filesWith(root, FORMS)).toEqual([]);
    expect(filesWith(project, FORMS)).toEqual([]);
    expect(filesWith(home, FORMS)).toHaveLength(Object.keys(place.home ?? {}).length);
  });
});

describe.skipIf(certificateReason !== undefined)("an index behind a proxy, with a certificate of its own", () => {
  const HOST = "packages.example";
  let world: ProgramWorld;
  let index: PackageIndex;
  let host: StandInHost;
  let uv = "";
  beforeAll(async () => {
    world = openProgramWorld("proxy");
    index = await startPackageIndex();
    index.add("hello", "1.0");
    host = await startStandInHost(world.folder, HOST, index.listener);
    uv = await uvProgram();
    addFakePython(world);
  });
  afterAll(async () => {
    host.close();
    await index.close();
    world.close();
  });

  it.each<[string, (host: StandInHost) => { readonly conf: string; readonly env: Readonly<Record<string, string>> }]>([
    ["variables", ({ env }) => ({ conf: "", env })],
    [
      "pip.conf",
      ({ env: { HTTPS_PROXY, SSL_CERT_FILE } }) => ({
        conf: `cert = ${SSL_CERT_FILE ?? ""}\nproxy = ${HTTPS_PROXY ?? ""}\n`,
        env: {},
      }),
    ],
    [
      "pip's own variables",
      ({ env: { HTTPS_PROXY = "", SSL_CERT_FILE = "" } }) => ({
        conf: "",
        env: { PIP_PROXY: HTTPS_PROXY, PIP_CERT: SSL_CERT_FILE },
      }),
    ],
  ])("is reached by %s, by uv and by Tare", async (name, settings) => {
    const { conf, env: own } = settings(host);
    const home = world.files(`home-${name.replaceAll(/\W/g, "")}`, {
      ".config/pip/pip.conf": `[global]\nindex-url = https://${HOST}/simple\n${conf}`,
    });
    const root = join(world.folder, `root-${name.replaceAll(/\W/g, "")}`);
    spawnSync("cp", ["-a", world.root, root]);
    const none = Object.fromEntries(UNSET.map((variable) => [variable, ""]));
    const env = { ...indexEnvironment(uv, home, ""), ...none, PIP_CONFIG_FILE: "", TARE_ROOT: root, ...own };
    const project = world.files(`project-${name.replaceAll(/\W/g, "")}`, {
      "requirements.txt": "hello\n",
      "tare.toml": 'base = "pybase"\n',
      "main.py": "",
    });
    const before = host.connections.length;
    const locked = await world.tareAsync(["lock", project], { env });
    expect(locked).toMatchObject({ code: 0 });
    const asked = host.connections.length;
    expect(asked).toBeGreaterThan(before);
    const built = await world.tareAsync(["build", "-q", "--bytecode", "none", project], { env });
    expect(built).toMatchObject({ code: 0 });
    expect(host.connections.length).toBeGreaterThan(asked);
  });

  it("is not believed without its certificate", async () => {
    const none = Object.fromEntries(UNSET.map((variable) => [variable, ""]));
    const { HTTPS_PROXY = "" } = host.env;
    const env = { ...indexEnvironment(uv, world.folder, `https://${HOST}/simple`), ...none, HTTPS_PROXY };
    const { err } = await world.tareAsync(["lock", world.files("stranger", { "requirements.txt": "hello\n" })], {
      env,
    });
    expect(err).toContain(`error[E_RESOLVE]: resolving: ${HOST} can't be reached (its certificate is not trusted)`);
  });
});

/** What this machine may have set. */
const UNSET =
  `SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE PIP_CERT PIP_PROXY HTTPS_PROXY https_proxy HTTP_PROXY
http_proxy ALL_PROXY all_proxy`.split(/\s/);

/** Files below a folder with one of the texts in them, compressed ones after unpacking. */
function filesWith(folder: string, texts: readonly string[]): readonly string[] {
  const patterns = texts.flatMap((text) => ["-e", text]);
  const found = spawnSync("grep", ["-rlaF", ...patterns, folder], { encoding: "utf8", maxBuffer: 1 << 26 });
  const inside = spawnSync(
    "sh",
    [
      "-c",
      'find "$0" -type f -exec sh -c \'gzip -dc "$1" 2>/dev/null | grep -qaF "$2" && echo "$1"\' _ {} "$1" \\;',
      folder,
      texts[0] ?? "",
    ],
    { encoding: "utf8" },
  );
  return `${found.stdout}${inside.stdout}`.split("\n").filter(Boolean);
}
