// SPDX-License-Identifier: Apache-2.0
/* Reads containers-policy.json(5) as strictly as podman: what is not understood is refused, so nothing is let in by it. */
import { TareError, valueText } from "../../base/index.ts";
import { isMembers, parseJson } from "../../oci/index.ts";
import type { Material, Policy, Requirement, SignedIdentity, SigstoreSigned } from "./types.ts";

/** Reads a policy. Throws `E_POLICY` with the place in the document. */
export function parsePolicy(text: string, path: string): Policy {
  const reader = new PolicyReader(path);
  const root = reader.object(reader.json(text), "", ["default", "transports"]);
  const transports = root["transports"] === undefined ? {} : reader.object(root["transports"], "transports");
  const docker = transports["docker"] === undefined ? {} : reader.object(transports["docker"], "transports.docker");
  // Other transports are none of a registry's, but a mistake in them is one.
  for (const [name, scopes] of Object.entries(transports)) {
    const at = `transports.${name}`;
    for (const [scope, list] of Object.entries(reader.object(scopes, at))) reader.requirements(list, `${at}[${scope}]`);
  }
  const scopes = Object.entries(docker).map(
    ([scope, list]) => [scope, reader.requirements(list, `transports.docker[${scope}]`)] as const,
  );
  return { path, default: reader.requirements(root["default"], "default"), scopes: new Map(scopes) };
}

type Members = Readonly<Record<string, unknown>>;

class PolicyReader {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  fail(at: string, why: string): never {
    const where = at === "" ? "" : `${at}: `;
    throw new TareError("E_POLICY", `reading the signature policy \`${this.#path}\`: ${where}${why}`, {
      hint: "see containers-policy.json(5)",
    });
  }

  json(text: string): unknown {
    try {
      return parseJson(text, "signature policy");
    } catch (error) {
      return this.fail("", error instanceof Error ? error.message : "it is no JSON");
    }
  }

  /** An object with none but these keys. */
  object(value: unknown, at: string, keys?: readonly string[]): Members {
    if (!isMembers(value)) return this.fail(at, "expected an object");
    const unknown = keys && Object.keys(value).find((key) => !keys.includes(key));
    return unknown === undefined ? value : this.fail(at, `unknown key \`${unknown}\``);
  }

  requirements(value: unknown, at: string): readonly Requirement[] {
    if (!Array.isArray(value) || value.length === 0) return this.fail(at, "expected a list with a requirement");
    return value.map((each: unknown, index) => this.#requirement(each, `${at}[${index}]`));
  }

  #requirement(value: unknown, at: string): Requirement {
    const { type } = this.object(value, at);
    switch (type) {
      case "insecureAcceptAnything":
      case "reject":
        this.object(value, at, ["type"]);
        return { type };
      case "signedBy":
        return { type };
      case "sigstoreSigned":
        return this.#sigstoreSigned(this.object(value, at, SIGSTORE_KEYS), at);
      default:
        return this.fail(at, `unknown type \`${valueText(type)}\``);
    }
  }

  #sigstoreSigned(value: Members, at: string): SigstoreSigned {
    if (value["pki"] !== undefined) this.fail(at, "`pki` is not supported");
    const keys = this.#materials(value, "key", at);
    const fulcio = value["fulcio"] === undefined ? undefined : this.#fulcio(value["fulcio"], `${at}.fulcio`);
    if (keys.length > 0 === (fulcio !== undefined)) {
      this.fail(at, "exactly one of `keyPath`, `keyPaths`, `keyData`, `keyDatas` and `fulcio` is needed");
    }
    const logs = this.#materials(value, "rekorPublicKey", at);
    if (fulcio && logs.length === 0) this.fail(at, "`fulcio` needs a `rekorPublicKeyPath` or `rekorPublicKeyData`");
    const identity = this.#identity(value["signedIdentity"], `${at}.signedIdentity`);
    return { type: "sigstoreSigned", keys, logs, identity, ...(fulcio === undefined ? {} : { fulcio }) };
  }

  /** `<name>Path`, `<name>Paths`, `<name>Data`, `<name>Datas`: at most one of the four. */
  #materials(value: Members, name: string, at: string): readonly Material[] {
    const given = ["Path", "Paths", "Data", "Datas"].filter((end) => value[name + end] !== undefined);
    const [end] = given;
    if (end === undefined) return [];
    if (given.length > 1) this.fail(at, `\`${name}${end}\` and \`${name}${given[1] ?? ""}\` exclude each other`);
    const key = name + end;
    const found: unknown = end.endsWith("s") ? value[key] : [value[key]];
    if (!Array.isArray(found) || found.length === 0) return this.fail(`${at}.${key}`, "expected a list");
    return found.map((each: unknown) => this.#material(each, `${at}.${key}`, end.startsWith("Data")));
  }

  #material(value: unknown, at: string, isData: boolean): Material {
    const text = this.#text(value, at);
    return isData ? { data: Buffer.from(text, "base64") } : { path: text };
  }

  #fulcio(value: unknown, at: string): NonNullable<SigstoreSigned["fulcio"]> {
    const members = this.object(value, at, ["caPath", "caData", "oidcIssuer", "subjectEmail"]);
    const [authority, ...more] = this.#materials(members, "ca", at);
    if (!authority || more.length > 0) return this.fail(at, "one of `caPath` and `caData` is needed");
    const issuer = this.#text(members["oidcIssuer"], `${at}.oidcIssuer`);
    return { authority, issuer, email: this.#text(members["subjectEmail"], `${at}.subjectEmail`) };
  }

  #identity(value: unknown, at: string): SignedIdentity {
    if (value === undefined) return { type: "matchRepoDigestOrExact" };
    const { type } = this.object(value, at);
    const text = (key: string): string => this.#text(this.object(value, at, ["type", key])[key], `${at}.${key}`);
    switch (type) {
      case "matchExact":
      case "matchRepoDigestOrExact":
      case "matchRepository":
        this.object(value, at, ["type"]);
        return { type };
      case "exactReference":
        return { type, dockerReference: text("dockerReference") };
      case "exactRepository":
        return { type, dockerRepository: text("dockerRepository") };
      case "remapIdentity": {
        const { prefix, signedPrefix } = this.object(value, at, ["type", "prefix", "signedPrefix"]);
        return {
          type,
          prefix: this.#text(prefix, `${at}.prefix`),
          signedPrefix: this.#text(signedPrefix, `${at}.signedPrefix`),
        };
      }
      default:
        return this.fail(at, `unknown type \`${valueText(type)}\``);
    }
  }

  #text(value: unknown, at: string): string {
    return typeof value === "string" && value !== "" ? value : this.fail(at, "expected a text");
  }
}

const SIGSTORE_KEYS: readonly string[] = [
  "type",
  ...["key", "rekorPublicKey"].flatMap((name) => ["Path", "Paths", "Data", "Datas"].map((end) => name + end)),
  "fulcio",
  "pki",
  "signedIdentity",
];
