// SPDX-License-Identifier: Apache-2.0
import type { Decision, ProjectReader } from "./types.ts";

/** A found entry point and the ports it listens on. */
export interface FoundCommand extends Decision<readonly string[]> {
  readonly ports: readonly string[];
}

/** Files that start a program, most telling name first. */
const CANDIDATES = [
  "main.py",
  "app.py",
  "server.py",
  "api.py",
  "serve.py",
  "run.py",
  "inference.py",
  "train.py",
  "cli.py",
];

/** Frameworks whose applications another program serves: what their source says, and what starts them. */
const SERVERS: readonly {
  readonly name: string;
  readonly source: RegExp;
  readonly needs: readonly string[];
  readonly port: string;
  readonly command: (module: string, variable: string, file: string) => readonly string[];
}[] = [
  {
    name: "FastAPI",
    source: /^(\w+)\s*(?::[^=\n]+)?=\s*(?:fastapi\.)?FastAPI\(/m,
    needs: ["uvicorn"],
    port: "8000",
    command: (module, variable) => ["uvicorn", `${module}:${variable}`, "--host", "0.0.0.0", "--port", "8000"],
  },
  {
    name: "Flask",
    source: /^(\w+)\s*(?::[^=\n]+)?=\s*(?:flask\.)?Flask\(/m,
    needs: ["gunicorn"],
    port: "8000",
    command: (module, variable) => ["gunicorn", "--bind", "0.0.0.0:8000", `${module}:${variable}`],
  },
  {
    name: "Flask",
    source: /^(\w+)\s*(?::[^=\n]+)?=\s*(?:flask\.)?Flask\(/m,
    needs: ["flask"],
    port: "8000",
    command: (module, variable) => [
      "flask",
      "--app",
      `${module}:${variable}`,
      "run",
      "--host",
      "0.0.0.0",
      "--port",
      "8000",
    ],
  },
  {
    name: "Streamlit",
    source: /^(?:import streamlit|from streamlit)\b()/m,
    needs: ["streamlit"],
    port: "8501",
    command: (_module, _variable, file) => ["streamlit", "run", file, "--server.address", "0.0.0.0"],
  },
];

/** What starts the project, by its scripts and files. `has` tells whether a distribution is among the dependencies. */
export function findCommand(
  reader: ProjectReader,
  facts: { readonly scripts: readonly string[]; readonly packageName: string; readonly has: (name: string) => boolean },
): FoundCommand | undefined {
  for (const file of CANDIDATES) {
    const source = reader.read(file);
    if (source === undefined) continue;
    return served(file, source, facts.has) ?? { value: ["python", file], reason: `${file} is there`, ports: [] };
  }
  for (const root of [facts.packageName, `src/${facts.packageName}`]) {
    if (reader.read(`${root}/__main__.py`) === undefined) continue;
    return { value: ["python", "-m", facts.packageName], reason: `${root}/__main__.py is there`, ports: [] };
  }
  const inPackage = ["app/main.py", `${facts.packageName}/main.py`, `src/${facts.packageName}/main.py`];
  for (const file of inPackage) {
    const source = reader.read(file);
    const found = source === undefined ? undefined : served(file, source, facts.has);
    if (found) return found;
  }
  return undefined;
}

function served(file: string, source: string, has: (name: string) => boolean): FoundCommand | undefined {
  for (const server of SERVERS) {
    const match = server.source.exec(source);
    if (!match || !server.needs.every(has)) continue;
    const module = file
      .replace(/\.py$/, "")
      .replace(/^src\//, "")
      .replaceAll("/", ".");
    return {
      value: server.command(module, match[1] ?? "", file),
      reason: `${file} makes a ${server.name} application`,
      ports: [server.port],
    };
  }
  return undefined;
}
