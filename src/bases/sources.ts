// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, readTextIfPresent } from "../base/index.ts";
import type { Distribution, Suite } from "./suites.ts";
import { SUITES } from "./suites.ts";

/** One stanza of apt's configuration: archives, suites and components that go together (sources.list(5)). */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** Parses one-line style entries (`deb [options] uri suite component…`); source packages are left out. */
export function parseOneLineSources(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (!match) return [];
    const [, uri = "", suite = "", rest = ""] = match;
    return [{ uris: [uri], suites: [suite], components: wordsOf(rest) }];
  });
}

/** Parses deb822 style stanzas; disabled ones and source packages are left out. */
export function parseDeb822Sources(text: string): AptSource[] {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  return lines
    .join("\n")
    .split(/\n\s*\n/)
    .map(parseStanza)
    .filter((fields) => wordsOf(fields.get("types") ?? "").includes("deb") && fields.get("enabled") !== "no")
    .map((fields) => ({
      uris: wordsOf(fields.get("uris") ?? ""),
      suites: wordsOf(fields.get("suites") ?? ""),
      components: wordsOf(fields.get("components") ?? ""),
    }));
}

function parseStanza(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last = "";
  for (const line of stanza.split("\n")) {
    const match = /^([A-Za-z][A-Za-z-]*):(.*)$/.exec(line);
    if (match) fields.set((last = (match[1] ?? "").toLowerCase()), (match[2] ?? "").trim());
    else if (last !== "" && /^\s/.test(line)) fields.set(last, `${fields.get(last) ?? ""} ${line.trim()}`.trim());
  }
  return fields;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** What this host's apt is configured to use. `root` is for tests. */
export function readHostSources(root: string = "/"): AptSource[] {
  const main = parseOneLineSources(readTextIfPresent(join(root, "etc/apt/sources.list")) ?? "");
  const folder = join(root, "etc/apt/sources.list.d");
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
  const parts = names.flatMap((name) => {
    const text = readTextIfPresent(join(folder, name)) ?? "";
    if (name.endsWith(".list")) return parseOneLineSources(text);
    return name.endsWith(".sources") ? parseDeb822Sources(text) : [];
  });
  return [...main, ...parts];
}

/** Where the packages of a distribution come from. */
export interface Mirrors {
  readonly archive: string;
  readonly security: string;
}

/** Where programs lie that know Debian's own mirror. */
const MMDEBSTRAP = "/usr/bin/mmdebstrap";

/**
 * The mirrors that the installed mmdebstrap takes by default: Debian's own, for hosts that are no Debian. It is a
 * script that names them near its start of sources; undefined when it names none in the way we know.
 */
export function defaultMirrors(program: string = MMDEBSTRAP): Mirrors | undefined {
  const text = readTextIfPresent(program) ?? "";
  const archive = /\$mirror\s*=\s*['"](https?:\/\/[^'"\s]+)['"]/.exec(text)?.[1];
  const security = /\$secmirror\s*=\s*['"](https?:\/\/[^'"\s]+)['"]/.exec(text)?.[1];
  return archive !== undefined && security !== undefined ? { archive, security } : undefined;
}

/** What `chooseMirrors` chooses from. */
export interface MirrorChoice {
  /** The host's apt configuration. */
  readonly host: readonly AptSource[];
  /** `--mirror`. */
  readonly mirror?: string | undefined;
  /** Debian's own, where it is known. */
  readonly defaults?: Mirrors | undefined;
}

/**
 * The mirrors for a suite: `mirror` when given (it then serves the fixes too, where it has them beside it), else the
 * ones in the host's apt configuration, else Debian's own. Throws `E_BASE_SOURCE` when there is none.
 */
export function chooseMirrors(suite: Suite, choice: MirrorChoice): Mirrors {
  const known = hostMirrors(suite.distribution, choice.host);
  const defaults = suite.distribution === "debian" ? choice.defaults : undefined;
  const security = known.security ?? defaults?.security;
  if (choice.mirror !== undefined) return givenMirrors(suite, choice.mirror, security);
  if (known.archive !== undefined) {
    const own = suite.distribution === "ubuntu" ? known.archive : besideOf(known.archive);
    return { archive: known.archive, security: security ?? own };
  }
  if (defaults) return defaults;
  throw new TareError("E_BASE_SOURCE", `choosing a mirror for ${suite.name}: this host's apt knows no archive of it`, {
    hint: "give one with `--mirror`, for example the archive that the distribution's documentation names",
  });
}

/** Mirrors have the fixes in a folder of that name beside the archive. */
function besideOf(archive: string): string {
  return `${archive}-security`;
}

function givenMirrors(suite: Suite, mirror: string, security: string | undefined): Mirrors {
  const protocol = /^([a-z]+):/.exec(mirror)?.[1] ?? "";
  if (!["http", "https", "file"].includes(protocol) || /[\s"'\\\][]/.test(mirror)) {
    throw new TareError("E_USAGE", `using mirror \`${mirror}\`: expected a URL with http, https or file`);
  }
  const archive = mirror.replace(/\/+$/, "");
  if (suite.distribution === "ubuntu") return { archive, security: archive };
  return { archive, security: archive.endsWith("/debian") ? besideOf(archive) : (security ?? besideOf(archive)) };
}

function hostMirrors(distribution: Distribution, host: readonly AptSource[]): Partial<Mirrors> {
  const names = SUITES.filter((suite) => suite.distribution === distribution).flatMap((suite) => [
    suite.name,
    ...suite.aliases,
  ]);
  const archive = host.find(
    (source) => source.components.includes("main") && source.suites.some((suite) => names.includes(suite)),
  )?.uris[0];
  const security = host.find((source) =>
    source.suites.some((suite) => /[-/](security|updates)$/.test(suite) && isSecurity(suite, names)),
  )?.uris[0];
  return {
    ...(archive === undefined ? {} : { archive: archive.replace(/\/+$/, "") }),
    ...(security === undefined ? {} : { security: security.replace(/\/+$/, "") }),
  };
}

function isSecurity(suite: string, names: readonly string[]): boolean {
  return suite.endsWith("-security") && names.includes(suite.slice(0, -"-security".length));
}

/** The keyring that signs a distribution's archive on this host. Throws `E_BASE_SOURCE` with the package to install. */
export function requireKeyring(distribution: Distribution, folder: string = "/usr/share/keyrings"): string {
  const names = [`${distribution}-archive-keyring.gpg`, `${distribution}-archive-keyring.pgp`];
  const found = names.map((name) => join(folder, name)).find((path) => fs.existsSync(path));
  if (found !== undefined) return found;
  const owner = distribution === "debian" ? "debian-archive-keyring" : "ubuntu-keyring";
  throw new TareError("E_BASE_SOURCE", `checking signatures of ${distribution} packages: no keyring in \`${folder}\``, {
    hint: `run \`apt-get install ${owner}\``,
  });
}

/** The sources of a suite in deb822 style, as they stay in the image. */
export function formatSources(suite: Suite, mirrors: Mirrors, keyring: string): string {
  const components = suite.distribution === "ubuntu" ? "main universe" : "main";
  const release = [suite.name, ...suite.updates.map((suffix) => `${suite.name}${suffix}`)];
  const stanza = (uri: string, suites: readonly string[]): string =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites.join(" ")}\nComponents: ${components}\nSigned-By: ${keyring}\n`;
  const stanzas = [stanza(mirrors.archive, release)];
  if (suite.security) stanzas.push(stanza(mirrors.security, [`${suite.name}-security`]));
  return stanzas.join("\n");
}
