// SPDX-License-Identifier: Apache-2.0

/** A URL's start with credentials: up to the last `@` before the path, or beyond it where a password has a raw `/`. */
const CREDENTIALS = /([a-z0-9+.-]{0,30}:\/\/)([^\s/?#]{0,4096}@|[^\s/?#@:]{0,4096}:(?!\d*(?:[\s/?#;]|$))\S{0,4096}@)/gi;

/**
 * The text with the user and password of every URL replaced by `****`, also where it is only part of the text. A mere
 * user name of `ssh://git@host` stays: it is no secret.
 */
export function redactUrls(text: string): string {
  return text.replace(CREDENTIALS, (whole, scheme: string, user: string) => {
    const isPlain = /^(?:.*\+)?ssh:\/\/$/i.test(scheme) && !user.includes(":");
    return isPlain ? whole : `${scheme}****@`;
  });
}
