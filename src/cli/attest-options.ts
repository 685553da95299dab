// SPDX-License-Identifier: Apache-2.0
import { askPassphrase, readKeyFile } from "./passphrase.ts";
import { usageError } from "./usage-error.ts";
import { productVersion } from "./version.ts";
import type { BuildRequest } from "../engine/index.ts";
import type { CommandContext } from "./context.ts";
import type { OptionSpec } from "./command.ts";
import type { ParsedArguments } from "./parsed.ts";

/** What of build and push adds to a pushed image. */
export const ATTEST_OPTIONS: readonly OptionSpec[] = [
  {
    name: "sbom",
    type: "string",
    valueName: "spdx|cyclonedx",
    optional: { bare: "true", value: /^(?:true|false|spdx|cyclonedx)$/ },
    description: "Attach a bill of materials to the pushed image; alone: SPDX",
  },
  {
    name: "provenance",
    type: "string",
    valueName: "min|max",
    optional: { bare: "true", value: /^(?:true|false|min|max|mode=.*|builder-id=.*)$/ },
    description: "Attach how the image was built (SLSA); `mode=max` with build arguments and the Dockerfile",
  },
  {
    name: "sign-by-sigstore-private-key",
    type: "string",
    valueName: "path",
    description: "Sign the pushed image, and what is attached to it, with this key",
    complete: "file",
  },
  {
    name: "sign-passphrase-file",
    type: "string",
    valueName: "path",
    description: "File with the key's passphrase; else COSIGN_PASSWORD, or it is asked for",
    complete: "file",
  },
];

type Attestations = NonNullable<BuildRequest["attestations"]>;

/** What the flags ask for; nothing when they ask for nothing. Throws `E_USAGE`. */
export function attestationsOf(
  context: CommandContext,
  parsed: ParsedArguments,
): { readonly attestations?: Attestations } {
  const asked = { ...attestOf(parsed), ...sbomOf(parsed.string("sbom")), ...provenanceOf(parsed.string("provenance")) };
  const { sbom, provenance } = asked;
  const key = parsed.string("sign-by-sigstore-private-key");
  if (sbom === undefined && provenance === undefined && key === undefined) return {};
  const version = productVersion();
  return {
    attestations: {
      version,
      ...(sbom === undefined ? {} : { sbom }),
      ...(provenance === undefined ? {} : { provenance }),
      ...(key === undefined ? {} : { signing: signingOf(context, parsed, key) }),
    },
  };
}

/** The passphrase is had once, however often it is asked for. */
function signingOf(context: CommandContext, parsed: ParsedArguments, place: string): Attestations["signing"] & object {
  const ask = askPassphrase(context, parsed.string("sign-passphrase-file"));
  let known: Promise<string> | undefined;
  return { key: readKeyFile(context, place), passphrase: () => (known ??= ask()) };
}

type Asked = { readonly [Key in "sbom" | "provenance"]?: Attestations[Key] | undefined };

function sbomOf(text: string | undefined): Asked {
  if (text === undefined) return {};
  if (text === "false" || text === "0") return { sbom: undefined };
  if (text === "cyclonedx") return { sbom: "cyclonedx" };
  if (text === "true" || text === "1" || text === "spdx") return { sbom: "spdx" };
  throw usageError(`invalid argument "${text}" for "--sbom" flag: expected spdx, cyclonedx, true or false`);
}

/** buildx's grammar: `true`, `mode=max,builder-id=URI`. */
function provenanceOf(text: string | undefined): Asked {
  if (text === undefined) return {};
  if (text === "false" || text === "0") return { provenance: undefined };
  const parts = text.split(",").map((part) => (/^(?:min|max)$/.test(part) ? `mode=${part}` : part));
  const settings = new Map(parts.filter((part) => part !== "true" && part !== "1").map(keyValue));
  const mode = settings.get("mode") ?? "min";
  const builderId = settings.get("builder-id");
  const unknown = [...settings.keys()].find((key) => key !== "mode" && key !== "builder-id");
  if (unknown !== undefined || (mode !== "min" && mode !== "max")) {
    throw usageError(
      `invalid argument "${text}" for "--provenance" flag: expected true, false, mode=min or mode=max, builder-id=URI`,
    );
  }
  return { provenance: { mode, ...(builderId === undefined ? {} : { builderId }) } };
}

function keyValue(part: string): readonly [string, string] {
  const equals = part.indexOf("=");
  return equals < 0 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
}

/** `--attest type=sbom`, `--attest type=provenance,mode=max`; `disabled=true` takes it back. */
function attestOf(parsed: ParsedArguments): Asked {
  if (!parsed.has("attest")) return {};
  let asked: Asked = {};
  for (const text of parsed.list("attest")) {
    const { type, disabled, ...rest } = Object.fromEntries(text.split(",").map(keyValue)) as Record<string, string>;
    const isOff = disabled !== undefined && disabled !== "false";
    if (type === "sbom") asked = { ...asked, ...sbomOf(isOff ? "false" : "true") };
    else if (type === "provenance") {
      const settings = Object.entries(rest).map((pair) => pair.join("="));
      asked = { ...asked, ...provenanceOf(isOff ? "false" : ["true", ...settings].join(",")) };
    } else throw usageError(`invalid argument "${text}" for "--attest" flag: expected type=sbom or type=provenance`);
  }
  return asked;
}
