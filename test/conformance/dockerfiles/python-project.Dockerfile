FROM busybox AS wheels
WORKDIR /wheels
COPY requirements.txt .
RUN sed 's/==.*//' requirements.txt | sort > names
FROM busybox
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN echo 'app:x:1000:1000::/app:/bin/sh' >> /etc/passwd
WORKDIR /app
COPY --from=wheels /wheels/names ./
COPY requirements.txt ./
COPY --chown=1000:1000 . .
USER app
EXPOSE 8000
HEALTHCHECK --interval=30s CMD wget -qO- http://127.0.0.1:8000/health || exit 1
ENTRYPOINT ["python"]
CMD ["app.py"]
