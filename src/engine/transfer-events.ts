// SPDX-License-Identifier: Apache-2.0
import { digestOf, hexOf, messageOf } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { TransferEvent, TransferListener, TransferOutcome } from "../images/index.ts";
import type { LongCall } from "./facade.ts";

/** Docker's words for what became of a layer. */
const OUTCOMES: Readonly<Record<TransferOutcome, string>> = {
  pushed: "Pushed",
  pulled: "Pull complete",
  copied: "Copied",
  exists: "Layer already exists",
  mounted: "Mounted from",
};

/** Shows a push or pull as one step: how far each layer is, and a line for each that is done. */
export async function withTransfer<T>(
  call: LongCall,
  label: string,
  work: (listener: TransferListener) => Promise<T>,
): Promise<T> {
  const { listener } = call;
  const id = digestOf(label);
  listener?.({ kind: "vertex", id, label, inputs: [], at: Date.now() });
  listener?.({ kind: "started", id, at: Date.now() });
  try {
    const result = await work((event) => show(call, id, event));
    listener?.({ kind: "completed", id, at: Date.now() });
    return result;
  } catch (error) {
    listener?.({ kind: "failed", id, message: messageOf(error), at: Date.now() });
    throw error;
  }
}

function show({ listener }: LongCall, id: Digest, event: TransferEvent): void {
  const name = hexOf(event.digest).slice(0, 12);
  const at = Date.now();
  if (event.kind === "progress") {
    const { current, total } = event;
    listener?.({ kind: "status", id, name, current, total: Math.max(total, total === 0 ? 0 : current), at });
  }
  if (event.kind !== "end") return;
  const { size, outcome, from } = event;
  if (outcome === "pushed" || outcome === "pulled" || outcome === "copied") {
    listener?.({ kind: "status", id, name, current: size, total: size, at });
  }
  const line = `${name}: ${OUTCOMES[outcome]}${from === undefined ? "" : ` ${from}`}\n`;
  listener?.({ kind: "log", id, stream: 1, data: Buffer.from(line), at });
}
