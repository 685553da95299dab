// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import { rewritePython } from "./python-command.ts";
import type { LookUpProgram } from "./python-command.ts";

const FILES: Readonly<Record<string, readonly [path: string, head: string]>> = {
  uvicorn: ["/usr/local/bin/uvicorn", "#!/usr/local/bin/python3.11\nimport sys\n"],
  flask: ["/venv/bin/flask", "#!/usr/bin/env python3\n"],
  "./app.py": ["/app/app.py", "#!/usr/bin/env -S python3 -u\n"],
  long: ["/x/long", "#!/bin/sh\n'''exec' \"/a/very/long/python\" \"$0\" \"$@\"\n' '''\n"],
  "entry.sh": ["/entry.sh", '#!/bin/sh\nexec "$@"\n'],
  nginx: ["/usr/sbin/nginx", "\u007fELF"],
};
const look: LookUpProgram = (program) => {
  const found = Object.hasOwn(FILES, program) ? FILES[program] : undefined;
  return found && { path: found[0], head: found[1] };
};
const rewritten = (words: readonly string[]): readonly string[] =>
  rewritePython(words, look, ({ python, options, program }) => [python, ...options, "DBG", ...program]);

const GOOD: readonly (readonly [name: string, words: readonly string[], expected: readonly string[]])[] = [
  ["a file", ["python", "app.py", "-x", "1"], ["python", "DBG", "app.py", "-x", "1"]],
  ["a version and a path", ["/usr/bin/python3.11", "app.py"], ["/usr/bin/python3.11", "DBG", "app.py"]],
  ["options", ["python", "-u", "-X", "dev", "-Wd", "a.py"], ["python", "-u", "-X", "dev", "-W", "d", "DBG", "a.py"]],
  ["a module", ["python", "-m", "pkg.mod", "-m", "x"], ["python", "DBG", "-m", "pkg.mod", "-m", "x"]],
  ["a module behind a flag", ["python", "-um", "pkg"], ["python", "-u", "DBG", "-m", "pkg"]],
  ["a glued module", ["python", "-mpkg", "a"], ["python", "DBG", "-m", "pkg", "a"]],
  ["code", ["python3", "-c", "print(1)", "a"], ["python3", "DBG", "-c", "print(1)", "a"]],
  [
    "a script",
    ["uvicorn", "a:b", "--port", "1"],
    ["/usr/local/bin/python3.11", "DBG", "/usr/local/bin/uvicorn", "a:b", "--port", "1"],
  ],
  ["a script by env", ["flask", "run"], ["python3", "DBG", "/venv/bin/flask", "run"]],
  ["a script by env -S", ["./app.py"], ["python3", "-u", "DBG", "/app/app.py"]],
  ["a script with a long interpreter", ["long", "x"], ["/a/very/long/python", "DBG", "/x/long", "x"]],
  ["tini", ["tini", "-g", "--", "python", "a.py"], ["tini", "-g", "--", "python", "DBG", "a.py"]],
  ["env", ["env", "A=1", "python", "a.py"], ["env", "A=1", "python", "DBG", "a.py"]],
  ["gosu", ["gosu", "app", "python", "a.py"], ["gosu", "app", "python", "DBG", "a.py"]],
  [
    "an entry point",
    ["entry.sh", "uvicorn", "a:b"],
    ["entry.sh", "/usr/local/bin/python3.11", "DBG", "/usr/local/bin/uvicorn", "a:b"],
  ],
  ["a shell line", ["/bin/sh", "-c", "python app.py"], ["/bin/sh", "-c", "exec python DBG app.py"]],
  ["a shell line with exec", ["sh", "-c", "exec python app.py"], ["sh", "-c", "exec python DBG app.py"]],
  [
    "a shell line with a variable",
    ["/bin/sh", "-c", "uvicorn a:b --port $PORT"],
    ["/bin/sh", "-c", "exec /usr/local/bin/python3.11 DBG /usr/local/bin/uvicorn a:b --port $PORT"],
  ],
  ["a shell line with quotes", ["sh", "-c", "python a.py 'x y'"], ["sh", "-c", "exec python DBG a.py 'x y'"]],
];

const BAD: readonly (readonly [name: string, words: readonly string[], says: RegExp])[] = [
  ["another program", ["nginx", "-g", "daemon off;"], /starts no Python program/],
  ["nothing of that name", ["missing"], /starts no Python program/],
  ["the interpreter alone", ["python"], /without a program/],
  ["standard input", ["python", "-"], /without a program/],
  ["two commands", ["sh", "-c", "cd /app && python app.py"], /a line for a shell/],
  ["a pipe", ["sh", "-c", "python app.py | tee log"], /a line for a shell/],
  ["a substitution", ["sh", "-c", "python app.py $(cat args)"], /a line for a shell/],
  ["debugpy itself", ["python", "-m", "debugpy", "--listen", "1", "a.py"], /debugpy itself/],
];

describe("putting a debugger in front of a Python program", () => {
  it.each(GOOD)("%s", (_name, words, expected) => expect(rewritten(words)).toEqual(expected));

  it.each(BAD)("refuses %s", (_name, words, says) => {
    expect(() => rewritten(words)).toThrowError(
      expect.objectContaining({ code: "E_NOT_PYTHON", message: expect.stringMatching(says) }),
    );
  });

  it("never drops or changes the words of a program", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (args) => {
        expect(rewritten(["python", "app.py", ...args])).toEqual(["python", "DBG", "app.py", ...args]);
      }),
    );
  });

  it("answers any command with words or with one error", () => {
    const word = fc.oneof(
      fc.constantFrom(...Object.keys(FILES), "python", "sh", "-c", "-m", "--", "tini", "env"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        try {
          expect(rewritten(words)).toContain("DBG");
        } catch (error) {
          if (!isTareError(error, "E_NOT_PYTHON")) throw error;
        }
      }),
    );
  });
});
