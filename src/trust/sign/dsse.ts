// SPDX-License-Identifier: Apache-2.0
/* DSSE (github.com/secure-systems-lab/dsse, protocol and envelope v1.0): what is signed is the type and the payload. */
import { TareError } from "../../base/index.ts";
import { isMembers } from "../../oci/index.ts";
import { IN_TOTO_TYPE } from "../attest/statement.ts";
import type { SigningKey, VerifyingKey } from "./keys.ts";

/** A signed payload. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly Buffer[];
}

/** The bytes that are signed. */
function preAuthenticationEncoding(type: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** Signs a statement. */
export function signStatement(key: Pick<SigningKey, "sign">, payload: Buffer): Envelope {
  const signature = key.sign(preAuthenticationEncoding(IN_TOTO_TYPE, payload));
  return { payloadType: IN_TOTO_TYPE, payload, signatures: [signature] };
}

/** True when one of the signatures is the key's. */
export function isSignedBy({ payloadType, payload, signatures }: Envelope, key: VerifyingKey): boolean {
  const bytes = preAuthenticationEncoding(payloadType, payload);
  return signatures.some((signature) => key.verify(bytes, signature));
}

/** The envelope's JSON. */
export function envelopeJson({ payloadType, payload, signatures }: Envelope): Readonly<Record<string, unknown>> {
  return {
    payload: payload.toString("base64"),
    payloadType,
    signatures: signatures.map((signature) => ({ sig: signature.toString("base64") })),
  };
}

/** Reads an envelope. Throws `E_SIGNATURE`. */
export function parseEnvelope(value: unknown): Envelope {
  if (!isMembers(value)) throw malformed("it is no object");
  const { payload, payloadType, signatures } = value;
  if (typeof payload !== "string" || typeof payloadType !== "string") throw malformed("it has no payload");
  if (!Array.isArray(signatures) || signatures.length === 0) throw malformed("it has no signature");
  const bytes = signatures.map((each: unknown) => {
    const sig = isMembers(each) ? each["sig"] : undefined;
    if (typeof sig !== "string") throw malformed("a signature is no text");
    return Buffer.from(sig, "base64");
  });
  return { payloadType, payload: Buffer.from(payload, "base64"), signatures: bytes };
}

function malformed(why: string): TareError {
  return new TareError("E_SIGNATURE", `reading a DSSE envelope: ${why}`);
}
