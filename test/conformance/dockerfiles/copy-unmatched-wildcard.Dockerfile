FROM busybox
COPY app.py nosuch* /there/
