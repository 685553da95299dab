// SPDX-License-Identifier: Apache-2.0
export { HttpClient } from "./client.ts";
export { retryAfter } from "./retry-after.ts";
export { resumedBody } from "./resumed-body.ts";
export { redactUrl, withoutCredentials } from "./url.ts";
export type { HttpClientOptions, HttpRequest, HttpResponse } from "./types.ts";
