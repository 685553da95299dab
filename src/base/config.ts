// SPDX-License-Identifier: Apache-2.0
/**
 * The environment of this process, for what it starts and for proxies: the one place below the command line that
 * reads it. Settings of Tare itself come in as arguments.
 */
export function hostEnvironment(): Readonly<Record<string, string>> {
  const entries = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
