FROM busybox
RUN mkdir /real && ln -s /real /link
WORKDIR /link/sub
COPY app.py .
RUN pwd -P > where
