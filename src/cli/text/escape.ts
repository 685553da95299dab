// SPDX-License-Identifier: Apache-2.0
/** Makes control characters visible (`\x1b`, `\r`), so that text from outside cannot move the cursor; keeps `\n`, `\t`. */
export function escapeControls(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    if (character === "\r") return "\\r";
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** The same for a text that must stay on one line. */
export function escapeLine(text: string): string {
  return escapeControls(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

const ESCAPE_SEQUENCE =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_](?:[^\u0007\u001b]|\u001b(?!\\))*(?:\u0007|\u001b\\|$)|[ -/]*[0-~]|$)|\u009b[0-?]*[ -/]*[@-~]/g;

/** Removes escape sequences and other control characters; tabs become spaces up to the next eighth column. */
export function plainText(line: string): string {
  const clean = line.replaceAll(ESCAPE_SEQUENCE, "").replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, "");
  if (!clean.includes("\t")) return clean;
  let out = "";
  for (const part of clean.split("\t")) out = out === "" && part === "" ? " ".repeat(8) : padTab(out + part);
  return out.trimEnd();
}

function padTab(text: string): string {
  return text + " ".repeat(8 - (text.length % 8));
}
