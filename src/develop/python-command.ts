// SPDX-License-Identifier: Apache-2.0
/*
 * Finds the Python program in the command of a container and puts a debugger in front of it. The forms that images have:
 *
 *     python [options] app.py …          the interpreter itself
 *     uvicorn app:app …                  a script whose first line names a Python
 *     tini -- python app.py              a wrapper in front
 *     docker-entrypoint.sh python app.py a shell script that ends in `exec "$@"`
 *     /bin/sh -c "exec uvicorn … $PORT"  one simple command for a shell; what follows the program stays as it is
 */
import { posix } from "node:path";
import { TareError } from "../base/index.ts";

/** A program of the image: where it is, and how its file begins. */
export interface FoundProgram {
  readonly path: string;
  readonly head: string;
}

/** Finds a program as the container would; undefined when there is none. */
export type LookUpProgram = (program: string) => FoundProgram | undefined;

/** What Python is asked to run. */
export interface PythonStart {
  /** As the command names it. */
  readonly python: string;
  /** Options of the interpreter. */
  readonly options: readonly string[];
  /** `app.py …`, `-m module …` or `-c code …`. */
  readonly program: readonly string[];
}

/** The words that stand in for a start: interpreter, debugger, program. */
export type Instead = (start: PythonStart) => readonly string[];

interface Rewriting {
  readonly look: LookUpProgram;
  readonly instead: Instead;
}

type Form = (words: readonly string[], rewriting: Rewriting) => readonly string[] | undefined;

const FORMS: readonly Form[] = [interpreter, shellLine, wrapper, pythonScript, shellScript];
const INTERPRETER = /^python(?:[23](?:\.\d+t?)?)?$/;
const SHELL = /^(?:sh|bash|dash|ash)$/;
const WRAPPER = /^(?:tini|tini-static|dumb-init|docker-init|catatonit|env|exec|nice|ionice|stdbuf|gosu|su-exec)$/;
/** Their first word is a user. */
const USER_FIRST = /^(?:gosu|su-exec)$/;

/** The same command with `instead` in place of the Python program. Throws `E_NOT_PYTHON` saying what it is instead. */
export function rewritePython(words: readonly string[], look: LookUpProgram, instead: Instead): readonly string[] {
  const found = rewrite(words, { look, instead });
  if (found) return found;
  throw notPython(`\`${words.join(" ")}\` starts no Python program`, HINT);
}

const HINT =
  "write what Python should run after the image's name: `tare run --debug IMAGE python app.py`, or give `--entrypoint`";

function rewrite(words: readonly string[], rewriting: Rewriting): readonly string[] | undefined {
  for (const form of FORMS) {
    const found = form(words, rewriting);
    if (found) return found;
  }
  return undefined;
}

function nameOf(words: readonly string[]): string {
  return posix.basename(words[0] ?? "");
}

function interpreter(words: readonly string[], { instead }: Rewriting): readonly string[] | undefined {
  const [python = "", ...rest] = words;
  if (!INTERPRETER.test(nameOf(words))) return undefined;
  const { options, program } = splitOptions(rest);
  if (program.length === 0 || program[0] === "-") {
    throw notPython(`\`${words.join(" ")}\` starts Python without a program`, HINT);
  }
  if (program[0] === "-m" && program[1] === "debugpy") {
    throw notPython("the command starts debugpy itself", "leave out `--debug` and publish its port with `-p`");
  }
  return instead({ python, options, program });
}

/** Python's own rules: letters may share a dash, `-c` and `-m` take the rest, `-W` and `-X` a word. */
function splitOptions(words: readonly string[]): Pick<PythonStart, "options" | "program"> {
  const options: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (word === "-" || !word.startsWith("-")) return { options, program: words.slice(at) };
    if (word === "--check-hash-based-pycs") options.push(word, words[(at += 1)] ?? "");
    else if (word.startsWith("--")) options.push(word);
    else {
      const [, flags = "", letter, glued = ""] = /^-([^cmWX]*)([cmWX])?(.*)$/s.exec(word) ?? [];
      if (flags !== "") options.push(`-${flags}`);
      const value = glued === "" && letter !== undefined ? words.slice((at += 1), at + 1) : [glued];
      if (letter === "c" || letter === "m") {
        return { options, program: [`-${letter}`, ...value, ...words.slice(at + 1)] };
      }
      if (letter !== undefined) options.push(`-${letter}`, ...value);
    }
  }
  return { options, program: [] };
}

