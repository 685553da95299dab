// SPDX-License-Identifier: Apache-2.0

/** The maps of published ports in the JSON of `nft`, as `map { key : value }`, that `rules` (adding elements) lacks. */
export function strayElements(json: string, rules: string): readonly string[] {
  const known = new Set(rules.split("\n").map((line) => line.replace(/^add element inet \S+ /, "")));
  return elementsIn(json).filter((element) => !known.has(element));
}

function elementsIn(json: string): readonly string[] {
  const document: unknown = JSON.parse(json);
  return listIn(document, "nftables").flatMap((entry) => {
    const map = fieldOf(entry, "map");
    const name = fieldOf(map, "name");
    return listIn(map, "elem").map((element) => `${String(name)} { ${pairText(element)} }`);
  });
}

/** `[{concat: […]}, {concat: […]}]`. */
function pairText(element: unknown): string {
  const [key, value] = Array.isArray(element) ? element : [];
  return `${concatText(key)} : ${concatText(value)}`;
}

function concatText(value: unknown): string {
  return listIn(value, "concat").map(String).join(" . ");
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const field = fieldOf(value, name);
  return Array.isArray(field) ? field : [];
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
