// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import type { HttpClient } from "../../http/index.ts";
import { isMembers, parseJson } from "../../oci/index.ts";

/** Where tokens are looked for. */
export interface TokenPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly http: Pick<HttpClient, "request">;
  readonly signal?: AbortSignal;
}

/** The OpenID token to sign with: SIGSTORE_ID_TOKEN, or that of the GitHub Actions job. Throws `E_KEYLESS`, `E_HTTP`. */
export async function findIdentityToken(place: TokenPlace): Promise<string> {
  const { SIGSTORE_ID_TOKEN: own = "", ACTIONS_ID_TOKEN_REQUEST_URL: url = "" } = place.env;
  if (own !== "") return own;
  const secret = place.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? "";
  if (url !== "" && secret !== "") return jobToken(place, url, secret);
  throw new TareError("E_KEYLESS", "signing without a key: there is no identity token", {
    hint: "set SIGSTORE_ID_TOKEN, give `--identity-token`, or in GitHub Actions the permission `id-token: write`",
  });
}

/** GitHub's own way (docs.github.com, "OpenID Connect reference"): the job asks with a secret of its own. */
async function jobToken({ http, signal }: TokenPlace, url: string, secret: string): Promise<string> {
  const target = new URL(url);
  target.searchParams.set("audience", "sigstore");
  const headers = { authorization: `Bearer ${secret}`, accept: "application/json" };
  const response = await http.request({ url: target.href, headers, ...(signal === undefined ? {} : { signal }) });
  const text = await response.text(1 << 20);
  const value = response.status === 200 ? parseJson(text, "answer with the token") : undefined;
  const token = isMembers(value) ? value["value"] : undefined;
  if (typeof token === "string" && token !== "") return token;
  throw new TareError("E_KEYLESS", `signing without a key: GitHub gives no token (status ${response.status})`, {
    hint: "the job needs the permission `id-token: write`",
  });
}
