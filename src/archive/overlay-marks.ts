// SPDX-License-Identifier: Apache-2.0

/** What comes after `trusted.overlay.` or `user.overlay.`, or undefined for another attribute. */
export function overlayMark(name: string): string | undefined {
  const match = /^(?:trusted|user)\.overlay\.?(.*)$/s.exec(name);
  return match?.[1];
}
