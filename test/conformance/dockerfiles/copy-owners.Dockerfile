FROM busybox
COPY --chown=daemon app.py /one
COPY --chown=daemon:www-data app.py /two
COPY --chown=55 app.py /three
COPY --chown=55:66 data /new/deep/four
RUN mkdir -m 0711 /existing
COPY --chown=1:1 data /existing
