// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { findCommand } from "./entry.ts";
import { treeOf } from "./fixture.ts";
import { readProject } from "./read-project.ts";

interface Case {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  /** Distributions in the image. */
  readonly has?: readonly string[];
  /** Words joined by blanks; absent: none. */
  readonly command?: string;
  readonly ports?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly notes?: readonly string[];
}

const FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI(title='x')\n";
const FLASK = "from flask import Flask\napp: Flask = Flask(__name__)\n";
const MAIN = "if __name__ == '__main__':\n    print(1)\n";

const CASES: readonly Case[] = [
  { title: "main.py", files: { "main.py": "" }, command: "python main.py" },
  {
    title: "main.py before app.py, which is named",
    files: { "main.py": "", "app.py": "" },
    command: "python main.py",
    notes: ["also there: app.py"],
  },
  {
    title: "a FastAPI application",
    files: { "main.py": FASTAPI },
    has: ["fastapi", "uvicorn"],
    command: "uvicorn main:app --host 0.0.0.0 --port 8000",
    ports: ["8000"],
  },
  {
    title: "a FastAPI application without anything that serves it",
    files: { "main.py": FASTAPI },
    has: ["fastapi"],
    command: "python main.py",
    notes: ["main.py makes a FastAPI application, but uvicorn is not among the dependencies"],
  },
  {
    title: "a FastAPI application and only hypercorn",
    files: { "main.py": FASTAPI },
    has: ["fastapi", "hypercorn"],
    command: "hypercorn --bind 0.0.0.0:8000 main:app",
    ports: ["8000"],
  },
  {
    title: "a function that makes the application",
    files: { "app.py": "import fastapi\ndef create_app():\n    return fastapi.FastAPI()\n" },
    has: ["uvicorn"],
    command: "uvicorn app:create_app --factory --host 0.0.0.0 --port 8000",
    ports: ["8000"],
  },
  {
    title: "FastAPI in a package",
    files: { "requirements.txt": "", "app/__init__.py": "", "app/main.py": FASTAPI },
    has: ["uvicorn"],
    command: "uvicorn app.main:app --host 0.0.0.0 --port 8000",
    ports: ["8000"],
  },
  {
    title: "FastAPI in a package below src",
    files: {
      "pyproject.toml": '[project]\nname = "my-api"\nversion = "1"\n[build-system]\nrequires = []\n',
      "src/my_api/main.py": FASTAPI,
    },
    has: ["uvicorn"],
    command: "uvicorn my_api.main:app --host 0.0.0.0 --port 8000",
    ports: ["8000"],
  },
  {
    title: "a web application before a script with a more telling name",
    files: { "main.py": "print(1)\n", "api.py": FASTAPI },
    has: ["uvicorn"],
    command: "uvicorn api:app --host 0.0.0.0 --port 8000",
    ports: ["8000"],
    notes: ["also there: main.py"],
  },
  {
    title: "Flask with gunicorn",
    files: { "app.py": FLASK },
    has: ["flask", "gunicorn"],
    command: "gunicorn --bind 0.0.0.0:8000 app:app",
    ports: ["8000"],
  },
  {
    title: "Flask alone",
    files: { "app.py": FLASK },
    has: ["flask"],
    command: "flask --app app:app run --host 0.0.0.0 --port 8000",
    ports: ["8000"],
  },
  {
    title: "Streamlit",
    files: { "app.py": "import streamlit as st\nst.title('x')\n" },
    has: ["streamlit"],
    command: "streamlit run app.py --server.address 0.0.0.0 --server.headless true",
    ports: ["8501"],
  },
  {
    title: "Gradio listens to all only when it is told",
    files: { "app.py": "import gradio as gr\ngr.Interface(fn=print).launch()\n" },
    has: ["gradio"],
    command: "python app.py",
    ports: ["7860"],
    env: { GRADIO_SERVER_NAME: "0.0.0.0" },
  },
  {
    title: "Django with gunicorn",
    files: {
      "requirements.txt": "",
      "manage.py": "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n",
      "site1/wsgi.py": "",
    },
    has: ["django", "gunicorn"],
    command: "gunicorn --bind 0.0.0.0:8000 site1.wsgi:application",
    ports: ["8000"],
  },
  {
    title: "Django alone",
    files: {
      "requirements.txt": "",
      "manage.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\n',
    },
    has: ["django"],
    command: "python manage.py runserver 0.0.0.0:8000",
    ports: ["8000"],
  },
  {
    title: "a Procfile, which says it all",
    files: { Procfile: "release: x\nweb: gunicorn -b :$PORT app:app\n", "app.py": FLASK },
    has: ["gunicorn"],
    command: "/bin/sh -c exec gunicorn -b :$PORT app:app",
    ports: ["8000"],
    env: { PORT: "8000" },
    notes: ["also there: app.py"],
  },
  {
    title: "the program of a package",
    files: {
      "pyproject.toml":
        '[project]\nname = "My_App"\nversion = "1"\n[project.scripts]\nmy-app = "a:b"\nother = "a:c"\n[build-system]\nrequires = []\n',
    },
    command: "my-app",
  },
  {
    title: "several programs, none of the project's name",
    files: {
      "pyproject.toml":
        '[project]\nname = "x"\nversion = "1"\n[project.scripts]\na = "a:b"\nb = "a:c"\n[build-system]\nrequires = []\n',
    },
    notes: ["it installs several programs: a, b"],
  },
  {
    title: "no program of a project that is not installed",
    files: { "pyproject.toml": '[project]\nname = "x"\nversion = "1"\n[project.scripts]\nx = "a:b"\n' },
  },
  {
    title: "__main__.py of the package",
    files: { "pyproject.toml": '[project]\nname = "x-y"\nversion = "1"\n', "x_y/__main__.py": "" },
    command: "python -m x_y",
  },
  {
    title: "the only script",
    files: { "requirements.txt": "", "score.py": MAIN, "lib.py": "", "setup.py": MAIN },
    command: "python score.py",
  },
  {
    title: "two scripts",
    files: { "requirements.txt": "", "a.py": MAIN, "b.py": MAIN },
    notes: ["several files can be started: a.py, b.py"],
  },
  {
    title: "notebooks with JupyterLab",
    files: { "requirements.txt": "", "x.ipynb": "{}" },
    has: ["jupyterlab"],
    command: "jupyter lab --ip 0.0.0.0 --port 8888 --no-browser",
    ports: ["8888"],
  },
  {
    title: "notebooks alone",
    files: { "requirements.txt": "", "x.ipynb": "{}" },
    notes: ["x.ipynb is a notebook, but jupyterlab is not among the dependencies"],
  },
  {
    title: "what [tool.tare] says",
    files: { "tare.toml": 'command = ["python", "x.py"]\nexpose = [9000]\n', "main.py": FASTAPI },
    has: ["uvicorn"],
    command: "python x.py",
    ports: ["9000"],
  },
  {
    title: "an entry point alone",
    files: { "tare.toml": 'entrypoint = ["python", "x.py"]\n', "main.py": "" },
    command: "",
  },
];

it.each(CASES)("knows what starts $title", ({ files, has = [], command, ports = [], env = {}, notes = [] }) => {
  const reader = treeOf(files);
  const project = readProject(reader, { folder: "/p", fallbackName: "p" });
  if (!project) throw new Error("no project");
  const answer = findCommand(reader, project, (name) => has.includes(name));
  expect(answer.found?.value.join(" ")).toBe(command);
  expect(answer.found?.ports ?? []).toEqual(ports);
  expect(answer.found?.env ?? {}).toEqual(env);
  expect(answer.notes).toEqual(notes);
});
