// SPDX-License-Identifier: Apache-2.0
import { digestOf, messageOf } from "../base/index.ts";
import type { LongCall } from "./facade.ts";

/** Shows `work` as one step to the call's listener; `log` adds lines to it. */
export async function withVertex<T>(
  call: LongCall,
  label: string,
  work: (log: (text: string) => void) => Promise<T>,
): Promise<T> {
  const { listener } = call;
  const id = digestOf(label);
  listener?.({ kind: "vertex", id, label, inputs: [], at: Date.now() });
  listener?.({ kind: "started", id, at: Date.now() });
  const log = (text: string): void => {
    const data = Buffer.from(text.endsWith("\n") ? text : `${text}\n`);
    listener?.({ kind: "log", id, stream: 1, data, at: Date.now() });
  };
  try {
    const result = await work(log);
    listener?.({ kind: "completed", id, at: Date.now() });
    return result;
  } catch (error) {
    listener?.({ kind: "failed", id, message: messageOf(error), at: Date.now() });
    throw error;
  }
}
