// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { licenceOf } from "./debian.ts";
import { allOf, isExpression, licenceOfMetadata, licenceOfName } from "./licences.ts";

describe("names of licences", () => {
  it.each([
    ["GPL-2+", "GPL-2.0-or-later"],
    ["GPLv3+", "GPL-3.0-or-later"],
    ["GPL-2.0+", "GPL-2.0-or-later"],
    ["GPL-3.0-or-later", "GPL-3.0-or-later"],
    ["LGPL-2.1", "LGPL-2.1-only"],
    ["LGPLv3+_or_GPLv2+", "GPL-2.0-or-later OR LGPL-3.0-or-later"],
    ["GPL-1+ or Artistic", "Artistic-1.0-Perl OR GPL-1.0-or-later"],
    ["GPL-3+ with Bison exception", "GPL-3.0-or-later WITH Bison-exception-2.2"],
    ["Sleepycat and BSD-3-clause", "BSD-3-Clause AND Sleepycat"],
    ["BSD-3-clause or GPL-2 and Expat", "BSD-3-Clause OR (GPL-2.0-only AND MIT)"],
    ["Expat", "MIT"],
    ["The MIT License", "MIT"],
    ["Apache License 2.0", "Apache-2.0"],
    ["Apache License, Version 2.0", "Apache-2.0"],
    ["BSD-3-Clause", "BSD-3-Clause"],
    ["public-domain", "LicenseRef-public-domain"],
    ["GPL-3+ with curious exception", "LicenseRef-GPL-3-with-curious-exception"],
    ["£", "LicenseRef-unnamed"],
  ])("%s → %s", (name, expression) => {
    expect(licenceOfName(name)?.expression).toBe(expression);
  });

  it.each(["", "  ", "Permission to use, copy, modify, and distribute this software and its documentation is granted"])(
    "`%s` is no name",
    (text) => {
      expect(licenceOfName(text)).toBeUndefined();
    },
  );

  it("keeps what an unknown name was", () => {
    expect(licenceOfName("My Licence")).toEqual({
      expression: "LicenseRef-My-Licence",
      references: { "LicenseRef-My-Licence": "My Licence" },
    });
  });

  it("joins each licence once, lists without parentheses", () => {
    const names = ["GPL-2", "MIT and GPL-2", "MIT or BSD-2-clause"];
    const joined = allOf(names.flatMap((name) => licenceOfName(name) ?? []));
    expect(joined?.expression).toBe("(BSD-2-Clause OR MIT) AND GPL-2.0-only AND MIT");
    expect(allOf([])).toBeUndefined();
  });

  it("gives a valid expression for every name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 90 }), (name) => {
        const licence = licenceOfName(name);
        if (licence) expect(isExpression(licence.expression)).toBe(true);
      }),
    );
  });
});

describe("licences of a distribution's METADATA", () => {
  const read = (fields: Readonly<Record<string, readonly string[]>>): string | undefined =>
    licenceOfMetadata((name) => fields[name] ?? [])?.expression;
  const osi = (name: string): string => `License :: OSI Approved :: ${name}`;
  it.each([
    ["the expression first", { "License-Expression": ["MIT OR Apache-2.0"], License: ["BSD"] }, "MIT OR Apache-2.0"],
    [
      "an expression with a name of its own",
      { "License-Expression": ["LicenseRef-X AND MIT"] },
      "LicenseRef-X AND MIT",
    ],
    ["a classifier", { Classifier: ["Topic :: X", osi("MIT License")], License: ["see LICENSE"] }, "MIT"],
    ["two classifiers", { Classifier: [osi("MIT License"), osi("Apache Software License")] }, "Apache-2.0 AND MIT"],
    [
      "a classifier that names no licence",
      { Classifier: [osi("BSD License")], License: ["BSD 3-Clause"] },
      "BSD-3-Clause",
    ],
    [
      "a text",
      { License: ["a very long text that goes on and on, and says what may be done with it, or not"] },
      undefined,
    ],
    ["an expression as text", { License: ["MIT AND Zlib"] }, "MIT AND Zlib"],
    ["nothing", {}, undefined],
    ["UNKNOWN", { License: ["UNKNOWN"] }, undefined],
  ])("%s", (_, fields, expression) => {
    expect(read(fields as Readonly<Record<string, readonly string[]>>)).toBe(expression);
  });
});

describe("expressions", () => {
  it.each(["MIT", "MIT OR (GPL-2.0+ AND BSD-3-Clause)", "GPL-2.0-only WITH Classpath-exception-2.0", "((MIT))"])(
    "%s is one",
    (text) => expect(isExpression(text)).toBe(true),
  );
  it.each(["", "MIT OR", "(MIT", "MIT)", "MIT Apache-2.0", "AND", "MIT WITH", "BSD,MIT", "MIT or BSD"])(
    "%s is none",
    (text) => expect(isExpression(text)).toBe(false),
  );
});

describe("copyright files of Debian", () => {
  it("reads machine-readable ones", () => {
    const text = "Format: https://x\n\nFiles: *\nCopyright: me\nLicense: GPL-2+\n\nLicense: Expat\n Permission is …\n";
    expect(licenceOf(text)?.expression).toBe("GPL-2.0-or-later AND MIT");
  });
  it("takes the common licences that others refer to", () => {
    const text = "It is free. See /usr/share/common-licenses/LGPL-2.1, and `/usr/share/common-licenses/GPL-2'.";
    expect(licenceOf(text)?.expression).toBe("GPL-2.0-only AND LGPL-2.1-only");
  });
  it("guesses nothing", () => expect(licenceOf("Do what you want.")).toBeUndefined());
});
