"""Scores texts: a service that is built without a Dockerfile (`tare build -t api .`)."""

from fastapi import FastAPI

app = FastAPI(title="api")


@app.get("/score")
def score(text: str) -> dict[str, float]:
    words = text.split()
    return {"score": sum(map(len, words)) / max(1, len(words))}
