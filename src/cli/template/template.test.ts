// SPDX-License-Identifier: Apache-2.0
import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import { compileTemplate } from "./index.ts";

const DATA = {
  Id: "sha256:abc",
  Name: "/web",
  Size: 1234,
  Empty: "",
  Nothing: null,
  Config: { Cmd: ["python", "app.py"], Env: ["A=1", "B=2"], Labels: { b: "2", a: "1" }, Tty: false },
  Mounts: [
    { Source: "/a", RW: true },
    { Source: "/b", RW: false },
  ],
};

const GOOD: readonly (readonly [string, string])[] = [
  ["plain", "plain"],
  ["{{.Id}}", "sha256:abc"],
  ["{{ .Config.Tty }}", "false"],
  ["{{.ID}}", "sha256:abc"],
  ["{{.Config.Cmd}}", "[python app.py]"],
  ["{{.Config.Labels}}", "map[a:1 b:2]"],
  ["{{.Nothing}}", "<nil>"],
  ["{{json .Config.Cmd}}", '["python","app.py"]'],
  ["{{json .}}", JSON.stringify(DATA)],
  ["{{.Config.Cmd | json}}", '["python","app.py"]'],
  ["{{index .Config.Cmd 1}}", "app.py"],
  ['{{index .Config.Labels "a"}}', "1"],
  ["{{(index .Mounts 0).Source}}", "/a"],
  ['{{index .Config.Labels "none"}}', ""],
  ["{{range .Config.Env}}{{.}};{{end}}", "A=1;B=2;"],
  ["{{range $i, $e := .Config.Env}}{{$i}}={{$e}} {{end}}", "0=A=1 1=B=2 "],
  ["{{range $k, $v := .Config.Labels}}{{$k}}{{$v}}{{end}}", "a1b2"],
  ["{{range .Nothing}}x{{else}}none{{end}}", "none"],
  ["{{range .Mounts}}{{if .RW}}{{.Source}}{{else}}-{{end}}{{end}}", "/a-"],
  ['{{range .Config.Env}}{{if eq . "B=2"}}{{break}}{{end}}{{.}}{{end}}', "A=1"],
  ['{{range .Config.Env}}{{if eq . "A=1"}}{{continue}}{{end}}{{.}}{{end}}', "B=2"],
  ["{{range .Config.Env}}{{.}}{{break}}{{end}}", "A=1"],
  ["{{if .Absent}}a{{else if .Id}}b{{else}}c{{end}}", "b"],
  ["{{if and .Id (not .Empty)}}yes{{end}}", "yes"],
  ["{{with .Config}}{{.Tty}} {{$.Id}}{{end}}", "false sha256:abc"],
  ["{{with .Absent}}x{{else}}y{{end}}", "y"],
  ["{{$x := .Id}}{{$x}}", "sha256:abc"],
  ["{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2"],
  ["{{println .Id}}", "sha256:abc\n"],
  ['{{print "a" 1 2 "b"}}', "a1 2b"],
  ['{{printf "%-5s|%3d|%05.1f" "ab" 7 3.14159}}', "ab   |  7|003.1"],
  ['{{join .Config.Env ","}}', "A=1,B=2"],
  ['{{range split "a,b" ","}}[{{.}}]{{end}}', "[a][b]"],
  ["{{upper .Id | lower}}", "sha256:abc"],
  ["{{slice .Name 1}}", "web"],
  ["{{len .Config.Env}}", "2"],
  ["{{truncate .Id 6}}", "sha256"],
  ["{{pad .Id 1 2}}|", " sha256:abc  |"],
  ['{{"a\\tb"}}{{`raw\\t`}}', "a\tbraw\\t"],
  ["a {{- .Id -}} b", "asha256:abcb"],
  ["{{/* note */}}x", "x"],
  ["{{gt .Size 1000}} {{eq .Size 1 1234}}", "true true"],
  ['{{"}}"}}', "}}"],
];

describe("templates", () => {
  it.each(GOOD)("runs %s", (template, expected) => {
    expect(compileTemplate(template)(DATA)).toBe(expected);
  });

  const bad: readonly (readonly [string, string | RegExp])[] = [
    ["{{.Ids}}", "no field `Ids`"],
    ["{{.Nothing.X}}", "no field `X` in nothing"],
    ["{{.Id", "unclosed action"],
    ["{{if .Id}}x", "no `{{end}}`"],
    ["{{end}}", "unexpected `{{end}}`"],
    ["{{jsn .}}", "function `jsn` is not defined"],
    ["{{.Id .Name}}", "has arguments"],
    ["{{index .Config.Cmd 9}}", "index 9 of a list of 2"],
    ["{{$y}}", "undefined variable `$y`"],
    ["{{}}", "missing value"],
    ["{{(.Id}}", "missing `)`"],
    ["{{break}}", "outside of `range`"],
    ['{{template "x"}}', "not supported"],
    ["{{.Id | }}", "missing value"],
    ["{{#}}", "unexpected `#`"],
  ];
  it.each(bad)("refuses %s", (template, message) => {
    expect(() => compileTemplate(template)(DATA)).toThrow(message);
  });

  it("suggests the field that was meant", () => {
    expect(() => compileTemplate("{{.Nane}}")(DATA)).toThrow(
      expect.objectContaining({ hint: "did you mean `.Name`?" }),
    );
  });

  it("never fails in another way, whatever the template", () => {
    const pieces = [
      "{{",
      "}}",
      ".Id",
      ".",
      "range",
      "if",
      "end",
      "else",
      " ",
      "$x",
      ":=",
      "(",
      ")",
      "|",
      '"',
      "json",
      "-",
      "1",
    ];
    assert(
      property(array(constantFrom(...pieces), { maxLength: 14 }), (parts) => {
        try {
          compileTemplate(parts.join(""))(DATA);
        } catch (error) {
          if (!isTareError(error, "E_USAGE")) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
