// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import { formatRequirement } from "./requirement.ts";
import { readRequirements } from "./requirements-file.ts";
import type { RequirementsFile, RequirementsReader } from "./types.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

const SHA = "a".repeat(64);

function reader(files: Files, kinds: Readonly<Record<string, "file" | "directory">> = {}): RequirementsReader {
  return {
    read: (path) => files[path],
    kind: (path) => kinds[path] ?? (files[path] === undefined ? undefined : "file"),
    env: { TOKEN: "s3cr3t", EMPTY: "", HOST: "example.org" },
    cwd: "/w",
  };
}

function read(text: string | Uint8Array, files: Files = {}): RequirementsFile {
  const kinds = { "/w": "directory", "/w/lib": "directory", "/w/a-1.0-py3-none-any.whl": "file" } as const;
  return readRequirements("r.txt", reader({ "/w/r.txt": text, ...files }, kinds));
}

/** Requirements as text, one a line. */
function shown(file: RequirementsFile): readonly string[] {
  return file.requirements.map((line) => {
    const { requirement, vcs, path, url } = line;
    const name = requirement === undefined ? `[${line.extras.join(",")}]` : formatRequirement(requirement);
    const place =
      vcs === undefined ? (path ?? url ?? "") : `${vcs.kind} ${vcs.url} ${vcs.ref ?? ""} ${vcs.subdirectory ?? ""}`;
    return `${line.editable ? "-e " : ""}${name} | ${place}`.trim();
  });
}

const LINES: readonly (readonly [string, readonly string[]])[] = [
  ["", []],
  ["# only\n   # comments\n\n", []],
  ["numpy # why\na @ https://h/x#egg=a", ["numpy |", "a @ https://h/x#egg=a | https://h/x"]],
  ["numpy\r\nscipy>=1\r\n", ["numpy |", "scipy>=1 |"]],
  ["num\\\npy \\\n >=1", ["numpy>=1 |"]],
  ["a \\\n# a comment ends it\nb", ["a |", "b |"]],
  ["a\\", ["a |"]],
  ["a ; python_version in '3.8 3.9'", ['a; python_version in "3.8 3.9" |']],
  ["a ; sys_platform == '--pre'", ['a; sys_platform == "--pre" |']],
  ["a[x]===1.0", ["a[x]===1.0 |"]],
  ["./lib", ["[] | /w/lib"]],
  [".", ["[] | /w"]],
  [".[dev, x]", ["[dev,x] | /w"]],
  ["-e .", ["-e [] | /w"]],
  ["-e .[dev]", ["-e [dev] | /w"]],
  ["--editable=./lib", ["-e [] | /w/lib"]],
  ["-e./lib", ["-e [] | /w/lib"]],
  ["file:./lib", ["[] | /w/lib"]],
  ["file:///srv/x%20y", ["[] | /srv/x y"]],
  ["a-1.0-py3-none-any.whl", ["a==1.0 | /w/a-1.0-py3-none-any.whl"]],
  ["./a-1.0-py3-none-any.whl[x] ; os_name=='nt'", ['a[x]==1.0; os_name == "nt" | /w/a-1.0-py3-none-any.whl']],
  ["https://h/t_c-2.0%2Bcu1-py3-none-any.whl", ["t-c==2.0+cu1 | https://h/t_c-2.0%2Bcu1-py3-none-any.whl"]],
  ["https://h/x;y.zip ; os_name=='nt'", ["[] | https://h/x;y.zip"]],
  ["https://h/x.tar.gz#egg=foo[b]", ["foo[b] | https://h/x.tar.gz"]],
  ["a @ https://h/x.zip ; os_name=='nt'", ['a @ https://h/x.zip ; os_name == "nt" | https://h/x.zip']],
  ["a @ https://h/x.zip;os_name=='nt'", ['a @ https://h/x.zip ; os_name == "nt" | https://h/x.zip']],
  ["a @ https://h/x;y.zip", ["a @ https://h/x;y.zip | https://h/x;y.zip"]],
  ["git+https://h/o/r.git@v1#egg=r&subdirectory=p/q", ["r | git https://h/o/r.git v1 p/q"]],
  ["git+ssh://git@h/o/r", ["[] | git ssh://git@h/o/r"]],
  ["r @ git+https://h/o/r@a/b", ["r @ git+https://h/o/r@a/b | git https://h/o/r a/b"]],
  ["-e git+https://h/r@1#egg=r", ["-e r | git https://h/r 1"]],
  ["-e hg+https://h/r#egg=r", ["-e r | hg https://h/r"]],
  ["a @ https://${HOST}/x.zip", ["a @ https://example.org/x.zip | https://example.org/x.zip"]],
  ["a @ https://h/${EMPTY}${NONE}$HOST", ["a @ https://h/${EMPTY}${NONE}$HOST | https://h/${EMPTY}${NONE}$HOST"]],
];

