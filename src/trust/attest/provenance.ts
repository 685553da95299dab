// SPDX-License-Identifier: Apache-2.0
/*
 * SLSA provenance v1 (slsa.dev/spec/v1.0/provenance) of a build, with BuildKit's words for the request. It says nothing
 * that is different the next time: no times, no names of this machine; so equal builds have equal provenance. Values of
 * secrets are never in it; `min` has no values of build arguments either.
 */
import type { Digest } from "../../base/index.ts";
import { redactUrls } from "../../python/index.ts";
import { formatPurl } from "../sbom/purl.ts";

/** How much is told: `min` leaves out values of build arguments, names of secrets and the Dockerfile's text. */
export type ProvenanceMode = "min" | "max";

/** `predicateType` of a statement with it. */
export const PROVENANCE_TYPE = "https://slsa.dev/provenance/v1";

/** What a build was made from. */
export interface BuildFacts {
  /** `project`: a Python project without a Dockerfile. */
  readonly frontend: "dockerfile" | "project";
  readonly dockerfile?: { readonly name: string; readonly digest: Digest; readonly text: string };
  readonly target?: string;
  readonly platform: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
  /** Folders of the user, with the digest of what a build may see of them. */
  readonly locals: readonly { readonly name: string; readonly digest: Digest }[];
  readonly images: readonly { readonly name: string; readonly manifest: Digest; readonly platform: string }[];
  readonly downloads: readonly { readonly url: string; readonly checksum?: string }[];
  readonly repositories: readonly { readonly url: string; readonly ref?: string; readonly checksum?: string }[];
  readonly wheels: readonly {
    readonly name: string;
    readonly version: string;
    readonly fileName: string;
    readonly digest: Digest;
    readonly url?: string;
  }[];
}

/** What is asked for. */
export interface ProvenanceOptions {
  readonly mode: ProvenanceMode;
  /** URI of who builds; default `urn:tare`. */
  readonly builderId?: string;
  readonly tool: { readonly name: string; readonly version: string };
}

interface Dependency {
  readonly uri: string;
  readonly digest?: Readonly<Record<string, string>>;
  readonly name?: string;
}

/** The predicate; equal input gives an equal one. */
export function provenanceOf(facts: BuildFacts, options: ProvenanceOptions): Readonly<Record<string, unknown>> {
  const { mode, builderId = "urn:tare", tool } = options;
  return {
    buildDefinition: {
      buildType: `urn:tare:build:${facts.frontend}:v1`,
      externalParameters: { ...configSource(facts), request: requestOf(facts, mode) },
      internalParameters: { builderPlatform: facts.platform },
      resolvedDependencies: dependenciesOf(facts),
    },
    runDetails: {
      builder: { id: builderId, version: { [tool.name]: tool.version } },
      ...(mode === "max" && facts.dockerfile ? { metadata: { tare_source: sourceOf(facts.dockerfile) } } : {}),
    },
  };
}

function configSource({ dockerfile }: BuildFacts): Readonly<Record<string, unknown>> {
  return dockerfile ? { configSource: { path: dockerfile.name, digest: hashOf(dockerfile.digest) } } : {};
}

function sourceOf({ name, text }: NonNullable<BuildFacts["dockerfile"]>): Readonly<Record<string, string>> {
  return { filename: name, data: Buffer.from(text).toString("base64") };
}

/** BuildKit's `request`: arguments by `build-arg:NAME`, `label:NAME`. */
function requestOf(facts: BuildFacts, mode: ProvenanceMode): Readonly<Record<string, unknown>> {
  const { frontend, target, locals } = facts;
  const args = mode === "max" ? argumentsOf(facts) : {};
  const own = target === undefined ? args : { ...args, target };
  return {
    frontend,
    ...(Object.keys(own).length === 0 ? {} : { args: sorted(own) }),
    ...(mode === "max" && facts.secrets.length > 0 ? { secrets: facts.secrets.toSorted().map((id) => ({ id })) } : {}),
    ...(mode === "max" && facts.ssh.length > 0 ? { ssh: facts.ssh.toSorted().map((id) => ({ id })) } : {}),
    locals: locals.map(({ name }) => ({ name })),
  };
}

/** Proxies are the machine's business; BuildKit leaves them out too. */
const PROXIES = /^(?:https?|ftp|no|all)_proxy$/i;
const SECRET = /(?:^|[_-])(?:pass(?:word|phrase|wd)?|pwd|secrets?|tokens?|credentials?|auth|pat|key)(?:$|[_-])|apikey/i;

function argumentsOf({ buildArgs, labels }: BuildFacts): Record<string, string> {
  const args = Object.entries(buildArgs).filter(([name]) => !PROXIES.test(name));
  return Object.fromEntries([
    ...args.map(([name, value]) => [`build-arg:${name}`, SECRET.test(name) ? "<left out>" : redactUrls(value)]),
    ...Object.entries(labels).map(([name, value]) => [`label:${name}`, value]),
  ]);
}

function sorted<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function dependenciesOf(facts: BuildFacts): readonly Dependency[] {
  const all: readonly Dependency[] = [
    ...facts.images.map(imageDependency),
    ...facts.locals.map(({ name, digest }) => ({ uri: `urn:tare:context:${name}`, digest: hashOf(digest), name })),
    ...facts.downloads.map(({ url, checksum }) => ({ uri: redactUrls(url), ...checksumOf(checksum) })),
    ...facts.repositories.map(({ url, ref, checksum }) => {
      const uri = `${redactUrls(url)}${ref === undefined ? "" : `#${ref}`}`;
      return { uri, ...(checksum === undefined ? {} : { digest: { gitCommit: checksum } }) };
    }),
    ...facts.wheels.map(wheelDependency),
  ];
  const once = new Map(all.map((each) => [JSON.stringify(each), each]));
  return [...once.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

function imageDependency({ name, manifest, platform }: BuildFacts["images"][number]): Dependency {
  const [, repository = name, tag = ""] = /^(.+?)(?::([^:/@]+))?(?:@.*)?$/.exec(name) ?? [];
  const parts = repository.split("/");
  const namespace = parts.slice(0, -1).join("/");
  const uri = formatPurl({
    type: "docker",
    ...(namespace === "" ? {} : { namespace }),
    name: parts.at(-1) ?? name,
    version: tag,
    qualifiers: { digest: manifest, platform },
  });
  return { uri: uri.replaceAll("%2F", "/"), digest: hashOf(manifest) };
}

function wheelDependency({ name, version, fileName, digest, url }: BuildFacts["wheels"][number]): Dependency {
  const uri = url ?? formatPurl({ type: "pypi", name, version, qualifiers: { file_name: fileName } });
  return { uri, digest: hashOf(digest), name: fileName };
}

function checksumOf(checksum: string | undefined): Pick<Dependency, "digest"> {
  const [, algorithm, hex] = /^(sha\d+):([0-9a-f]+)$/.exec(checksum ?? "") ?? [];
  return algorithm === undefined || hex === undefined ? {} : { digest: { [algorithm]: hex } };
}

function hashOf(digest: Digest): Readonly<Record<string, string>> {
  return { sha256: digest.slice("sha256:".length) };
}
