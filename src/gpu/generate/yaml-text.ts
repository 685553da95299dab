// SPDX-License-Identifier: Apache-2.0
/* The library is loaded with this file, when something is written in YAML. */
import { stringify } from "yaml";

/** Readers of CDI take it for YAML 1.1, where an unquoted `0:1` is a number. */
export function yamlText(value: object): string {
  return stringify(value, { version: "1.1", aliasDuplicateObjects: false, lineWidth: 0 });
}
