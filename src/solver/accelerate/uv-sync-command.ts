// SPDX-License-Identifier: Apache-2.0
/*
 * `uv sync`. It is run all the same, without the wheels: so its options matter only where they change what a wheel
 * becomes, or which ones there are; those are asked for again with `uv export`.
 */
import { WHY_NOT, splitOption } from "./installer-options.ts";
import { LINKS_TO_CACHE, isOn, syncObstacle } from "./installer-settings.ts";
import type { InstallerReading } from "./installer-command.ts";

type Kind = "flag" | "value" | "chosen flag" | "chosen value";

/** `chosen …`: it chooses packages of the lock. */
const OPTIONS: ReadonlyMap<string, Kind> = new Map([
  ...kinds("chosen value", "--extra --no-extra --group --no-group --only-group --package"),
  ...kinds("chosen flag", "--all-extras --dev --no-dev --only-dev --no-default-groups --all-groups --all-packages"),
  ...kinds(
    "value",
    "-p --python --cache-dir --no-install-package --no-editable-package --color -i --index-url --index --default-index " +
      "--extra-index-url -f --find-links --index-strategy --keyring-provider --allow-insecure-host --resolution " +
      "--prerelease --exclude-newer --fork-strategy --link-mode --refresh-package -C --config-setting",
  ),
  ...kinds(
    "flag",
    "--frozen --locked --inexact --exact --active --no-install-project --no-install-workspace --no-install-local " +
      "--no-editable --compile-bytecode --no-compile-bytecode --no-cache -n --refresh -q --quiet -v --verbose " +
      "--no-progress --native-tls --system-certs --offline --no-config --no-index --no-sources --no-build " +
      "--managed-python --no-managed-python --no-python-downloads",
  ),
]);

function kinds(kind: Kind, names: string): readonly (readonly [string, Kind])[] {
  return names.split(" ").map((name) => [name, kind] as const);
}

/** Reads the words after `uv sync`. `environment` has the assignments before it too. */
export function readUvSync(
  program: string,
  words: readonly string[],
  environment: ReadonlyMap<string, string>,
): InstallerReading {
  const obstacle = syncObstacle(environment);
  if (obstacle !== undefined) return { reason: obstacle };
  const chosen: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const [name, joined] = word.startsWith("--") ? splitOption(word) : [word.slice(0, 2), undefined];
    const kind = OPTIONS.get(name);
    const takesNext = kind?.endsWith("value") === true && joined === undefined && name === word;
    const all = words.slice(at, takesNext ? at + 2 : at + 1);
    if (kind === undefined || (kind.endsWith("flag") && name !== word)) return { reason: reasonFor(word, name) };
    if (name === "--link-mode" && all.some((part) => part.endsWith("symlink"))) return { reason: LINKS_TO_CACHE };
    if (kind.startsWith("chosen")) chosen.push(...all);
    if (takesNext) at += 1;
  }
  return {
    command: {
      tool: "uv sync",
      program: [program],
      compile: compiles(words, environment),
      indexOptions: [],
      chosen,
      breaksSystem: true,
      isSystem: false,
    },
  };
}

/** The last word counts, then the environment; undefined leaves it to uv's files. */
function compiles(words: readonly string[], environment: ReadonlyMap<string, string>): boolean | undefined {
  const last = words.findLast((word) => /^--(?:no-)?compile-bytecode$/.test(word));
  if (last !== undefined) return last === "--compile-bytecode";
  const set = environment.get("UV_COMPILE_BYTECODE");
  return set === undefined ? undefined : isOn(set);
}

function reasonFor(word: string, name: string): string {
  if (!word.startsWith("-")) return `\`${word}\` is no option of \`uv sync\``;
  return WHY_NOT.get(name) ?? `the option ${name} is not known to leave wheels as they are`;
}
