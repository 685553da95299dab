// SPDX-License-Identifier: Apache-2.0
/* Failures of uv that are no conflict: files, network, builds. */
import type { ErrorCode } from "../../base/index.ts";
import type { Explanation } from "./explain.ts";

interface Kind {
  readonly pattern: RegExp;
  readonly code?: ErrorCode;
  readonly message: (match: RegExpExecArray) => string;
  readonly hint: string;
}

const NETWORK = "check the network, HTTPS_PROXY and the certificates (SSL_CERT_FILE); a locked project needs no index";
const BUILD = "choose a version that has wheels, or do it as root on Linux, where sources are built in a container";

/** The first that fits tells. */
const KINDS: readonly Kind[] = [
  {
    pattern: /Failed to (?:download and )?build `([^`]+)`[^]*Git operation failed[^]*?(?:fatal: (.*)|$)/,
    message: ([, what = "", why = "git failed"]) =>
      `\`${what}\` can't be fetched: ${why.replace(/^unable to access '[^']*': /, "")}`,
    hint: "check the address, and that git may read it without asking (a token, or an SSH key)",
  },
  {
    pattern: /Failed to (?:download and )?build `([^`]+)`/,
    message: ([, what = ""]) => `\`${what}\` has no wheel, and must be built to know what it needs`,
    hint: BUILD,
  },
  {
    pattern: /has to be built to know/,
    message: () => "a package has no wheel, and must be built to know what it needs",
    hint: BUILD,
  },
  {
    pattern: /Failed to (?:fetch|download)[^]*?(401 Unauthorized|403 Forbidden)[^]*?for url \(\w+:\/\/([^/)]+)/,
    code: "E_INDEX_AUTH",
    message: ([, status = "", host = ""]) => `${host} answered ${status}`,
    hint: "give credentials for it in ~/.netrc, in the index URL of pip's or uv's settings, or in the environment",
  },
  {
    pattern: /HTTP status (?:client|server) error \(([^)]+)\) for url \(([^)]+)\)/,
    message: ([, status = "", url = ""]) => `${url} answered ${status}`,
    hint: "check the address",
  },
  {
    pattern:
      /Failed to fetch: (\S+)([^]*(?:dns error|Connection refused|certificate|timed out|tcp connect error)[^]*)/i,
    message: ([, url = "", why = ""]) => `${hostOf(url)} can't be reached${reasonIn(why)}`,
    hint: NETWORK,
  },
  {
    pattern: /Distribution not found at: file:\/\/(\S+)/,
    code: "E_REQUIREMENTS",
    message: ([, path = ""]) => `there is nothing at \`${path}\``,
    hint: "correct the path in the requirements; it is relative to the project's folder",
  },
  {
    pattern: /The dependency group '([^']+)' was not found/,
    code: "E_PYPROJECT",
    message: ([, group = ""]) => `pyproject.toml has no dependency group \`${group}\``,
    hint: "add it to [dependency-groups], or leave out `--group`",
  },
  {
    pattern: /Requested extras? not found: (.+)/,
    code: "E_PYPROJECT",
    message: ([, extra = ""]) => `pyproject.toml has no extra \`${extra}\``,
    hint: "add it to [project.optional-dependencies], or leave out `--extra`",
  },
];

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/dns error/i, "its name is not known"],
  [/connection refused/i, "nothing listens there"],
  [/certificate/i, "its certificate is not trusted"],
  [/timed out/i, "no answer in time"],
];

function reasonIn(text: string): string {
  const [, reason] = REASONS.find(([pattern]) => pattern.test(text)) ?? [];
  return reason === undefined ? "" : ` (${reason})`;
}

/** True when sources have to be built to know what they need, which the stand-in for Python refuses. */
export function mustBuild(stderr: string): boolean {
  return /has to be built to know/.test(stderr);
}

/** What a failure means that is no conflict between versions. */
export function otherFailure(stderr: string): Explanation {
  for (const { pattern, code = "E_RESOLVE", message, hint } of KINDS) {
    const match = pattern.exec(stderr);
    if (match) return { code, message: `resolving: ${message(match)}`, hint, suspects: [] };
  }
  const lines = stderr
    .split("\n")
    .map((line) => line.replace(/^(?:error:|\s*(?:cause|hint):)\s*/i, "").trim())
    .filter(Boolean);
  const causes = [...stderr.matchAll(/^\s*cause: (.+)$/gim)].map(([, cause = ""]) => cause);
  const last = /^\s*fatal: (.+)$/m.exec(stderr)?.[1] ?? causes.at(-1) ?? "";
  const shown = [lines[0] ?? "uv failed without a word", last].filter(Boolean).join(": ").slice(0, 400);
  return {
    code: "E_RESOLVE",
    message: `resolving: ${shown}`,
    hint: "`--debug` shows all of uv's output",
    suspects: [],
  };
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url;
}
