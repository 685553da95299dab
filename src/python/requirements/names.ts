// SPDX-License-Identifier: Apache-2.0

/** A distribution's, extra's or group's name as it is compared (PEP 503, PEP 685): `Scikit_Learn` is `scikit-learn`. */
export function normalizeName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

/** True for a name that a distribution may have (PEP 508). */
export function isName(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i.test(text);
}
