// SPDX-License-Identifier: Apache-2.0

/** Why a build failed, in a few words, and what to do. */
export interface BuildHint {
  readonly reason: string;
  readonly hint: string;
}

interface Cause {
  readonly output: RegExp;
  readonly reason: string;
  readonly packages: readonly string[];
}

/** What compilers and backends say when something is missing, and the Debian packages that have it. */
const CAUSES: readonly Cause[] = [
  {
    output: /Python\.h: No such file|Python\.h' file not found|Python dependency not found|Could NOT find Python/i,
    reason: "the headers of Python are missing",
    packages: ["build-essential", "python3-dev"],
  },
  {
    output:
      /(?:command|unable to execute) '?[\w./-]*(?:gcc|g\+\+|cc|c\+\+|clang)'? failed: No such|(?:gcc|cc|g\+\+|c\+\+): (?:command )?not found|No such file or directory: '(?:gcc|cc|g\+\+|c\+\+|[\w-]+-gcc)'|Unknown compiler\(s\)|No CMAKE_C(?:XX)?_COMPILER could be found|failed to find tool "?(?:cc|gcc|c\+\+)|linker `cc` not found|unable to execute '[\w-]*(?:gcc|cc)'/i,
    reason: "there is no C compiler",
    packages: ["build-essential", "python3-dev"],
  },
  {
    output: /gfortran|Fortran compiler/i,
    reason: "there is no Fortran compiler",
    packages: ["build-essential", "gfortran", "python3-dev"],
  },
  {
    output: /Rust compiler|cargo, the Rust package manager|rustc|`cargo`.*not found/i,
    reason: "there is no Rust compiler",
    packages: ["cargo", "build-essential"],
  },
  {
    output:
      /No such file or directory: '?git|git(?::| is)? (?:command )?not found|unable to detect version.*git|setuptools.scm was unable to detect version/i,
    reason: "git is missing, which tells the version",
    packages: ["git"],
  },
  {
    output: /pkg-config.*(?:not found|No such file)|Did not find pkg-config/i,
    reason: "pkg-config is missing",
    packages: ["build-essential", "pkg-config"],
  },
  {
    output: /pg_config executable not found/,
    reason: "pg_config is missing",
    packages: ["build-essential", "libpq-dev", "python3-dev"],
  },
  {
    output: /mysql_config|mysqlclient.*pkg-config/,
    reason: "mysql_config is missing",
    packages: ["build-essential", "default-libmysqlclient-dev", "pkg-config", "python3-dev"],
  },
];

/** Reads the output of a failed `uv build`. `packages` are those that the build had. */
export function buildHint(output: string, packages: readonly string[]): BuildHint {
  const missingHeader = /fatal error: ([\w./-]+\.h(?:pp)?): No such file/.exec(output)?.[1];
  const cause = CAUSES.find((each) => each.output.test(output));
  const wanted = (cause?.packages ?? []).filter((name) => !packages.includes(name));
  if (cause && wanted.length > 0) {
    const list = [...new Set([...packages, ...cause.packages])].map((name) => `"${name}"`).join(", ");
    return {
      reason: cause.reason,
      hint: `set \`build-packages = [${list}]\` in [tool.tare]: Debian packages for this build alone, not for the image`,
    };
  }
  if (missingHeader !== undefined) {
    return {
      reason: `\`${missingHeader}\` is missing`,
      hint: "add the Debian package that has it (its name ends in -dev) to `build-packages` in [tool.tare]",
    };
  }
  return {
    reason: `uv build failed${lastLine(output)}`,
    hint: "its output is above; what it lacks can be given by `build-packages` in [tool.tare], or choose a version that has a wheel",
  };
}

function lastLine(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const told =
    lines.findLast((line) => /^(?:\w+\.)*\w*(?:Error|Exception): \S/.test(line)) ??
    lines.find((line) => /^(?:error|×|Caused by|╰─▶)/i.test(line));
  return told === undefined ? "" : `: ${told.slice(0, 200)}`;
}
