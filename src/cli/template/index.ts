// SPDX-License-Identifier: Apache-2.0
import { evaluateTemplate } from "./evaluate.ts";
import { parseTemplate } from "./parser.ts";

/** A compiled `--format` template: data in, text out. */
export type Template = (data: unknown) => string;

/** Compiles a template of Go's text/template with Docker's functions. Throws `E_USAGE`. */
export function compileTemplate(template: string): Template {
  const nodes = parseTemplate(template);
  return (data) => evaluateTemplate(nodes, data);
}
