// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chompTabs,
  decodeText,
  expandWord,
  parseDuration,
  parseGitReference,
  parseInstruction,
  parseMount,
  parsePorts,
  printDockerfile,
  parseDockerfile,
  runScript,
} from "./index.ts";
import type { RunScript } from "./index.ts";

const same = (word: string): string => word;

describe("parseMount", () => {
  it.each([
    ["target=/a", { type: "bind", target: "/a", readonly: true }],
    ["type=bind,rw,dst=/a,from=b,src=/c", { readonly: false, from: "b", source: "/c" }],
    [
      "type=cache,destination=/a,id=x,sharing=locked,mode=0755,uid=1,gid=2",
      { type: "cache", readonly: false, id: "x", sharing: "locked", mode: 0o755, uid: 1, gid: 2 },
    ],
    ["type=cache,target=/a,ro=true", { readonly: true }],
    ["type=tmpfs,target=/a,size=64m", { size: 64 * 1024 ** 2, readonly: false }],
    ["type=secret,id=k,required,env=K,mode=0400", { required: true, env: "K", mode: 0o400 }],
    ["type=ssh", { type: "ssh", required: false }],
    ['type=bind,"target=/a,b"', { target: "/a,b" }],
    ["TYPE=Cache,target=/a", { type: "cache" }],
  ])("%s", (text, wanted) => {
    expect(parseMount(text, same)).toMatchObject(wanted);
  });

  it.each([
    ["type=bnd", 'unsupported mount type "bnd"'],
    ["type=bind,bind-propagation=evil", "unexpected key 'bind-propagation'"],
    ["target", "invalid field 'target' must be a key=value pair"],
    ["type=cache,sharing=x", 'unsupported sharing value "x"'],
    ["type=bind,mode=1", 'mode not allowed for "bind" type mounts'],
    ["type=tmpfs,uid=1", 'uid not allowed for "tmpfs" type mounts'],
    ["type=cache,mode=9", "invalid value 9 for mode"],
    ["type=cache,uid=4294967296", "invalid value 4294967296 for uid"],
    ["type=bind,size=1", "unexpected key 'size' for mount type 'bind'"],
    ["type=cache,required", "unexpected key 'required' for mount type 'cache'"],
    ["type=secret", "invalid secret mount. one of source, target required"],
    ["type=secret,src=a,id=b", "both source and id can't be set"],
    ["type=secret,id=a,from=b", "secret mount should not have a from"],
    ["type=bind,sharing=locked", "invalid cache sharing set for bind mount"],
    ['type="bind', "a quote stands inside"],
    ["type=bind,ro=maybe", "invalid value for ro: maybe"],
  ])("refuses %s", (text, message) => {
    expect(() => parseMount(text, same)).toThrow(message);
  });

  it("expands the values", () => {
    const mount = parseMount("type=cache,target=$T,uid=$U", (word) => expandWord(word, { T: "/t", U: "7" }).value);
    expect(mount).toMatchObject({ target: "/t", uid: 7 });
  });
});

describe("expandWord", () => {
  it("takes the escape character of the file", () => {
    expect(expandWord("C:\\a`$x $y", { y: "1" }, { escape: "`" }).value).toBe("C:\\a$x 1");
  });

  it("keeps what is not set when asked", () => {
    expect(expandWord("$a ${b:-c} ${d/e/f} $g", { g: "1" }, { keepUnset: true }).value).toBe("$a ${b:-c} ${d/e/f} 1");
  });

  it("leaves quotes alone in heredocs", () => {
    expect(expandWord(`"$a" 'x'`, { a: "1" }, { skipQuotes: true }).value).toBe(`"1" 'x'`);
  });

  it("keeps quotes and escapes when asked", () => {
    expect(expandWord(`"a\\"" b\\c`, {}, { rawQuotes: true, rawEscapes: true }).value).toBe(`"a\\"" b\\c`);
  });

  it("takes maps, and no inherited names", () => {
    expect(expandWord("$a$constructor", new Map([["a", "1"]])).value).toBe("1");
    expect(expandWord("$constructor", {}).unmatched).toEqual(new Set(["constructor"]));
  });

  it.each([
    ["a/b/c", "${v#*/}", "b/c"],
    ["a/b/c", "${v##*/}", "c"],
    ["a/b/c", "${v%/*}", "a/b"],
    ["a/b/c", "${v%%/*}", "a"],
    ["a/b/c", "${v/\\//-}", "a-b/c"],
    ["a/b/c", "${v//\\//-}", "a-b-c"],
    ["a\\b\\c", "${v%\\\\*}", "a\\b"],
  ])("%s %s", (v, word, wanted) => {
    expect(expandWord(word, { v }).value).toBe(wanted);
  });

  it("ends in time for hostile patterns", () => {
    const v = "a".repeat(20_000);
    const before = performance.now();
    expect(() => expandWord("${v//*a*b/x}", { v })).toThrow("too many steps");
    expect(expandWord("${v##*a*a*b}", { v }).value).toBe(v);
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it("gives back any text in single quotes", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        (text) => expandWord(`'${text.replaceAll("'", "")}'`, {}).value === text.replaceAll("'", ""),
      ),
    );
  });
});

