FROM busybox
RUN mkdir /there
COPY app.py requirements.txt /there/../app
