FROM busybox AS build
WORKDIR /src
COPY app.py .
RUN cat app.py > built && chmod 0755 built
FROM busybox AS unused
RUN exit 1
FROM build AS test
RUN touch tested
FROM busybox
COPY --from=build /src/built /usr/local/bin/
COPY --from=test --chown=1 /src/tested /
ENTRYPOINT ["built"]
