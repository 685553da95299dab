// SPDX-License-Identifier: Apache-2.0
export type { HttpClientOptions, HttpRequest, HttpResponse } from "./types.ts";
