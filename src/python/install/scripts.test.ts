// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { entryPointScript, parseScripts, withInterpreter } from "./scripts.ts";

const PYTHON = "/usr/local/bin/python3.11";

describe("parseScripts", () => {
  const good: readonly (readonly [string, string, readonly string[]])[] = [
    ["a console script", "[console_scripts]\ndemo = demo.cli:main\n", ["demo demo.cli main"]],
    ["a graphical one", "[gui_scripts]\ndemo = demo:App.run\n", ["demo demo App.run"]],
    ["extras after it", "[console_scripts]\ndemo = demo:main [fast,more]\n", ["demo demo main"]],
    ["extras at once", "[console_scripts]\ndemo=demo:main[fast]\n", ["demo demo main"]],
    ["other groups", "[pytest11]\nx = y\n[console_scripts]\na = b:c\n[z]\nd = e\n", ["a b c"]],
    ["comments and carriage returns", "# x\r\n[console_scripts]\r\n; y\r\na = b:c\r\n", ["a b c"]],
    ["the last of one name", "[console_scripts]\na = b:c\n[gui_scripts]\na = d:e\n", ["a d e"]],
    ["names of other letters", "[console_scripts]\nfoo-bar.baz = ünï.x_1:f\n", ["foo-bar.baz ünï.x_1 f"]],
    ["nothing", "", []],
  ];
  for (const [title, text, expected] of good) {
    it(title, () => {
      const found = parseScripts(text, "demo.whl");
      expect(found.map(({ name, module, attribute }) => `${name} ${module} ${attribute}`)).toEqual(expected);
    });
  }

  const bad: readonly (readonly [string, string])[] = [
    ["a path as name", "../x = demo:main"],
    ["an absolute path as name", "/usr/bin/python = demo:main"],
    ["a backslash in a name", "a\\b = demo:main"],
    ["the parent as name", ".. = demo:main"],
    ["an empty name", " = demo:main"],
    ["a NUL in a name", "a\0b = demo:main"],
    ["a carriage return in a name", "a\rb = demo:main"],
    ["an escape sequence in a name", "a\u001b[2Jb = demo:main"],
    ["no callable", "demo = demo"],
    ["no equals sign", "demo"],
    ["code for a module", "demo = os;import evil:main"],
    ["a call for a callable", "demo = os:system('x')"],
    ["code after the callable", "demo = os:main;evil"],
    ["a line separator in a module", "demo = os\u2028import x:main"],
    ["two colons", "demo = :main"],
    ["a number", "demo = 1x:main"],
    ["a quote", "demo = demo:ma'in"],
  ];
  for (const [title, line] of bad) {
    it(`refuses ${title}`, () => {
      expect(() => parseScripts(`[console_scripts]\n${line}\n`, "demo.whl")).toThrow(
        expect.objectContaining({ code: "E_WHEEL", message: expect.not.stringMatching(/\p{Cc}/u) as string }),
      );
    });
  }
});

describe("entryPointScript", () => {
  it("is what pip writes", () => {
    const text = entryPointScript({ name: "demo", module: "demo.cli", attribute: "App.run" }, PYTHON).toString();
    expect(text).toBe(
      [
        `#!${PYTHON}`,
        "# -*- coding: utf-8 -*-",
        "import re",
        "import sys",
        "from demo.cli import App",
        "if __name__ == '__main__':",
        "    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])",
        "    sys.exit(App.run())",
        "",
      ].join("\n"),
    );
  });

  it("is what uv writes", () => {
    const text = entryPointScript({ name: "demo", module: "demo.cli", attribute: "App.run" }, PYTHON, "uv").toString();
    expect(text).toBe(
      [
        `#!${PYTHON}`,
        "# -*- coding: utf-8 -*-",
        "import sys",
        "from demo.cli import App",
        'if __name__ == "__main__":',
        '    if sys.argv[0].endswith("-script.pyw"):',
        "        sys.argv[0] = sys.argv[0][:-11]",
        '    elif sys.argv[0].endswith(".exe"):',
        "        sys.argv[0] = sys.argv[0][:-4]",
        "    sys.exit(App.run())",
        "",
      ].join("\n"),
    );
  });

  it("starts an interpreter that no `#!` line can name by a shell", () => {
    const entry = { name: "demo", module: "demo", attribute: "main" };
    const [first, second] = entryPointScript(entry, "/opt/my python/bin/python").toString().split("\n");
    expect([first, second]).toEqual(["#!/bin/sh", `'''exec' "/opt/my python/bin/python" "$0" "$@"`]);
    expect(entryPointScript(entry, `/${"x".repeat(130)}`).toString()).toMatch(/^#!\/bin\/sh\n'''exec' \/x+ "\$0"/);
  });
});

describe("withInterpreter", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["#!python", "#!python\nprint(1)\n", `#!${PYTHON}\nprint(1)\n`],
    ["#!pythonw", "#!pythonw\nprint(1)\n", `#!${PYTHON}\nprint(1)\n`],
    ["its arguments go, as with pip", "#!python -u\nx\n", `#!${PYTHON}\nx\n`],
    ["only a first line", "#!python", `#!${PYTHON}\n`],
    ["another interpreter stays", "#!/usr/bin/env python\nx\n", "#!/usr/bin/env python\nx\n"],
    ["a shell script stays", "#!/bin/sh\nx\n", "#!/bin/sh\nx\n"],
    ["a program stays", "\u007fELF\0\0", "\u007fELF\0\0"],
    ["nothing stays", "", ""],
  ];
  for (const [title, content, expected] of cases) {
    it(title, () => expect(withInterpreter(Buffer.from(content), PYTHON).toString()).toBe(expected));
  }
});