const BAD: readonly (readonly [string, RegExp])[] = [
  ["\n\nfoo=1", /`r\.txt:3`/],
  ["a\n\0", /line 2 has a NUL/],
  ["--hashes=sha256:x", /unknown option `--hashes`/],
  ["--pre=1", /takes no value/],
  ["-i", /needs a value/],
  ["--no", /ambiguous/],
  ["foo --hash=md5:aa", /`md5` is not one of/],
  ["foo --hash=sha256:aa", /not a sha256 digest/],
  ["foo --hash=x", /algorithm:digest/],
  ["foo --config-settings=x", /KEY=VALUE/],
  ['foo --global-option="x', /not closed/],
  ["./none", /no such file or folder/],
  ["./none.whl", /no such file/],
  ["bad.zip", /no such file/],
  ["https://h/bad.whl", /not the name of a wheel/],
  ["-e https://h/x.zip", /editable/],
  ["git+git@h:o/r.git", /column/],
  ["r @ git@h:o/r.git", /not a URL/],
  ["git+https://h/r#subdirectory=../x", /leads out/],
  ["-r none.txt", /`r\.txt:1`: no such file `none\.txt`/],
  ["-r r.txt", /includes itself/],
  ["a\n-c sub/c.txt", /`sub\/c\.txt:2`: a constraint can't be editable/],
  ["-c extra.txt", /can't have extras/],
  ["foo @ https://u:${TOKEN}@h/x y", /found `y`/],
];

describe("requirements files", () => {
  it.each(LINES)("`%s`", (text, lines) => {
    expect(shown(read(text))).toEqual(lines);
  });

  it.each(BAD)("refuses `%s`", (text, reason) => {
    const files = { "/w/sub/c.txt": "a<1\n-e .", "/w/extra.txt": "a[b]" };
    expect(() => read(text, files)).toThrow(reason);
    expect(() => read(text, files)).toThrow(expect.objectContaining({ code: "E_REQUIREMENTS" }));
    expect(() => read(text, files)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("s3cr3t") }),
    );
  });

  it("reads hashes over several lines, and the options of a requirement", () => {
    const file =
      read(`a==1 \\\n  --hash=sha256:${SHA} \\\n  --hash sha256:${SHA.toUpperCase()} \\\n  --hash=sha512:${SHA}${SHA} # end
b -C k=v --config-settings "k=w x" --global-option="--q"`);
    expect(file.requirements[0]).toMatchObject({ line: 1, hashes: { sha256: [SHA], sha512: [SHA + SHA] } });
    const options = { configSettings: { k: ["v", "w x"] }, globalOptions: ["--q"] };
    expect(file.requirements[1]).toMatchObject({ line: 5, options });
  });

  it("keeps the hash of a URL's fragment", () => {
    const file = read(`https://h/x.zip#sha256=${SHA}`);
    expect(file.requirements[0]).toMatchObject({ url: "https://h/x.zip", hashes: { sha256: [SHA] } });
  });

  it("finds an open quote in a long line at once", () => {
    const start = performance.now();
    expect(() => read(`a --global-option="${"x".repeat(50_000)}`)).toThrow(/not closed/);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("follows includes relative to their file, and says where each line stands", () => {
    const file = read("-r sub/a.txt\n-c=x\nlast".replace("-c=x", "--constraint sub/c.txt"), {
      "/w/sub/a.txt": "one\n-r ../b.txt\n-r https://u:p@h/r.txt",
      "/w/b.txt": "two",
      "/w/sub/c.txt": "three<3",
    });
    const places = [...file.requirements, ...file.constraints].map(({ file: name, line, text }) => [name, line, text]);
    expect(places).toEqual([
      ["sub/a.txt", 1, "one"],
      ["b.txt", 1, "two"],
      ["r.txt", 3, "last"],
      ["sub/c.txt", 1, "three<3"],
    ]);
    expect(file.remote).toEqual([{ file: "sub/a.txt", line: 3, kind: "requirements", url: "https://u:p@h/r.txt" }]);
    expect(file.files).toEqual(["/w/r.txt", "/w/sub/a.txt", "/w/b.txt", "/w/sub/c.txt"]);
  });

  it("takes the same file twice, but no cycle and no flood", () => {
    expect(shown(read("-r a.txt\n-r a.txt", { "/w/a.txt": "x" }))).toEqual(["x |", "x |"]);
    const cycle = { "/w/a.txt": "-r b.txt", "/w/b.txt": "\n-c a.txt" };
    expect(() => read("-r a.txt", cycle)).toThrow(/`b\.txt:2`: `a\.txt` includes itself/);
    const flood = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`/w/f${index}.txt`, `-r f${index + 1}.txt\n-r f${index + 1}.txt`]),
    );
    expect(() => read("-r f0.txt", { ...flood, "/w/f40.txt": "" })).toThrow(/more than 1000 files/);
  });

  it("gathers options with pip's rules", () => {
    const file = read(
      `--extra-index-url https://one/simple
--index-url=https://u:p@two/simple --trusted-host two
--extra-index-url https://three/simple
-f links --find-links https://four/
--no-binary :all:
--only-binary=A_b,c
--pre --prefer-binary --require-h
--use-feature=fast-deps`,
      { "/w/links": "" },
    );
    expect(file.options).toEqual({
      indexUrl: "https://u:p@two/simple",
      extraIndexUrls: ["https://three/simple"],
      noIndex: false,
      findLinks: ["/w/links", "https://four/"],
      noBinary: [":all:"],
      onlyBinary: ["a-b", "c"],
      preferBinary: true,
      requireHashes: true,
      pre: true,
      trustedHosts: ["two"],
      useFeatures: ["fast-deps"],
    });
    const none = read("-i https://a\n--no-index\n--pypi-url https://b --extra-index-url https://c").options;
    expect(none).toMatchObject({ noIndex: true, extraIndexUrls: [] });
    expect(none.indexUrl).toBeUndefined();
    expect(read("--no-binary a,b\n--only-binary b\n--no-binary :none:").options).toMatchObject({
      noBinary: [],
      onlyBinary: ["b"],
    });
  });

  it("says what pip ignores", () => {
    const file = read("a --pre\n--hash=sha256:aa\n-r b.txt stray https://u:p@h", { "/w/b.txt": "" });
    expect(file.warnings).toEqual([
      { file: "r.txt", line: 1, message: "`--pre` has no effect in this place" },
      { file: "r.txt", line: 2, message: "`--hash` has no effect in this place" },
      { file: "r.txt", line: 3, message: "`stray https://****@h` has no effect in this place" },
    ]);
  });

  it("shows lines without credentials and without what variables hold", () => {
    const [line] = read("a @ https://me:${TOKEN}@h/a.zip").requirements;
    expect(line?.url).toBe("https://me:s3cr3t@h/a.zip");
    expect(line?.text).toBe("a @ https://****@h/a.zip");
  });

  it.each([
    ["UTF-8 with mark", Buffer.from("\ufeffnumpy", "utf8")],
    ["UTF-16", Buffer.from("\ufeffnumpy", "utf16le")],
    ["UTF-16 big-endian", Buffer.from("\ufeffnumpy", "utf16le").swap16()],
    [
      "UTF-32",
      Buffer.from("\ufeff n u m p y".replaceAll(" ", ""), "utf16le").reduce<number[]>(
        (all, byte, index) => [...all, byte, ...(index % 2 === 1 ? [0, 0] : [])],
        [],
      ),
    ],
    ["latin-1 by comment", Buffer.from("# -*- coding: latin-1 -*-\nnumpy # \xe9", "latin1")],
  ])("decodes %s", (_, bytes) => {
    expect(shown(read(Uint8Array.from(bytes)))).toEqual(["numpy |"]);
  });

  it("refuses what is not text in its encoding", () => {
    expect(() => read(Buffer.from("a\n# \xe9", "latin1"))).toThrow(/line 2 is not utf-8 text/);
    expect(() => read("# coding: klingon\n")).not.toThrow();
    expect(() => read(Buffer.from("# coding: klingon\n"))).toThrow(/unknown encoding/);
  });

  it("tells a path by its look where it can't ask", () => {
    const blind: RequirementsReader = {
      read: () => "./x[dev]\nlib/y\nz.whl.txt\n../b-1-py3-none-any.whl\n-e here",
      env: {},
      cwd: "/w",
    };
    expect(shown(readRequirements("r.txt", blind))).toEqual([
      "[dev] | /w/x",
      "[] | /w/lib/y",
      "z-whl-txt |",
      "b==1 | /b-1-py3-none-any.whl",
      "-e [] | /w/here",
    ]);
  });

  it("never fails but with its own error", () => {
    const words = fc.constantFrom(
      "a",
      "-e",
      "-r",
      "--hash=",
      "@",
      ";",
      "https://u:p@h/x",
      "git+https://h",
      ".",
      "'",
      '"',
      "\\",
      "\n",
      "#",
      " ",
      "==1",
      "[x]",
      "${TOKEN}",
      "\0",
      "-",
      "--",
      "=",
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 12 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (content) => {
        try {
          read(content);
        } catch (error) {
          expect(isTareError(error, "E_REQUIREMENTS")).toBe(true);
          expect(String(error)).not.toContain("u:p@");
        }
      }),
      { numRuns: 1000 },
    );
  });
});