describe("runScript", () => {
  const script = (text: string): RunScript => {
    const run = parseInstruction(text);
    if (run.kind !== "run") throw new Error("not a RUN");
    return runScript(run);
  };
  const shell = (command: string): RunScript => ({ kind: "command", command: { form: "shell", command } });

  it.each([
    ["RUN a b", shell("a b")],
    ["RUN <<E\na\nb\nE", shell("a\nb\n")],
    ["RUN <<-E\n\ta\n\tE", shell("a\n")],
    ["RUN <<E\n#!/bin/x\na\nE", { kind: "file", name: "E", content: "#!/bin/x\na\n" }],
    ["RUN cat <<E >f\na\nE", shell("cat <<E >f\na\nE")],
    ["RUN <<A cat <<B\n1\nA\n2\nB", shell("<<A cat <<B\n1\nA\n2\nB")],
  ] as const)("%j", (text, wanted) => {
    expect(script(text)).toEqual(wanted);
  });
});

describe("small readers", () => {
  it.each([
    ["0", 0],
    ["1h2m3.5s", 3723.5e9],
    ["10us", 1e4],
    ["-2ms", -2e6],
  ])("duration %s", (text, wanted) => {
    expect(parseDuration(text)).toBe(wanted);
  });

  it.each(["", "s", "5", "1x", "1h-2m", "9999999h"])("no duration %j", (text) => {
    expect(() => parseDuration(text)).toThrow("invalid duration");
  });

  it.each([
    ["80", ["80/tcp"]],
    ["80-82/UDP", ["80/udp", "81/udp", "82/udp"]],
    ["127.0.0.1:8080:80", ["80/tcp"]],
    ["[::1]:1:2/sctp", ["2/sctp"]],
  ])("port %s", (word, wanted) => {
    expect(parsePorts(word).ports).toEqual(wanted);
  });

  it.each(["99999", "80/udpp", "", "/tcp", "a", "9-8", "x:1:2", "300.1.1.1:1:2", "[::g]:1:2", "1-2:3-5"])(
    "no port %j",
    (word) => {
      expect(() => parsePorts(word)).toThrow(expect.objectContaining({ code: "E_DF_PORT" }));
    },
  );

  it("removes tabs at the beginning of lines only", () => {
    expect(chompTabs("\t\ta\tb\n c\n\td")).toBe("a\tb\n c\nd");
  });

  it("refuses UTF-16 and forgives other bytes", () => {
    expect(() => decodeText(Uint8Array.of(0xff, 0xfe, 70, 0), "D")).toThrow("the file is UTF-16");
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 70, 0xe9), "D")).toBe("F\ufffd");
  });

  it("does not take an option for a Git reference", () => {
    expect(parseGitReference("--upload-pack=x")).toBeUndefined();
    expect(parseGitReference("ext::sh -c x")).toBeUndefined();
    expect(parseGitReference("https://h/a.git#main:../../etc")).toMatchObject({ ref: "main", subdirectory: "etc" });
  });
});

const plainWord = fc.stringMatching(/^[a-zA-Z0-9$"'\\{}_.:/=,<\-[\]]{1,12}$/);
const line = fc.record({
  keyword: fc.constantFrom("RUN", "COPY", "ENV a=1", "LABEL", "ARG", "CMD", "ONBUILD RUN", "expose", "USER"),
  words: fc.array(plainWord, { minLength: 1, maxLength: 4 }),
  glue: fc.constantFrom(" ", " \\\n ", "  "),
});

describe("parse, print, parse", () => {
  it("gives the same tree", () => {
    const essence = (text: string): string => {
      const { stages, metaArgs, directives } = parseDockerfile(text);
      return JSON.stringify({ stages, metaArgs, directives }, (key, value: unknown) =>
        key === "location" ? undefined : value,
      );
    };
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const text = ["FROM x", ...lines.map(({ keyword, words, glue }) => [keyword, ...words].join(glue))].join("\n");
        let tree;
        try {
          tree = parseDockerfile(text);
        } catch {
          return;
        }
        expect(essence(printDockerfile(tree))).toBe(essence(text));
      }),
      { numRuns: 2000 },
    );
  });
});
