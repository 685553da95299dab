// SPDX-License-Identifier: Apache-2.0
/*
 * Names of licences as packages write them → expressions of SPDX's identifiers (SPDX 2.3 annex D). A name that is not
 * known becomes a `LicenseRef-` with the name as its text: nothing is guessed.
 */
import type { Licence } from "./types.ts";

/** By the name without case, `v`, spaces and trailing zeros of versions. */
const KNOWN: Readonly<Record<string, string>> = {
  "0bsd": "0BSD",
  agpl3: "AGPL-3.0-only",
  "agpl3+": "AGPL-3.0-or-later",
  apache2: "Apache-2.0",
  apachelicense2: "Apache-2.0",
  apachesoftwarelicense: "Apache-2.0",
  "apachelicense,version2": "Apache-2.0",
  artistic: "Artistic-1.0-Perl",
  artistic2: "Artistic-2.0",
  bsd2clause: "BSD-2-Clause",
  bsd3clause: "BSD-3-Clause",
  bsd4clause: "BSD-4-Clause",
  bsd4clauseuc: "BSD-4-Clause-UC",
  bsdlicense3clause: "BSD-3-Clause",
  "3clausebsd": "BSD-3-Clause",
  "3clausebsdlicense": "BSD-3-Clause",
  newbsd: "BSD-3-Clause",
  modifiedbsd: "BSD-3-Clause",
  boost1: "BSL-1.0",
  bsl1: "BSL-1.0",
  cc01: "CC0-1.0",
  cc0: "CC0-1.0",
  expat: "MIT",
  mit: "MIT",
  mitlicense: "MIT",
  themitlicense: "MIT",
  mitcmu: "MIT-CMU",
  hpnd: "HPND",
  x11: "X11",
  isc: "ISC",
  isclicense: "ISC",
  gfdl12: "GFDL-1.2-only",
  "gfdl12+": "GFDL-1.2-or-later",
  gfdl13: "GFDL-1.3-only",
  "gfdl13+": "GFDL-1.3-or-later",
  "gfdlniv13+": "GFDL-1.3-no-invariants-or-later",
  gfdlniv13: "GFDL-1.3-no-invariants-only",
  gpl1: "GPL-1.0-only",
  "gpl1+": "GPL-1.0-or-later",
  gpl2: "GPL-2.0-only",
  "gpl2+": "GPL-2.0-or-later",
  gpl3: "GPL-3.0-only",
  "gpl3+": "GPL-3.0-or-later",
  lgpl2: "LGPL-2.0-only",
  "lgpl2+": "LGPL-2.0-or-later",
  lgpl21: "LGPL-2.1-only",
  "lgpl21+": "LGPL-2.1-or-later",
  lgpl3: "LGPL-3.0-only",
  "lgpl3+": "LGPL-3.0-or-later",
  mpl11: "MPL-1.1",
  mpl2: "MPL-2.0",
  mozillapubliclicense2: "MPL-2.0",
  openssl: "OpenSSL",
  psf: "PSF-2.0",
  psf2: "PSF-2.0",
  psflicense: "PSF-2.0",
  pythonsoftwarefoundationlicense: "PSF-2.0",
  python2: "Python-2.0",
  unlicense: "Unlicense",
  unicodedfs2015: "Unicode-DFS-2015",
  unicodedfs2016: "Unicode-DFS-2016",
  wtfpl: "WTFPL",
  zlib: "Zlib",
  zpl21: "ZPL-2.1",
  fsfullr: "FSFULLR",
  fsful: "FSFUL",
  beerware: "Beerware",
  sleepycat: "Sleepycat",
  latex2e: "Latex2e",
  libpng: "Libpng",
  curl: "curl",
  bsd2: "BSD-2-Clause",
  bsd3: "BSD-3-Clause",
  bzip2: "bzip2-1.0.6",
  ccby3: "CC-BY-3.0",
  ccby4: "CC-BY-4.0",
  ccbysa3: "CC-BY-SA-3.0",
  ccbysa4: "CC-BY-SA-4.0",
};

const EXCEPTIONS: Readonly<Record<string, string>> = {
  bison: "Bison-exception-2.2",
  texinfo: "Texinfo-exception",
  autoconf: "Autoconf-exception-generic",
  "linux-syscall-note": "Linux-syscall-note",
  openssl: "openvpn-openssl-exception",
};

/** Trove classifiers (`License :: OSI Approved :: …`) that name one licence. */
const CLASSIFIERS: Readonly<Record<string, string>> = {
  "Academic Free License (AFL)": "AFL-3.0",
  "Apache Software License": "Apache-2.0",
  "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
  "GNU Affero General Public License v3": "AGPL-3.0-only",
  "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
  "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
  "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
  "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
  "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
  "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
  "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
  "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
  "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
  "Historical Permission Notice and Disclaimer (HPND)": "HPND",
  "ISC License (ISCL)": "ISC",
  "MIT License": "MIT",
  "MIT No Attribution License (MIT-0)": "MIT-0",
  "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
  "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
  "Python Software Foundation License": "PSF-2.0",
  "The Unlicense (Unlicense)": "Unlicense",
  "Universal Permissive License (UPL)": "UPL-1.0",
  "zlib/libpng License": "Zlib",
  "Zope Public License": "ZPL-2.1",
};

