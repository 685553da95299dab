// SPDX-License-Identifier: Apache-2.0
/* Rows of the tables of options, one function a type. */
import type { OptionSpec } from "./command.ts";

type More = Omit<Partial<OptionSpec>, "name" | "type" | "description">;

/** True or false. */
export function flag(name: string, description: string, more: More = {}): OptionSpec {
  return { name, type: "boolean", description, ...more };
}

/** One value; the last counts. */
export function text(name: string, description: string, more: More = {}): OptionSpec {
  return { name, type: "string", description, ...more };
}

/** Any number of values. */
export function list(name: string, description: string, more: More = {}): OptionSpec {
  return { name, type: "list", description, ...more };
}

/** One that Docker has and Tare refuses, with the reason. */
export function refused(name: string, unsupported: string, type: OptionSpec["type"] = "list"): OptionSpec {
  return { name, type, description: "Not yet", unsupported };
}
