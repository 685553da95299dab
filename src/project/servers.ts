// SPDX-License-Identifier: Apache-2.0
/* Frameworks whose applications are served: how their source shows it, and what starts them. */

/** An application found in a file. */
export interface FoundApplication {
  /** Dotted name for imports. */
  readonly module: string;
  /** The application's variable, or the function that makes it. */
  readonly variable: string;
  readonly isFactory: boolean;
  /** Relative to the project. */
  readonly file: string;
}

/** One way to start applications of a framework. */
interface Server {
  /** Distribution that must be installed. */
  readonly needs: string;
  readonly port: string;
  readonly command: (app: FoundApplication) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A framework. */
export interface Framework {
  readonly name: string;
  /** Its source imports it. */
  readonly imports: RegExp;
  /** Finds the variable (group 1); without one, the file itself is the application. */
  readonly application?: RegExp;
  /** Best first. */
  readonly servers: readonly Server[];
}

const ASGI: readonly Server[] = [
  {
    needs: "uvicorn",
    port: "8000",
    command: ({ module, variable, isFactory }) => [
      "uvicorn",
      `${module}:${variable}`,
      ...(isFactory ? ["--factory"] : []),
      "--host",
      "0.0.0.0",
      "--port",
      "8000",
    ],
  },
  {
    needs: "hypercorn",
    port: "8000",
    command: ({ module, variable, isFactory }) => [
      "hypercorn",
      "--bind",
      "0.0.0.0:8000",
      `${module}:${variable}${isFactory ? "()" : ""}`,
    ],
  },
];

const GUNICORN: Server = {
  needs: "gunicorn",
  port: "8000",
  command: ({ module, variable, isFactory }) => [
    "gunicorn",
    "--bind",
    "0.0.0.0:8000",
    `${module}:${variable}${isFactory ? "()" : ""}`,
  ],
};

function script(needs: string, port: string, env: Readonly<Record<string, string>>): Server {
  return { needs, port, env, command: ({ file }) => ["python", file] };
}

function made(by: string): RegExp {
  return new RegExp(`^(\\w+)\\s*(?::[^=\\n]+)?=\\s*(?:\\w+\\.)?${by}\\(`, "m");
}

/** In the order in which a file is asked: what builds on another one stands before it. */
export const FRAMEWORKS: readonly Framework[] = [
  { name: "FastAPI", imports: /^\s*(?:from|import) fastapi\b/m, application: made("FastAPI"), servers: ASGI },
  { name: "Litestar", imports: /^\s*(?:from|import) litestar\b/m, application: made("Litestar"), servers: ASGI },
  { name: "Starlette", imports: /^\s*(?:from|import) starlette\b/m, application: made("Starlette"), servers: ASGI },
  { name: "Quart", imports: /^\s*(?:from|import) quart\b/m, application: made("Quart"), servers: ASGI.toReversed() },
  {
    name: "Dash",
    imports: /^\s*(?:from|import) dash\b/m,
    servers: [script("dash", "8050", { HOST: "0.0.0.0" })],
  },
  {
    name: "Flask",
    imports: /^\s*(?:from|import) flask\b/m,
    application: made("Flask"),
    servers: [
      GUNICORN,
      {
        needs: "waitress",
        port: "8000",
        command: ({ module, variable, isFactory }) => [
          "waitress-serve",
          "--port",
          "8000",
          ...(isFactory ? ["--call"] : []),
          `${module}:${variable}`,
        ],
      },
      {
        needs: "flask",
        port: "8000",
        command: ({ module, variable, isFactory }) => [
          "flask",
          "--app",
          `${module}:${variable}${isFactory ? "()" : ""}`,
          "run",
          "--host",
          "0.0.0.0",
          "--port",
          "8000",
        ],
      },
    ],
  },
  {
    name: "Streamlit",
    imports: /^\s*(?:from|import) streamlit\b/m,
    servers: [
      {
        needs: "streamlit",
        port: "8501",
        command: ({ file }) => ["streamlit", "run", file, "--server.address", "0.0.0.0", "--server.headless", "true"],
      },
    ],
  },
  {
    name: "Gradio",
    imports: /^\s*(?:from|import) gradio\b/m,
    servers: [script("gradio", "7860", { GRADIO_SERVER_NAME: "0.0.0.0" })],
  },
];

const FACTORY = /^def ((?:create|make|get|build)_app)\(/m;

/** The application of a framework in a file's source. */
export function applicationIn(
  framework: Framework,
  source: string,
  place: { readonly file: string; readonly module: string },
): FoundApplication | undefined {
  if (!framework.imports.test(source)) return undefined;
  if (!framework.application) return { ...place, variable: "", isFactory: false };
  const variable = framework.application.exec(source)?.[1];
  if (variable !== undefined) return { ...place, variable, isFactory: false };
  const factory = FACTORY.exec(source)?.[1];
  return factory === undefined ? undefined : { ...place, variable: factory, isFactory: true };
}
