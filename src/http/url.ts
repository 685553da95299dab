// SPDX-License-Identifier: Apache-2.0

/** A URL without user name, password, query and fragment, fit for a message. */
export function redactUrl(url: string): string {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.protocol}//${parsed.host}${parsed.pathname}` : "the URL";
}

/** A URL without user name and password; everything else stays. */
export function withoutCredentials(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed) return url;
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}
