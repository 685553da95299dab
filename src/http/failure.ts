// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError, messageOf, systemErrorCode } from "../base/index.ts";
import { redactUrl } from "./url.ts";

const TRANSIENT: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ERR_STREAM_PREMATURE_CLOSE",
]);

/** True for a failure that another attempt may not have. */
export function isTransient(error: unknown): boolean {
  if (isTareError(error)) return false;
  return TRANSIENT.has(systemErrorCode(error) ?? "") || /no data for|socket hang up|aborted/.test(messageOf(error));
}

/** An answer that never came, as an error that says what to do. */
export function connectionFailure(url: string, error: unknown): TareError {
  if (isTareError(error)) return error;
  const { why, hint } = explain(systemErrorCode(error) ?? "", messageOf(error));
  return new TareError("E_HTTP", `fetching ${redactUrl(url)}: ${why}`, { cause: error, hint });
}

function explain(code: string, message: string): { readonly why: string; readonly hint: string } {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return { why: "the host's name is not known here", hint: "check the address, the network and HTTPS_PROXY" };
  }
  if (code === "ECONNREFUSED") {
    return { why: "the connection was refused", hint: "check that the server runs and that the port is right" };
  }
  // An alert is what the other side says of us.
  if (/_ALERT_(?:CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|HANDSHAKE)/.test(code)) {
    return {
      why: `it wants a certificate of us that it trusts (${code})`,
      hint: "put yours and its key into `certs.d/HOST[:PORT]/` as client.cert and client.key",
    };
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ISSUER/.test(code)) {
    return {
      why: `its certificate is not trusted (${code})`,
      hint: "name the file of your authority's certificate in SSL_CERT_FILE",
    };
  }
  return { why: message, hint: "check the address, the network and the proxy settings" };
}