/** The longest name that is taken for one; more is a text. */
const LONGEST = 80;

/** A licence of a name: of one licence, or of several joined by `or` and `and`. Undefined for what is no name. */
export function licenceOfName(name: string): Licence | undefined {
  const text = name.trim().replaceAll(/\s+/g, " ");
  if (text === "" || text.length > LONGEST || text.split(" ").length > 8) return undefined;
  const whole = KNOWN[keyOf(text)];
  if (whole !== undefined) return plain(whole);
  const choices = text.split(/(?:\s|_)or(?:\s|_)/i);
  const parts = choices.map((choice) => joined(choice.split(/\s*,\s*(?:and\s+)?|\s+and\s+/i).map(simple), "AND"));
  return joined(parts, "OR");
}

function simple(name: string): Licence {
  const [, base = name, exception] = /^(.+?) with (\S+) exception$/i.exec(name) ?? [];
  const id = KNOWN[keyOf(base)];
  if (exception === undefined) return id === undefined ? unknown(name) : plain(id);
  const known = EXCEPTIONS[exception.toLowerCase()];
  return id === undefined || known === undefined ? unknown(name) : plain(`${id} WITH ${known}`);
}

/** `GPL-2.0+`, `GPLv2+` and `GPL 2 or later` are one. */
function keyOf(name: string): string {
  const text = name
    .toLowerCase()
    .replace(/[- ](?:or-later|or later)$/, "+")
    .replace(/[- ]only$/, "");
  const short = text.replaceAll(/(\d)\.0(?:\.0)?(?=\D|$)/g, "$1").replaceAll(/v(?=\d)/g, "");
  return short.replaceAll(/[\s._-]/g, "");
}

function plain(expression: string): Licence {
  return { expression, references: {} };
}

function unknown(name: string): Licence {
  const reference = `LicenseRef-${name.replaceAll(/[^A-Za-z0-9.-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "unnamed"}`;
  return { expression: reference, references: { [reference]: name } };
}

/** Licences that all hold; undefined for none. Each stands once, in order. */
export function allOf(licences: readonly Licence[]): Licence | undefined {
  const parts = licences.flatMap((licence) => {
    const isList = / AND /.test(licence.expression) && !/[()]| OR /.test(licence.expression);
    return isList ? licence.expression.split(" AND ").map((expression) => ({ ...licence, expression })) : [licence];
  });
  return parts.length === 0 ? undefined : joined(parts, "AND");
}

function joined(licences: readonly Licence[], operator: "AND" | "OR"): Licence {
  const distinct = new Map(licences.map((licence) => [licence.expression, licence]));
  const sorted = [...distinct.values()].toSorted((a, b) => (a.expression < b.expression ? -1 : 1));
  const [only] = sorted;
  if (only && sorted.length === 1) return only;
  const expression = sorted.map((part) =>
    / (?:AND|OR) /.test(part.expression) ? `(${part.expression})` : part.expression,
  );
  return {
    expression: expression.join(` ${operator} `),
    references: Object.assign({}, ...sorted.map(({ references }) => references)) as Licence["references"],
  };
}

/** The licence of a distribution by its METADATA: PEP 639's expression, then classifiers, then the free text. */
export function licenceOfMetadata(headers: (name: string) => readonly string[]): Licence | undefined {
  const [expression] = headers("License-Expression");
  if (expression !== undefined) return isExpression(expression) ? ofExpression(expression) : licenceOfName(expression);
  const classified = headers("Classifier").flatMap((text) => {
    const id = CLASSIFIERS[/^License :: OSI Approved :: (.+)$/.exec(text)?.[1] ?? ""];
    return id === undefined ? [] : [plain(id)];
  });
  if (classified.length > 0) return allOf(classified);
  const [text = ""] = headers("License");
  return text === "UNKNOWN"
    ? undefined
    : isExpression(text) && / (?:AND|OR|WITH) /.test(text)
      ? ofExpression(text)
      : licenceOfName(text);
}

/** Names of a valid expression that are nobody's but its own stand for themselves. */
function ofExpression(expression: string): Licence {
  const own = expression.match(/\bLicenseRef-[A-Za-z0-9.-]+/g) ?? [];
  return { expression, references: Object.fromEntries(own.map((name) => [name, name])) };
}

/** True for an expression by annex D's grammar; whether its identifiers are in the list is not asked. */
export function isExpression(text: string): boolean {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const term = (): boolean => {
    if (tokens[at] === "(") {
      at += 1;
      return list() && tokens[at++] === ")";
    }
    if (!isName(tokens[at++])) return false;
    if (tokens[at] !== "WITH") return true;
    at += 1;
    return isName(tokens[at++]);
  };
  const list = (): boolean => {
    if (!term()) return false;
    while (tokens[at] === "AND" || tokens[at] === "OR") {
      at += 1;
      if (!term()) return false;
    }
    return true;
  };
  return list() && at === tokens.length;
}

function isName(token: string | undefined): boolean {
  return token !== undefined && /^[A-Za-z0-9][A-Za-z0-9.-]*\+?$/.test(token) && !/^(?:AND|OR|WITH)$/.test(token);
}
