# fails
FROM busybox
RUN mkdir -p /there/app.py
COPY app.py /there/