/** `sh -c LINE`: the line's plain words up to the program are replaced, the rest of it (`$PORT`) stays. */
function shellLine(words: readonly string[], rewriting: Rewriting): readonly string[] | undefined {
  const [shell = "", option = "", line = "", ...more] = words;
  if (!SHELL.test(nameOf(words)) || !/^-[a-z]*c$/.test(option)) return undefined;
  const plain = /^\s*(?:[\w@%+=:,./-]+(?:\s+|$))*/.exec(line)?.[0] ?? "";
  const rest = line.slice(plain.length);
  const start = plain.trim().split(/\s+/).filter(Boolean);
  const isSimple = !/[;&|`\n()]|\$\(/.test(rest);
  const replaced = isSimple && start.length > 0 ? rewrite(start, rewriting) : undefined;
  if (replaced) {
    const first = replaced[0] === "exec" ? [] : ["exec"];
    const text = [...first, ...replaced.map(quoted)].join(" ");
    return [shell, option, rest === "" ? text : `${text} ${rest}`, ...more];
  }
  throw notPython(
    `the command is a line for a shell, \`${line.trim().slice(0, 200)}\`, which is not one call of Python`,
    'write CMD as a list (`CMD ["python", "app.py"]`), or the command after the image\'s name',
  );
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function wrapper(words: readonly string[], rewriting: Rewriting): readonly string[] | undefined {
  const name = nameOf(words);
  if (!WRAPPER.test(name)) return undefined;
  const isOwn = (word: string): boolean => word.startsWith("-") || (name === "env" && word.includes("="));
  const first = USER_FIRST.test(name) ? 2 : 1;
  const others = words.slice(first).findIndex((word) => !isOwn(word));
  const end = words.indexOf("--");
  const from = end > 0 ? end + 1 : others < 0 ? words.length : first + others;
  const rest = rewrite(words.slice(from), rewriting);
  return rest && [...words.slice(0, from), ...rest];
}

function pythonScript(words: readonly string[], rewriting: Rewriting): readonly string[] | undefined {
  const [script = "", ...rest] = words;
  const found = rewriting.look(script);
  const line = found && shebangOf(found.head);
  if (!found || !line || !INTERPRETER.test(nameOf(line))) return undefined;
  return interpreter([...line, found.path, ...rest], rewriting);
}

/** The first line's words without `env`; pip's and uv's way around long paths is a shell script that is Python too. */
function shebangOf(head: string): readonly string[] | undefined {
  const [first = "", second = ""] = head.split("\n");
  if (!first.startsWith("#!")) return undefined;
  const words = first.slice(2).trim().split(/\s+/);
  const long = /^'''exec' "?([^"\s]+)"? "\$0" "\$@"/.exec(second)?.[1];
  if (long !== undefined) return [long];
  if (nameOf(words) !== "env") return words;
  return words.slice(words[1] === "-S" ? 2 : 1);
}

/** An entry point like `docker-entrypoint.sh` runs what it is given. */
function shellScript(words: readonly string[], rewriting: Rewriting): readonly string[] | undefined {
  const [script = "", ...rest] = words;
  const found = rewriting.look(script);
  const line = found && shebangOf(found.head);
  if (!line || !SHELL.test(nameOf(line)) || rest.length === 0) return undefined;
  const replaced = rewrite(rest, rewriting);
  return replaced && [script, ...replaced];
}

function notPython(what: string, hint: string): TareError {
  return new TareError("E_NOT_PYTHON", `starting under the debugger: ${what}`, { hint, exitCode: 125 });
}
