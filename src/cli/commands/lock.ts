// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { lockText, staleError } from "../lock-text.ts";
import { usageError } from "../usage-error.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { LockRequest, LockResult } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare lock`. */
export const command: CommandBody = {
  usage: "[OPTIONS] [PATH]",
  description: [
    "Finds versions of all dependencies of a project that go together and writes them, with digests, sizes and",
    "addresses, to pylock.toml (PEP 751), from which builds take them. They are for the Python of the project's base:",
    "as it is in the base's image when that is here, else by its version alone; neither root nor an image is needed.",
    "Versions of the lock that is there are kept where they fit, and so are its options (Python, platform,",
    "accelerator, extras, groups) where none are given. With `--upgrade`, words without `/` are names of packages to",
    "move to their newest versions; without names all are. `--json` prints `file`, `python`, `platform`, `packages`,",
    "`changes`, `size`, `isCurrent`, `isWritten`, `problems` and `warnings`.",
  ].join(" "),
  count: { min: 0 },
  options: [
    {
      name: "output",
      short: "o",
      type: "string",
      description: "Name of the lock: `pylock.NAME.toml`",
      complete: "file",
    },
    { name: "python", type: "string", valueName: "version", description: "Python to lock for, as in `3.11`" },
    { name: "platform", type: "string", description: "Platform to lock for, as in `linux/arm64`" },
    { name: "universal", type: "boolean", description: "Lock for all platforms, and this Python or a newer one" },
    {
      name: "accelerator",
      type: "string",
      valueName: "name",
      description: "Builds of torch and its kin: `cpu`, `cu126`, `cu128`, `rocm6.3`, `auto`",
    },
    { name: "extra", type: "list", description: "Extra of pyproject.toml" },
    { name: "group", type: "list", description: "Dependency group of pyproject.toml" },
    { name: "upgrade", short: "U", type: "boolean", description: "Move to the newest versions: those named, or all" },
    { name: "upgrade-package", short: "P", type: "list", description: "Package to move to its newest version" },
    { name: "check", type: "boolean", description: "Write nothing; exit code 1 when the lock is not up to date" },
    { name: "json", type: "boolean", description: "Print the result as JSON" },
    { name: "quiet", short: "q", type: "boolean", description: "Print nothing but errors" },
    PROGRESS_OPTION,
  ],
  complete: ["directory"],
  examples: [
    { line: "tare lock", text: "lock the project of this folder" },
    { line: "tare lock --python 3.12 --accelerator cpu", text: "for Python 3.12, with torch for the CPU" },
    { line: "tare lock --upgrade numpy", text: "move numpy alone" },
    { line: "tare lock --check", text: "in CI: does the lock fit the requirements" },
  ],
  async run(context, parsed) {
    const request = lockRequest(context, parsed);
    const engine = await context.engine();
    const mode = parsed.boolean("quiet") ? "quiet" : progressMode(parsed.string("progress"), context.env);
    const result = await withProgress(context, { mode, title: "Locking" }, (call) =>
      engine.locks.lock({ ...request, ...call }),
    );
    return printResult(context, parsed, result);
  },
};

function lockRequest(context: CommandContext, parsed: ParsedArguments): LockRequest {
  const { paths, names } = wordsOf(parsed);
  const text = (name: string, key: string): object => {
    const value = parsed.string(name);
    return value === undefined ? {} : { [key]: value };
  };
  const isAll = parsed.boolean("upgrade") && names.length === 0;
  return {
    folder: resolve(context.cwd, paths[0] ?? "."),
    extras: parsed.list("extra"),
    groups: parsed.list("group"),
    isCheck: parsed.boolean("check"),
    ...text("output", "output"),
    ...text("python", "python"),
    ...text("platform", "platform"),
    ...text("accelerator", "accelerator"),
    ...(parsed.given("universal") ? { isUniversal: parsed.boolean("universal") } : {}),
    ...(isAll ? { upgrade: true } : names.length > 0 ? { upgrade: names } : {}),
  };
}

/** With `--upgrade` a word is a package unless it looks like a path. Throws `E_USAGE` for a second path. */
function wordsOf(parsed: ParsedArguments): { readonly paths: readonly string[]; readonly names: readonly string[] } {
  const isPath = (word: string): boolean => !parsed.boolean("upgrade") || /^\.{1,2}$|[/\\]/.test(word);
  const paths = parsed.positionals.filter(isPath);
  const names = [...parsed.list("upgrade-package"), ...parsed.positionals.filter((word) => !isPath(word))];
  if (paths.length > 1) {
    throw usageError(
      `\`tare lock\` takes one folder, there are ${paths.length}`,
      "packages to upgrade follow `--upgrade`",
    );
  }
  if (parsed.boolean("check") && (names.length > 0 || parsed.boolean("upgrade"))) {
    throw usageError("`--check` writes nothing, `--upgrade` changes the lock", "leave out one of them");
  }
  return { paths, names };
}

function printResult(context: CommandContext, parsed: ParsedArguments, result: LockResult): number {
  const isStale = parsed.boolean("check") && !result.isCurrent;
  if (parsed.boolean("json")) context.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  else if (isStale) throw staleError(result);
  else if (!parsed.boolean("quiet")) context.stdout.write(lockText(result));
  return isStale ? 1 : 0;
}
